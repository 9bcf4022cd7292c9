/* Tells the readers of a table's files which columns they have and which of them are the key; with
 * GlueCatalogGeneration also the Data Catalog. */
#include "emulators/facade/catalog.h"
#include "emulators/dms/file/names.h"
#include "emulators/dms/worker/worker_impl.h"

#define HIVE_DECIMAL_MAX 38

static struct str location_of(struct arena *a, const struct dms_worker *w,
                              const struct dms_table *t)
{
    return arena_printf(a, "s3://%.*s/%.*s", STR_ARG(w->s3.bucket), STR_ARG(t->prefix));
}

/* Name of the table's last change file, without extension; absent: there is none. */
static struct str last_name(struct arena *a, const struct dms_table *t)
{
    return t->last_name_ms > 0 ? dms_name_cdc(a, STR(""), t->last_name_ms, STR("")) : STR_NONE;
}

/* --- Data Catalog ----------------------------------------------------------------------------- */
/* The Hive type whose text form is what the files have. Unsigned numbers take the next larger one.
 * What Hive would read otherwise than we write it (TIME, BIT, binary as hexadecimal) is text. */
static struct str hive_type(struct arena *a, const struct mysql_column *c)
{
    switch (c->family) {
    case MYSQL_F_TINYINT:
        return c->is_unsigned ? STR("smallint") : STR("tinyint");
    case MYSQL_F_SMALLINT:
        return c->is_unsigned ? STR("int") : STR("smallint");
    case MYSQL_F_YEAR:
        return STR("smallint");
    case MYSQL_F_MEDIUMINT:
        return STR("int");
    case MYSQL_F_INT:
        return c->is_unsigned ? STR("bigint") : STR("int");
    case MYSQL_F_BIGINT:
        return c->is_unsigned ? STR("decimal(20,0)") : STR("bigint");
    case MYSQL_F_DECIMAL:
        return c->precision > HIVE_DECIMAL_MAX
                   ? STR("string")
                   : arena_printf(a, "decimal(%u,%u)", c->precision, c->scale);
    case MYSQL_F_FLOAT:
        return STR("float");
    case MYSQL_F_DOUBLE:
        return STR("double");
    case MYSQL_F_DATE:
        return STR("date");
    case MYSQL_F_DATETIME:
    case MYSQL_F_TIMESTAMP:
        return STR("timestamp");
    default:
        return STR("string");
    }
}

static struct str column_type(struct arena *a, const struct dms_worker *w,
                              const struct dms_table *t, const struct dms_csv_column *c)
{
    const struct mysql_column *source = c->type ? NULL : &t->def->columns[c->like];
    if (w->s3.format == &dms_format_parquet) {
        struct dms_data_type type = c->type ? *c->type : dms_type_of(source);
        return dms_parquet_hive(a, &type);
    }
    return source ? hive_type(a, source) : dms_type_hive(a, c->type);
}

/* Op stands in the table when the first files of the task have it; with change files of another
 * shape beside LOAD files without Op one table can't describe both, as on AWS. */
static enum status define(struct core *core, struct arena *a, const struct dms_worker *w,
                          const struct dms_table *t)
{
    struct catalog_column *columns = ARENA_ARRAY(a, struct catalog_column, t->plan.n + 2);
    bool parquet = w->s3.format == &dms_format_parquet;
    size_t n = 0;
    if (w->loads ? w->s3.op_in_load : w->s3.op_in_changes) {
        columns[n++] = (struct catalog_column){ STR("op"), STR("string") };
    }
    if (str_set(w->s3.csv.timestamp_name)) {
        columns[n++] = (struct catalog_column){ w->s3.csv.timestamp_name,
                                                parquet ? STR("string") : STR("timestamp") };
    }
    for (size_t i = 0; i < t->plan.n; i++) {
        const struct dms_csv_column *c = &t->plan.columns[i];
        columns[n++] = (struct catalog_column){ c->name, column_type(a, w, t, c) };
    }
    const struct catalog_definition d = {
        .account = w->log_owner.account,
        .region = w->log_owner.region,
        .database = t->target_schema,
        .table = t->target_name,
        .location = location_of(a, w, t),
        .columns = columns,
        .n_columns = n,
        .delimiter = w->s3.csv.delimiter,
        .header = w->s3.csv.header,
        .gzip = w->s3.gzip,
        .parquet = parquet,
    };
    return catalog_define_table(core, a, &d);
}

enum status dms_catalog_note(struct core *core, struct arena *a, const struct dms_worker *w,
                             const struct dms_table *t, bool loaded)
{
    struct str *columns = ARENA_ARRAY(a, struct str, t->plan.n + 1);
    struct str *places = ARENA_ARRAY(a, struct str, t->def->columns_n + 1);
    struct str *key = ARENA_ARRAY(a, struct str, t->def->pk_n + 1);
    for (size_t i = 0; i < t->def->columns_n; i++) {
        places[i] = t->def->columns[i].name;
    }
    for (size_t i = 0; i < t->plan.n; i++) {
        columns[i] = t->plan.columns[i].name;
        if (t->plan.columns[i].source != DMS_CSV_NO_SOURCE) {
            places[t->plan.columns[i].source] = columns[i];
        }
    }
    for (size_t i = 0; i < t->def->pk_n; i++) {
        key[i] = t->def->columns[t->def->pk[i]].name;
    }
    enum status st = catalog_note_table(
        core, location_of(a, w, t),
        &(struct catalog_table){ .columns = columns,
                                 .n_columns = t->plan.n,
                                 .key = t->rules ? t->rules->key : key,
                                 .n_key = t->rules ? t->rules->key_n : t->def->pk_n,
                                 .timestamp = w->s3.csv.timestamp_name,
                                 .places = places,
                                 .n_places = t->def->columns_n,
                                 .renamed = t->renamed,
                                 .after = last_name(a, t),
                                 .loaded = loaded });
    return st == ST_OK && w->s3.glue_catalog ? define(core, a, w, t) : st;
}

enum status dms_catalog_emptied(struct core *core, struct arena *a, const struct dms_worker *w,
                                const struct dms_table *t)
{
    return catalog_note_emptied(core, location_of(a, w, t));
}
