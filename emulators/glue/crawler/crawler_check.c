/* Definitions of crawlers: what is refused, and what AWS fills in. */
#include "emulators/glue/crawler/crawler_glob.h"
#include "emulators/glue/crawler/crawler_internal.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"
#include "server/wire/json.h"

#define NAME_MAX_BYTES 255
#define TABLE_PREFIX_MAX 128
#define SAMPLE_SIZE_MAX 249
#define TABLE_LEVEL_MAX 20

enum status crawler_parse_path(struct str path, struct str *ret_bucket, struct str *ret_key)
{
    static const struct str schemes[] = { STR_INIT("s3://"), STR_INIT("s3a://"),
                                          STR_INIT("s3n://") };
    *ret_bucket = *ret_key = STR("");
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (str_starts(path, schemes[i])) {
            struct str rest = str_sub(path, schemes[i].n, path.n), key;
            if (str_cut(rest, '/', ret_bucket, &key)) {
                *ret_key = key;
            } else {
                *ret_bucket = rest;
            }
            return str_empty(*ret_bucket) ? ST_INVALID : ST_OK;
        }
    }
    return ST_INVALID;
}

/* --- the Configuration text ------------------------------------------------------------------- */
struct parse {
    struct arena *arena;
    struct crawler_config *config;
    struct str why;
};

static enum status bad(struct parse *p, const char *where, struct str what)
{
    p->why = arena_printf(p->arena, "Configuration: %s '%.*s' is not known.", where, STR_ARG(what));
    return ST_INVALID;
}

static enum status parse_grouping(struct parse *p, const struct json_value *v)
{
    for (const struct json_value *m = v->first; m; m = m->next) {
        if (str_eqz(m->key, "TableGroupingPolicy") && m->kind == JSON_STRING &&
            str_eqz(m->str, "CombineCompatibleSchemas")) {
            p->config->combine = true;
        } else if (str_eqz(m->key, "TableLevelConfiguration") && m->kind == JSON_INT && m->i >= 1 &&
                   m->i <= TABLE_LEVEL_MAX) {
            p->config->table_level = m->i;
        } else {
            return bad(p, "member or value of Grouping", m->key);
        }
    }
    return ST_OK;
}

static enum status parse_tables(struct parse *p, const struct json_value *v)
{
    for (const struct json_value *m = v->first; m; m = m->next) {
        if (str_eqz(m->key, "AddOrUpdateBehavior") && m->kind == JSON_STRING &&
            str_eqz(m->str, "MergeNewColumns")) {
            p->config->merge_new_columns = true;
        } else if (str_eqz(m->key, "TableThreshold") && m->kind == JSON_INT && m->i >= 1) {
            p->config->table_threshold = m->i;
        } else {
            return bad(p, "member or value of CrawlerOutput.Tables", m->key);
        }
    }
    return ST_OK;
}

static enum status parse_partitions(struct parse *p, const struct json_value *v)
{
    for (const struct json_value *m = v->first; m; m = m->next) {
        if (str_eqz(m->key, "AddOrUpdateBehavior") && m->kind == JSON_STRING &&
            str_eqz(m->str, "InheritFromTable")) {
            p->config->inherit = true;
        } else {
            return bad(p, "member or value of CrawlerOutput.Partitions", m->key);
        }
    }
    return ST_OK;
}

static enum status parse_output(struct parse *p, const struct json_value *v)
{
    enum status st = ST_OK;
    for (const struct json_value *m = v->first; st == ST_OK && m; m = m->next) {
        st = m->kind != JSON_OBJECT          ? bad(p, "member of CrawlerOutput", m->key)
             : str_eqz(m->key, "Tables")     ? parse_tables(p, m)
             : str_eqz(m->key, "Partitions") ? parse_partitions(p, m)
                                             : bad(p, "member of CrawlerOutput", m->key);
    }
    return st;
}

static enum status parse_member(struct parse *p, const struct json_value *m)
{
    if (str_eqz(m->key, "Grouping") && m->kind == JSON_OBJECT) {
        return parse_grouping(p, m);
    }
    if (str_eqz(m->key, "CrawlerOutput") && m->kind == JSON_OBJECT) {
        return parse_output(p, m);
    }
    if (str_eqz(m->key, "CreatePartitionIndex") && m->kind == JSON_BOOL) {
        p->config->partition_index = m->b;
        return ST_OK;
    }
    return bad(p, "member or value", m->key);
}

enum status crawler_parse_config(struct arena *a, struct str text, struct crawler_config *ret,
                                 struct str *ret_why)
{
    struct parse p = { .arena = a, .config = ret };
    struct json_value *v;
    *ret = (struct crawler_config){ 0 };
    if (str_empty(text)) {
        return ST_OK;
    }
    enum status st = json_parse(a, text, &v, ret_why);
    if (st != ST_OK || v->kind != JSON_OBJECT) {
        *ret_why = st == ST_OK
                       ? STR("Configuration must be a JSON object.")
                       : arena_printf(a, "Configuration is no JSON: %.*s", STR_ARG(*ret_why));
        return ST_INVALID;
    }
    const struct json_value *version = json_get(v, "Version");
    bool one = version && ((version->kind == JSON_INT && version->i == 1) ||
                           (version->kind == JSON_FLOAT && version->f == 1.0));
    if (!one) {
        *ret_why = STR("Configuration must have \"Version\": 1.0.");
        return ST_INVALID;
    }
    for (const struct json_value *m = v->first; st == ST_OK && m; m = m->next) {
        st = str_eqz(m->key, "Version") ? ST_OK : parse_member(&p, m);
    }
    *ret_why = p.why;
    return st;
}

/* --- targets ---------------------------------------------------------------------------------- */
static enum status check_s3_target(struct call *c, struct glue_s3_target *t)
{
    struct str bucket, key;
    if (crawler_parse_path(t->Path, &bucket, &key) != ST_OK) {
        return call_fail(c, &glue_InvalidInputException,
                         "The path '%.*s' of an S3 target must be like s3://bucket/folder/.",
                         STR_ARG(t->Path));
    }
    if (!str_empty(t->ConnectionName) || !str_empty(t->EventQueueArn) ||
        !str_empty(t->DlqEventQueueArn)) {
        return call_fail(
            c, &wire_NotImplemented,
            "S3 targets with ConnectionName or EventQueueArn aren't implemented: leave "
            "these out, the buckets of this server are reached directly.");
    }
    if (t->SampleSize.set && (t->SampleSize.v < 1 || t->SampleSize.v > SAMPLE_SIZE_MAX)) {
        return call_fail(c, &glue_InvalidInputException, "SampleSize must be 1 to %d, not %lld.",
                         SAMPLE_SIZE_MAX, (long long)t->SampleSize.v);
    }
    for (size_t i = 0; i < t->Exclusions.n; i++) {
        struct str *expanded;
        size_t n;
        if (crawler_glob_expand(c->arena, t->Exclusions.v[i], &expanded, &n) != ST_OK) {
            return call_fail(c, &glue_InvalidInputException,
                             "The exclude pattern '%.*s' is broken: brackets and braces must be "
                             "closed, braces don't nest.",
                             STR_ARG(t->Exclusions.v[i]));
        }
    }
    t->Exclusions.v = t->Exclusions.v ? t->Exclusions.v : ARENA_NEW(c->arena, struct str);
    return ST_OK;
}

/* AWS answers empty lists for the kinds that aren't there. */
static void fill_targets(struct arena *a, struct glue_crawler_targets *t)
{
    t->JdbcTargets.v = ARENA_NEW(a, struct glue_jdbc_target);
    t->MongoDBTargets.v = ARENA_NEW(a, struct glue_mongo_db_target);
    t->DynamoDBTargets.v = ARENA_NEW(a, struct glue_dynamo_db_target);
    t->CatalogTargets.v = ARENA_NEW(a, struct glue_catalog_target);
    t->DeltaTargets.v = ARENA_NEW(a, struct glue_delta_target);
    t->IcebergTargets.v = ARENA_NEW(a, struct glue_iceberg_target);
    t->HudiTargets.v = ARENA_NEW(a, struct glue_hudi_target);
}

static enum status check_targets(struct call *c, struct glue_crawler_targets *t)
{
    const char *other = !t                     ? NULL
                        : t->JdbcTargets.n     ? "JdbcTargets"
                        : t->MongoDBTargets.n  ? "MongoDBTargets"
                        : t->DynamoDBTargets.n ? "DynamoDBTargets"
                        : t->CatalogTargets.n  ? "CatalogTargets"
                        : t->DeltaTargets.n    ? "DeltaTargets"
                        : t->IcebergTargets.n  ? "IcebergTargets"
                        : t->HudiTargets.n     ? "HudiTargets"
                                               : NULL;
    if (other) {
        return call_fail(c, &wire_NotImplemented,
                         "%s aren't implemented: crawlers read S3Targets only.", other);
    }
    if (!t || t->S3Targets.n == 0) {
        return call_fail(c, &glue_InvalidInputException,
                         "At least one target must be specified: give Targets.S3Targets.");
    }
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < t->S3Targets.n; i++) {
        st = check_s3_target(c, &t->S3Targets.v[i]);
    }
    fill_targets(c->arena, t);
    return st;
}

/* --- the rest --------------------------------------------------------------------------------- */
static enum status check_names(struct call *c, const struct glue_crawler *crawler)
{
    if (crawler->Name.n < 1 || crawler->Name.n > NAME_MAX_BYTES) {
        return call_fail(c, &glue_InvalidInputException, "Name must have 1 to %d characters.",
                         NAME_MAX_BYTES);
    }
    if (str_empty(crawler->Role)) {
        return call_fail(c, &glue_InvalidInputException, "Role must not be empty.");
    }
    if (str_empty(crawler->DatabaseName) || crawler->DatabaseName.n > NAME_MAX_BYTES) {
        return call_fail(c, &glue_InvalidInputException,
                         "DatabaseName must have 1 to %d characters: it is where a crawler of S3 "
                         "targets writes its tables.",
                         NAME_MAX_BYTES);
    }
    if (crawler->TablePrefix.n > TABLE_PREFIX_MAX) {
        return call_fail(c, &glue_InvalidInputException,
                         "TablePrefix must have at most %d characters.", TABLE_PREFIX_MAX);
    }
    return ST_OK;
}

static enum status check_classifiers(struct call *c, const struct glue_crawler *crawler)
{
    struct glue_owner o = glue_owner_of(c);
    for (size_t i = 0; i < crawler->Classifiers.n; i++) {
        struct glue_classifier *found;
        struct str name = crawler->Classifiers.v[i];
        enum status st = crawler_store_classifier(c->db, c->arena, &o, name, &found);
        if (st == ST_NOT_FOUND) {
            return call_fail(c, &glue_EntityNotFoundException, "Classifier %.*s not found.",
                             STR_ARG(name));
        }
        if (st != ST_OK) {
            return call_status(c, st);
        }
    }
    return ST_OK;
}

/* "Crawl new folders only" adds, and must not promise more. */
static enum status check_policies(struct call *c, const struct glue_crawler *crawler)
{
    struct str recrawl = crawler->RecrawlPolicy->RecrawlBehavior;
    const struct glue_schema_change_policy *p = crawler->SchemaChangePolicy;
    if (str_eqz(recrawl, "CRAWL_EVENT_MODE")) {
        return call_fail(c, &wire_NotImplemented,
                         "RecrawlBehavior CRAWL_EVENT_MODE isn't implemented: use CRAWL_EVERYTHING "
                         "or CRAWL_NEW_FOLDERS_ONLY.");
    }
    if (str_eqz(recrawl, "CRAWL_NEW_FOLDERS_ONLY") &&
        (!str_eqz(p->UpdateBehavior, "LOG") || !str_eqz(p->DeleteBehavior, "LOG"))) {
        return call_fail(c, &glue_InvalidInputException,
                         "The SchemaChangePolicy for \"Crawl new folders only\" Amazon S3 target "
                         "can have only LOG DeleteBehavior value and LOG UpdateBehavior value.");
    }
    return ST_OK;
}

static enum status check_extras(struct call *c, const struct glue_crawler *crawler)
{
    if (str_eqz(crawler->LineageConfiguration->CrawlerLineageSettings, "ENABLE")) {
        return call_fail(c, &wire_NotImplemented,
                         "CrawlerLineageSettings ENABLE isn't implemented: use DISABLE.");
    }
    if (crawler->LakeFormationConfiguration->UseLakeFormationCredentials.v) {
        return call_fail(c, &wire_NotImplemented,
                         "UseLakeFormationCredentials isn't implemented: leave it out.");
    }
    struct crawler_config config;
    struct str why;
    if (crawler_parse_config(c->arena, crawler->Configuration, &config, &why) != ST_OK) {
        return call_fail(c, &glue_InvalidInputException, "%.*s", STR_ARG(why));
    }
    enum status st = glue_security_check(c, crawler->CrawlerSecurityConfiguration);
    bool given = crawler->Schedule && !str_empty(crawler->Schedule->ScheduleExpression);
    return st == ST_OK && given ? glue_schedule_check(c, crawler->Schedule->ScheduleExpression)
                                : st;
}

static void fill_defaults(struct arena *a, struct glue_crawler *crawler)
{
    struct str *text;
    if (!crawler->RecrawlPolicy) {
        crawler->RecrawlPolicy = ARENA_NEW(a, struct glue_recrawl_policy);
    }
    text = &crawler->RecrawlPolicy->RecrawlBehavior;
    *text = str_set(*text) ? *text : STR("CRAWL_EVERYTHING");
    if (!crawler->SchemaChangePolicy) {
        crawler->SchemaChangePolicy = ARENA_NEW(a, struct glue_schema_change_policy);
    }
    text = &crawler->SchemaChangePolicy->UpdateBehavior;
    *text = str_set(*text) ? *text : STR("UPDATE_IN_DATABASE");
    text = &crawler->SchemaChangePolicy->DeleteBehavior;
    *text = str_set(*text) ? *text : STR("DEPRECATE_IN_DATABASE");
    if (!crawler->LineageConfiguration) {
        crawler->LineageConfiguration = ARENA_NEW(a, struct glue_lineage_configuration);
    }
    text = &crawler->LineageConfiguration->CrawlerLineageSettings;
    *text = str_set(*text) ? *text : STR("DISABLE");
    if (!crawler->LakeFormationConfiguration) {
        crawler->LakeFormationConfiguration =
            ARENA_NEW(a, struct glue_lake_formation_configuration);
        crawler->LakeFormationConfiguration->UseLakeFormationCredentials = OPT_BOOL(false);
        crawler->LakeFormationConfiguration->AccountId = STR("");
    }
    crawler->Classifiers.v =
        crawler->Classifiers.v ? crawler->Classifiers.v : ARENA_NEW(a, struct str);
    crawler->CrawlElapsedTime = OPT_I64(0);
}

enum status crawler_check(struct call *c, struct glue_crawler *crawler)
{
    fill_defaults(c->arena, crawler);
    enum status st = check_names(c, crawler);
    st = st == ST_OK ? check_targets(c, crawler->Targets) : st;
    st = st == ST_OK ? check_classifiers(c, crawler) : st;
    st = st == ST_OK ? check_policies(c, crawler) : st;
    return st == ST_OK ? check_extras(c, crawler) : st;
}
