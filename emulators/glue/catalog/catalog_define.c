/* emulators/facade/catalog.h: tables that DMS makes in the Data Catalog. */
#include "emulators/facade/catalog.h"

#include "emulators/glue/catalog/catalog_common.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/core.h"

#define PARAMETERS_MAX 8

static void add(struct glue_parameters_map *map, struct str key, struct str value)
{
    map->v[map->n++] = (struct glue_parameters_map_entry){ key, value };
}

/* As crawlers describe such files, so that Glue's readers know them. */
static struct glue_parameters_map parameters(struct arena *a, const struct catalog_definition *d)
{
    struct glue_parameters_map map = { 0, ARENA_ARRAY(a, struct glue_parameters_map_entry,
                                                      PARAMETERS_MAX) };
    add(&map, STR("classification"), d->parquet ? STR("parquet") : STR("csv"));
    add(&map, STR("compressionType"), d->gzip ? STR("gzip") : STR("none"));
    add(&map, STR("typeOfData"), STR("file"));
    add(&map, STR("EXTERNAL"), STR("TRUE"));
    if (d->parquet) {
        return map;
    }
    add(&map, STR("columnsOrdered"), STR("true"));
    add(&map, STR("delimiter"), d->delimiter);
    if (d->header) {
        add(&map, STR("skip.header.line.count"), STR("1"));
    }
    return map;
}

static struct glue_ser_de_info *serde(struct arena *a, const struct catalog_definition *d)
{
    struct glue_ser_de_info *s = ARENA_NEW(a, struct glue_ser_de_info);
    s->Parameters.v = ARENA_ARRAY(a, struct glue_parameters_map_entry, PARAMETERS_MAX);
    if (d->parquet) {
        s->SerializationLibrary =
            STR("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe");
        add(&s->Parameters, STR("serialization.format"), STR("1"));
        return s;
    }
    s->SerializationLibrary = STR("org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe");
    add(&s->Parameters, STR("field.delim"), d->delimiter);
    add(&s->Parameters, STR("serialization.format"), d->delimiter);
    return s;
}

/* Column names are lower case in Hive, as they are unique without regard to case in MySQL. */
static struct glue_column_list columns(struct arena *a, const struct catalog_definition *d)
{
    struct glue_column_list list = { 0, ARENA_ARRAY(a, struct glue_column, d->n_columns + 1) };
    for (size_t i = 0; i < d->n_columns; i++) {
        list.v[list.n++] = (struct glue_column){ .Name = arena_lower(a, d->columns[i].name),
                                                 .Type = d->columns[i].type };
    }
    return list;
}

static struct glue_table *table_of(struct arena *a, const struct catalog_definition *d,
                                   const struct catalog_key *key, const struct glue_table *old)
{
    struct glue_storage_descriptor *s = ARENA_NEW(a, struct glue_storage_descriptor);
    *s = (struct glue_storage_descriptor){
        .Columns = columns(a, d),
        .Location = d->location,
        .InputFormat = d->parquet
                           ? STR("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat")
                           : STR("org.apache.hadoop.mapred.TextInputFormat"),
        .OutputFormat = d->parquet
                            ? STR("org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat")
                            : STR("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"),
        .Compressed = OPT_BOOL(d->gzip),
        .SerdeInfo = serde(a, d),
    };
    const struct glue_table_input in = {
        .Name = d->table,
        .StorageDescriptor = s,
        .TableType = STR("EXTERNAL_TABLE"),
        .Parameters = parameters(a, d),
    };
    return catalog_table_from(a, &in, key, old, clock_now_ms());
}

static bool same_columns(const struct glue_column_list *a, const struct glue_column_list *b)
{
    for (size_t i = 0; a->n == b->n && i < a->n; i++) {
        if (!str_eq(a->v[i].Name, b->v[i].Name) || !str_eq(a->v[i].Type, b->v[i].Type)) {
            return false;
        }
    }
    return a->n == b->n;
}

static bool same_parameters(const struct glue_parameters_map *a,
                            const struct glue_parameters_map *b)
{
    for (size_t i = 0; a->n == b->n && i < a->n; i++) {
        bool there = false;
        for (size_t k = 0; k < b->n; k++) {
            there =
                there || (str_eq(a->v[i].key, b->v[k].key) && str_eq(a->v[i].value, b->v[k].value));
        }
        if (!there) {
            return false;
        }
    }
    return a->n == b->n;
}

/* Nothing that DMS decides is different. */
static bool same(const struct glue_table *a, const struct glue_table *b)
{
    const struct glue_storage_descriptor *x = a->StorageDescriptor, *y = b->StorageDescriptor;
    return x && y && str_eq(x->Location, y->Location) && same_columns(&x->Columns, &y->Columns) &&
           same_parameters(&a->Parameters, &b->Parameters);
}

static enum status need_database(struct db *db, struct arena *a, const struct catalog_key *key)
{
    enum status st = catalog_has_database(db, a, &key->owner, key->database);
    if (st != ST_NOT_FOUND) {
        return st;
    }
    struct glue_database d = {
        .Name = key->database,
        .CreateTime = OPT_TIME(clock_now_ms()),
        .CreateTableDefaultPermissions = catalog_default_permissions(a),
        .CatalogId = key->owner.account,
    };
    return catalog_add_database(db, a, &key->owner, &d);
}

enum status catalog_define_table(struct core *core, struct arena *a,
                                 const struct catalog_definition *d)
{
    struct db *db = core_db(core);
    const struct catalog_key key = { { d->account, d->region },
                                     arena_lower(a, d->database),
                                     arena_lower(a, d->table) };
    struct glue_table *old = NULL;
    enum status st = need_database(db, a, &key);
    st = st == ST_OK ? catalog_table(db, a, &key, &old) : st;
    if (st != ST_OK && st != ST_NOT_FOUND) {
        return st;
    }
    struct glue_table *t = table_of(a, d, &key, old);
    if (!old) {
        t->CreatedBy = arena_printf(a, "arn:aws:iam::%.*s:root", STR_ARG(d->account));
        return catalog_add_table(db, a, &key.owner, t);
    }
    return same(old, t) ? ST_OK : catalog_set_table(db, a, &key.owner, t, true);
}
