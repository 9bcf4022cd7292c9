#include "emulators/glue/crawler/crawler_table.h"

#include "server/base/clock.h"
#include "server/base/mem.h"

/* --- parameters ------------------------------------------------------------------------------- */
struct str crawler_parameter(const struct glue_parameters_map *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++) {
        if (str_eqz(map->v[i].key, key)) {
            return map->v[i].value;
        }
    }
    return STR_NONE;
}

void crawler_set_parameter(struct arena *a, struct glue_parameters_map *map, const char *key,
                           struct str value)
{
    for (size_t i = 0; i < map->n; i++) {
        if (str_eqz(map->v[i].key, key)) {
            map->v[i].value = value;
            return;
        }
    }
    /* a new array: the old one may be decoded, or another map's, too */
    struct glue_parameters_map_entry *grown =
        ARENA_ARRAY(a, struct glue_parameters_map_entry, map->n + 1);
    if (map->n) {
        memcpy(grown, map->v, map->n * sizeof(*grown));
    }
    grown[map->n++] = (struct glue_parameters_map_entry){ str_z(key), value };
    map->v = grown;
}

/* Those that a crawl sets or takes away. */
static bool ours(struct str key)
{
    static const char *const names[] = {
        "CRAWL_RUN_ID",
        "CrawlerSchemaDeserializerVersion",
        "CrawlerSchemaSerializerVersion",
        "DEPRECATED_BY_CRAWLER",
        "UPDATED_BY_CRAWLER",
        "areColumnsQuoted",
        "averageRecordSize",
        "avro.schema.literal",
        "classification",
        "columnsOrdered",
        "compressionType",
        "delimiter",
        "jsonPath",
        "objectCount",
        "partition_filtering.enabled",
        "recordCount",
        "sizeKey",
        "skip.header.line.count",
        "typeOfData",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eqz(key, names[i])) {
            return true;
        }
    }
    return false;
}

struct glue_parameters_map crawler_keep_parameters(struct arena *a,
                                                   const struct glue_parameters_map *old,
                                                   const struct glue_parameters_map *fresh)
{
    struct glue_parameters_map map = { 0 };
    for (size_t i = 0; i < fresh->n; i++) {
        ARENA_GROW(a, map.v, map.n);
        map.v[map.n++] = fresh->v[i];
    }
    for (size_t i = 0; i < old->n; i++) {
        if (!ours(old->v[i].key)) {
            ARENA_GROW(a, map.v, map.n);
            map.v[map.n++] = old->v[i];
        }
    }
    return map;
}

static struct glue_parameters_map parameters(struct arena *a, struct str crawler,
                                             const struct schema *s,
                                             const struct crawl_totals *totals)
{
    struct glue_parameters_map m = { 0 };
    int64_t average = totals->records > 0 ? totals->bytes / totals->records : 0;
    crawler_set_parameter(a, &m, "CrawlerSchemaDeserializerVersion", STR("1.0"));
    crawler_set_parameter(a, &m, "CrawlerSchemaSerializerVersion", STR("1.0"));
    crawler_set_parameter(a, &m, "UPDATED_BY_CRAWLER", crawler);
    crawler_set_parameter(a, &m, "averageRecordSize", arena_i64(a, average));
    crawler_set_parameter(a, &m, "classification", s->classification);
    crawler_set_parameter(a, &m, "compressionType", s->compression);
    crawler_set_parameter(a, &m, "objectCount", arena_i64(a, totals->files));
    crawler_set_parameter(a, &m, "recordCount", arena_i64(a, totals->records));
    crawler_set_parameter(a, &m, "sizeKey", arena_i64(a, totals->bytes));
    crawler_set_parameter(a, &m, "typeOfData", STR("file"));
    if (str_eqz(s->classification, "csv")) {
        crawler_set_parameter(a, &m, "areColumnsQuoted",
                              s->csv.quoted ? STR("true") : STR("false"));
        crawler_set_parameter(a, &m, "columnsOrdered", STR("true"));
        crawler_set_parameter(a, &m, "delimiter",
                              arena_str(a, (struct str){ &s->csv.delimiter, 1 }));
        if (s->csv.header) {
            crawler_set_parameter(a, &m, "skip.header.line.count", STR("1"));
        }
    }
    if (str_set(s->avro_schema)) {
        crawler_set_parameter(a, &m, "avro.schema.literal", s->avro_schema);
    }
    if (str_set(s->json_path)) {
        crawler_set_parameter(a, &m, "jsonPath", s->json_path);
    }
    return m;
}

/* --- formats ---------------------------------------------------------------------------------- */
#define TEXT_INPUT "org.apache.hadoop.mapred.TextInputFormat"
#define TEXT_OUTPUT "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
#define SERDE2 "org.apache.hadoop.hive.serde2."

struct format {
    const char *classification;
    const char *input, *output, *serde;
};

static const struct format formats[] = {
    { "csv", TEXT_INPUT, TEXT_OUTPUT, SERDE2 "lazy.LazySimpleSerDe" },
    { "json", TEXT_INPUT, TEXT_OUTPUT, "org.openx.data.jsonserde.JsonSerDe" },
    { "parquet", "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
      "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
      "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" },
    { "avro", "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
      "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat", SERDE2 "avro.AvroSerDe" },
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The JSON SerDe's "paths": the members in order of their names, as they are written. */
static struct str json_paths(struct arena *a, const struct schema *s)
{
    struct str *names = ARENA_ARRAY(a, struct str, s->n + 1), all = STR("");
    for (size_t i = 0; i < s->n; i++) {
        names[i] = s->columns[i].name;
    }
    qsort(names, s->n, sizeof(*names), by_name);
    CLEANUP(buf_fini) struct buf b = BUF_INIT(HIVE_TYPE_TEXT_MAX);
    for (size_t i = 0; i < s->n; i++) {
        buf_puts(&b, i ? "," : "");
        buf_str_add(&b, names[i]);
    }
    return buf_ok(&b) ? arena_str(a, buf_str(&b)) : all;
}

static struct glue_parameters_map serde_parameters(struct arena *a, const struct schema *s)
{
    struct glue_parameters_map m = { 0 };
    struct str delimiter = arena_str(a, (struct str){ &s->csv.delimiter, 1 });
    if (str_eqz(s->classification, "csv") && s->csv.open_serde) {
        crawler_set_parameter(a, &m, "quoteChar", arena_str(a, (struct str){ &s->csv.quote, 1 }));
        crawler_set_parameter(a, &m, "separatorChar", delimiter);
    } else if (str_eqz(s->classification, "csv")) {
        crawler_set_parameter(a, &m, "field.delim", delimiter);
    } else if (str_eqz(s->classification, "json")) {
        crawler_set_parameter(a, &m, "paths", json_paths(a, s));
    } else {
        crawler_set_parameter(a, &m, "serialization.format", STR("1"));
        if (str_set(s->avro_schema)) {
            crawler_set_parameter(a, &m, "avro.schema.literal", s->avro_schema);
        }
    }
    return m;
}

static struct glue_column_list columns(struct arena *a, const struct schema *s)
{
    struct glue_column_list list = { 0, ARENA_ARRAY(a, struct glue_column, s->n + 1) };
    for (size_t i = 0; i < s->n; i++) {
        list.v[list.n++] = (struct glue_column){ .Name = arena_lower(a, s->columns[i].name),
                                                 .Type = hive_text(a, s->columns[i].type) };
    }
    return list;
}

struct glue_storage_descriptor *crawler_storage(struct arena *a, struct str crawler,
                                                const struct schema *s,
                                                const struct crawl_totals *totals,
                                                struct str location)
{
    struct glue_storage_descriptor *d = ARENA_NEW(a, struct glue_storage_descriptor);
    *d = (struct glue_storage_descriptor){
        .Columns = columns(a, s),
        .Location = location,
        .Compressed = OPT_BOOL(!str_eqz(s->compression, "none")),
        .NumberOfBuckets = OPT_I64(-1),
        .BucketColumns = { 0, ARENA_NEW(a, struct str) },
        .SortColumns = { 0, ARENA_NEW(a, struct glue_order) },
        .Parameters = parameters(a, crawler, s, totals),
        .StoredAsSubDirectories = OPT_BOOL(false),
    };
    d->SerdeInfo = ARENA_NEW(a, struct glue_ser_de_info);
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (str_eqz(s->classification, formats[i].classification)) {
            d->InputFormat = str_z(formats[i].input);
            d->OutputFormat = str_z(formats[i].output);
            d->SerdeInfo->SerializationLibrary =
                s->csv.open_serde ? STR(SERDE2 "OpenCSVSerde") : str_z(formats[i].serde);
            d->SerdeInfo->Parameters = serde_parameters(a, s);
        }
    }
    return d;
}

/* "role/service/Name" of an ARN, or a plain name: the name. */
static struct str role_name(struct str role)
{
    size_t at = role.n;
    while (at > 0 && role.p[at - 1] != '/') {
        at--;
    }
    return str_sub(role, at, role.n);
}

struct glue_table *crawler_table(struct arena *a, const struct crawl *crawl,
                                 const struct crawl_table *found, struct str name)
{
    struct glue_table *t = ARENA_NEW(a, struct glue_table);
    int64_t now = clock_now_ms();
    *t = (struct glue_table){
        .Name = name,
        .DatabaseName = crawl->crawler->DatabaseName,
        .Owner = STR("owner"),
        .CreateTime = OPT_TIME(now),
        .UpdateTime = OPT_TIME(now),
        .LastAccessTime = OPT_TIME(now),
        .Retention = OPT_I64(0),
        .StorageDescriptor = crawler_storage(a, crawl->crawler->Name, &found->schema,
                                             &found->totals, found->location),
        .PartitionKeys = { 0, ARENA_ARRAY(a, struct glue_column, found->n_keys + 1) },
        .TableType = STR("EXTERNAL_TABLE"),
        .CreatedBy =
            arena_printf(a, "arn:aws:sts::%.*s:assumed-role/%.*s/AWS-Crawler",
                         STR_ARG(crawl->owner.account), STR_ARG(role_name(crawl->crawler->Role))),
        .IsRegisteredWithLakeFormation = OPT_BOOL(false),
        .IsMultiDialectView = OPT_BOOL(false),
        .CatalogId = crawl->owner.account,
    };
    for (size_t i = 0; i < found->n_keys; i++) {
        t->PartitionKeys.v[t->PartitionKeys.n++] =
            (struct glue_column){ .Name = found->keys[i], .Type = STR("string") };
    }
    if (found->n_keys && crawl->config.partition_index) {
        crawler_set_parameter(a, &t->StorageDescriptor->Parameters, "partition_filtering.enabled",
                              STR("true"));
    }
    t->Parameters = t->StorageDescriptor->Parameters;
    return t;
}

/* --- comparing -------------------------------------------------------------------------------- */
bool crawler_same_columns(const struct glue_column_list *x, const struct glue_column_list *y)
{
    bool same = x->n == y->n;
    for (size_t i = 0; same && i < x->n; i++) {
        same = str_eq(x->v[i].Name, y->v[i].Name) && str_eq(x->v[i].Type, y->v[i].Type);
    }
    return same;
}

static bool same_map(const struct glue_parameters_map *x, const struct glue_parameters_map *y)
{
    bool same = x->n == y->n;
    for (size_t i = 0; same && i < x->n; i++) {
        bool found = false;
        for (size_t k = 0; k < y->n; k++) {
            found |= str_eq(x->v[i].key, y->v[k].key) && str_eq(x->v[i].value, y->v[k].value);
        }
        same = found;
    }
    return same;
}

bool crawler_same_storage(const struct glue_storage_descriptor *x,
                          const struct glue_storage_descriptor *y)
{
    if (!x || !y || !x->SerdeInfo || !y->SerdeInfo) {
        return false;
    }
    return crawler_same_columns(&x->Columns, &y->Columns) && str_eq(x->Location, y->Location) &&
           str_eq(x->InputFormat, y->InputFormat) &&
           str_eq(x->SerdeInfo->SerializationLibrary, y->SerdeInfo->SerializationLibrary) &&
           same_map(&x->SerdeInfo->Parameters, &y->SerdeInfo->Parameters);
}

struct glue_column_list crawler_merge_columns(struct arena *a, const struct glue_column_list *old,
                                              const struct glue_column_list *more)
{
    struct glue_column_list list = { 0, ARENA_ARRAY(a, struct glue_column, old->n + more->n + 1) };
    for (size_t i = 0; i < old->n; i++) {
        list.v[list.n++] = old->v[i];
    }
    for (size_t i = 0; i < more->n; i++) {
        bool known = false;
        for (size_t k = 0; k < old->n; k++) {
            known |= str_ieq(old->v[k].Name, more->v[i].Name);
        }
        if (!known) {
            list.v[list.n++] = more->v[i];
        }
    }
    return list;
}
