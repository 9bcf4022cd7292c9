/* Found tables into the catalog, as the crawler's policies ask (developer guide, "Setting crawler
 * configuration options"). A table is the crawler's when it says UPDATED_BY_CRAWLER; it is found
 * again by its location. */
#include "emulators/glue/catalog/catalog_store.h"
#include "emulators/glue/crawler/crawler_table.h"
#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/core.h"

struct writer {
    struct crawl *crawl;
    struct arena *arena;
    struct db *db;
    struct catalog_key key; /* owner and database; table: the one at hand */
    struct glue_table_list old;
    bool *seen; /* per old table: its data is still there */
    bool update, remove, deprecate, new_only;
    struct crawl_changes *changes;
};

static void add_name(struct writer *w, struct str **names, size_t *n, struct str name)
{
    ARENA_GROW(w->arena, *names, *n);
    (*names)[(*n)++] = name;
}

/* --- partitions ------------------------------------------------------------------------------- */
static struct glue_partition *make_partition(struct writer *w, const struct glue_table *t,
                                             const struct crawl_partition *p, size_t n_keys)
{
    struct glue_partition *made = ARENA_NEW(w->arena, struct glue_partition);
    int64_t now = clock_now_ms();
    *made = (struct glue_partition){
        .Values = { n_keys, ARENA_ARRAY(w->arena, struct str, n_keys + 1) },
        .CreationTime = OPT_TIME(now),
        .LastAccessTime = OPT_TIME(now),
        .StorageDescriptor =
            crawler_storage(w->arena, w->crawl->crawler->Name, &p->schema, &p->totals, p->location),
        .CatalogId = w->key.owner.account,
    };
    memcpy(made->Values.v, p->values, n_keys * sizeof(struct str));
    if (w->crawl->config.inherit) {
        made->StorageDescriptor->Columns = t->StorageDescriptor->Columns;
    }
    made->Parameters = made->StorageDescriptor->Parameters;
    return made;
}

static enum status write_partition(struct writer *w, const struct glue_table *t,
                                   const struct crawl_partition *p, size_t n_keys)
{
    struct glue_partition *fresh = make_partition(w, t, p, n_keys), *old;
    enum status st = catalog_partition(w->db, w->arena, &w->key, &fresh->Values, &old);
    if (st == ST_NOT_FOUND) {
        w->changes->partitions_added++;
        return catalog_add_partition(w->db, w->arena, &w->key, fresh);
    }
    if (st != ST_OK || w->new_only || !w->update) {
        return st;
    }
    w->changes->partitions_updated +=
        !crawler_same_storage(old->StorageDescriptor, fresh->StorageDescriptor);
    fresh->CreationTime = old->CreationTime;
    return catalog_set_partition(w->db, w->arena, &w->key, &fresh->Values, fresh);
}

static bool has_location(const struct crawl_table *found, struct str location)
{
    for (size_t i = 0; i < found->n_partitions; i++) {
        if (str_eq(found->partitions[i].location, location)) {
            return true;
        }
    }
    return false;
}

/* Partitions whose folders hold nothing any more. */
static enum status drop_partitions(struct writer *w, const struct crawl_table *found)
{
    struct glue_partition_list all;
    enum status st = catalog_partitions(w->db, w->arena, &w->key, CATALOG_ALL, NULL, &all);
    for (size_t i = 0; st == ST_OK && i < all.n; i++) {
        const struct glue_partition *p = &all.v[i];
        if (p->StorageDescriptor && has_location(found, p->StorageDescriptor->Location)) {
            continue;
        }
        if (w->remove) {
            st = catalog_delete_partition(w->db, w->arena, &w->key, &p->Values);
            w->changes->partitions_deleted++;
        } else {
            crawler_log(w->crawl, "INFO",
                        "Found partition of table %.*s with no matching schema at the partition's "
                        "S3 location %.*s",
                        STR_ARG(w->key.table),
                        STR_ARG(p->StorageDescriptor ? p->StorageDescriptor->Location : STR("")));
        }
    }
    return st;
}

static enum status write_partitions(struct writer *w, const struct glue_table *t,
                                    const struct crawl_table *found)
{
    enum status st = ST_OK;
    if (t->PartitionKeys.n != found->n_keys) {
        crawler_log(w->crawl, "WARN",
                    "Table %.*s has other partition keys than the folders that were found: its "
                    "partitions stay as they are",
                    STR_ARG(t->Name));
        return st;
    }
    for (size_t i = 0; st == ST_OK && i < found->n_partitions; i++) {
        st = write_partition(w, t, &found->partitions[i], found->n_keys);
    }
    if (st == ST_OK && found->n_keys && !w->new_only) {
        st = drop_partitions(w, found);
    }
    return st;
}

/* --- tables ----------------------------------------------------------------------------------- */
static enum status add_index(struct writer *w, const struct glue_table *t)
{
    if (!w->crawl->config.partition_index || t->PartitionKeys.n == 0) {
        return ST_OK;
    }
    struct glue_key_list keys = { 0, ARENA_ARRAY(w->arena, struct str, t->PartitionKeys.n) };
    for (size_t i = 0; i < t->PartitionKeys.n; i++) {
        keys.v[keys.n++] = t->PartitionKeys.v[i].Name;
    }
    enum status st =
        catalog_add_index(w->db, w->arena, &w->key, STR("crawler_partition_index"), &keys);
    return st == ST_EXISTS ? ST_OK : st;
}

static enum status create_table(struct writer *w, const struct crawl_table *found, struct str name)
{
    struct glue_table *t = crawler_table(w->arena, w->crawl, found, name);
    w->key.table = name;
    crawler_set_parameter(w->arena, &t->Parameters, "CRAWL_RUN_ID", w->crawl->id);
    enum status st = catalog_add_table(w->db, w->arena, &w->key.owner, t);
    if (st != ST_OK) {
        return st;
    }
    crawler_log(w->crawl, "INFO", "Created table %.*s in database %.*s", STR_ARG(name),
                STR_ARG(w->key.database));
    add_name(w, &w->changes->added, &w->changes->n_added, name);
    st = add_index(w, t);
    return st == ST_OK ? write_partitions(w, t, found) : st;
}

/* Changed as UPDATE_IN_DATABASE or MergeNewColumns ask. Statistics alone make no new version. */
static enum status change_table(struct writer *w, const struct crawl_table *found,
                                struct glue_table *old)
{
    struct glue_table *t = crawler_table(w->arena, w->crawl, found, old->Name);
    struct glue_storage_descriptor *sd = t->StorageDescriptor;
    struct glue_parameters_map plain = sd->Parameters;
    if (w->crawl->config.merge_new_columns && old->StorageDescriptor) {
        sd->Columns =
            crawler_merge_columns(w->arena, &old->StorageDescriptor->Columns, &sd->Columns);
    }
    bool changed = !crawler_same_storage(old->StorageDescriptor, sd) ||
                   !crawler_same_columns(&old->PartitionKeys, &t->PartitionKeys) ||
                   str_set(crawler_parameter(&old->Parameters, "DEPRECATED_BY_CRAWLER"));
    bool new_keys = old->PartitionKeys.n != t->PartitionKeys.n;
    t->Description = old->Description;
    t->Owner = old->Owner;
    t->Retention = old->Retention;
    t->CreateTime = old->CreateTime;
    t->CreatedBy = old->CreatedBy;
    t->Parameters = crawler_keep_parameters(w->arena, &old->Parameters, &plain);
    struct str run = crawler_parameter(&old->Parameters, "CRAWL_RUN_ID");
    run = changed || !str_set(run) ? w->crawl->id : run;
    crawler_set_parameter(w->arena, &t->Parameters, "CRAWL_RUN_ID", run);
    enum status st = catalog_set_table(w->db, w->arena, &w->key.owner, t, changed);
    if (st == ST_OK && changed) {
        crawler_log(w->crawl, "INFO", "Updated table %.*s in database %.*s", STR_ARG(t->Name),
                    STR_ARG(w->key.database));
        add_name(w, &w->changes->updated, &w->changes->n_updated, t->Name);
    }
    if (st == ST_OK && new_keys) {
        st = drop_partitions(w, &(struct crawl_table){ 0 });
    }
    return st == ST_OK ? write_partitions(w, t, found) : st;
}

static enum status update_table(struct writer *w, const struct crawl_table *found,
                                struct glue_table *old)
{
    w->key.table = old->Name;
    if (w->update && !w->new_only) {
        return change_table(w, found, old);
    }
    struct glue_storage_descriptor *sd = crawler_storage(
        w->arena, w->crawl->crawler->Name, &found->schema, &found->totals, found->location);
    if (!crawler_same_storage(old->StorageDescriptor, sd)) {
        crawler_log(w->crawl, "INFO",
                    "The schema of table %.*s in database %.*s has changed, but is not updated "
                    "because UpdateBehavior is LOG",
                    STR_ARG(old->Name), STR_ARG(w->key.database));
    }
    return write_partitions(w, old, found);
}

/* --- which table? ----------------------------------------------------------------------------- */
static struct str location_of(const struct glue_table *t)
{
    return t->StorageDescriptor ? t->StorageDescriptor->Location : STR_NONE;
}

/* With or without the slash at its end. */
static bool same_location(struct str x, struct str y)
{
    struct str a = str_ends(x, STR("/")) ? str_sub(x, 0, x.n - 1) : x;
    struct str b = str_ends(y, STR("/")) ? str_sub(y, 0, y.n - 1) : y;
    return str_eq(a, b);
}

static struct glue_table *find_old(struct writer *w, struct str location)
{
    for (size_t i = 0; i < w->old.n; i++) {
        if (!w->seen[i] && same_location(location_of(&w->old.v[i]), location)) {
            w->seen[i] = true;
            return &w->old.v[i];
        }
    }
    return NULL;
}

/* The folder's name, with a hash of the location behind it when another table has it. */
static enum status free_name(struct writer *w, const struct crawl_table *found, struct str *ret)
{
    struct catalog_key key = w->key;
    struct glue_table *other;
    key.table = crawler_table_name(w->arena, w->crawl->crawler->TablePrefix, found->base);
    *ret = key.table;
    enum status st = catalog_table(w->db, w->arena, &key, &other);
    if (st == ST_OK) {
        unsigned char md5[DIGEST_MAX];
        digest_bytes(DIGEST_MD5, found->location.p, found->location.n, md5);
        struct str hash = hex_encode(w->arena, md5, digest_size(DIGEST_MD5));
        *ret = arena_printf(w->arena, "%.*s_%.*s", STR_ARG(str_sub(*ret, 0, 222)), STR_ARG(hash));
    }
    return st == ST_NOT_FOUND ? ST_OK : st;
}

static enum status write_table(struct writer *w, const struct crawl_table *found)
{
    struct glue_table *old = find_old(w, found->location);
    struct str name;
    if (old) {
        return update_table(w, found, old);
    }
    enum status st = free_name(w, found, &name);
    return st == ST_OK ? create_table(w, found, name) : st;
}

/* --- tables whose data is gone ---------------------------------------------------------------- */
static bool below_targets(const struct writer *w, struct str location)
{
    for (size_t i = 0; i < w->crawl->n_targets; i++) {
        const struct crawl_target *t = &w->crawl->targets[i];
        struct str root = arena_printf(w->arena, "s3://%.*s/%.*s", STR_ARG(t->bucket),
                                       STR_ARG(str_set(t->object) ? t->object : t->prefix));
        if (str_starts(location, root)) {
            return true;
        }
    }
    return false;
}

static enum status drop_table(struct writer *w, struct glue_table *t)
{
    w->key.table = t->Name;
    if (w->remove) {
        crawler_log(w->crawl, "INFO",
                    "Deleted table %.*s in database %.*s because no matching "
                    "schema was found at the table's location.",
                    STR_ARG(t->Name), STR_ARG(w->key.database));
        add_name(w, &w->changes->deleted, &w->changes->n_deleted, t->Name);
        return catalog_delete_table(w->db, w->arena, &w->key);
    }
    if (!w->deprecate) {
        crawler_log(w->crawl, "INFO",
                    "No matching schema was found at the location of table %.*s; "
                    "it stays because DeleteBehavior is LOG.",
                    STR_ARG(t->Name));
        return ST_OK;
    }
    if (str_set(crawler_parameter(&t->Parameters, "DEPRECATED_BY_CRAWLER"))) {
        return ST_OK;
    }
    crawler_log(w->crawl, "INFO",
                "Table %.*s is marked deprecated because a matching schema was not found at the "
                "table's location.",
                STR_ARG(t->Name));
    crawler_set_parameter(w->arena, &t->Parameters, "DEPRECATED_BY_CRAWLER",
                          arena_i64(w->arena, clock_now_ms()));
    add_name(w, &w->changes->updated, &w->changes->n_updated, t->Name);
    return catalog_set_table(w->db, w->arena, &w->key.owner, t, true);
}

static enum status drop_tables(struct writer *w)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < w->old.n; i++) {
        struct glue_table *t = &w->old.v[i];
        bool own = str_eq(crawler_parameter(&t->Parameters, "UPDATED_BY_CRAWLER"),
                          w->crawl->crawler->Name);
        if (own && !w->seen[i] && below_targets(w, location_of(t))) {
            st = drop_table(w, t);
        }
    }
    return st;
}

/* --- all of it -------------------------------------------------------------------------------- */
/* A database that isn't there is made, as AWS's crawlers do. */
static enum status need_database(struct writer *w)
{
    enum status st = catalog_has_database(w->db, w->arena, &w->key.owner, w->key.database);
    if (st != ST_NOT_FOUND) {
        return st;
    }
    struct glue_database d = { .Name = w->key.database,
                               .CreateTime = OPT_TIME(clock_now_ms()),
                               .CatalogId = w->key.owner.account };
    crawler_log(w->crawl, "INFO", "Created database %.*s", STR_ARG(w->key.database));
    return catalog_add_database(w->db, w->arena, &w->key.owner, &d);
}

static void log_policies(struct crawl *crawl)
{
    const struct glue_schema_change_policy *p = crawl->crawler->SchemaChangePolicy;
    struct str policy =
        arena_printf(crawl->arena, "{\"UpdateBehavior\":\"%.*s\",\"DeleteBehavior\":\"%.*s\"}",
                     STR_ARG(p->UpdateBehavior), STR_ARG(p->DeleteBehavior));
    if (str_empty(crawl->crawler->Configuration)) {
        crawler_log(crawl, "INFO", "Crawler configured with SchemaChangePolicy %.*s.",
                    STR_ARG(policy));
    } else {
        crawler_log(
            crawl, "INFO",
            "Crawler configured with Configuration %.*s and SchemaChangePolicy %.*s. Note "
            "that values in the Configuration override values in the SchemaChangePolicy for "
            "S3 Targets.",
            STR_ARG(crawl->crawler->Configuration), STR_ARG(policy));
    }
}

enum status crawler_write(struct crawl *crawl, struct crawl_changes *ret, struct str *ret_why)
{
    const struct glue_schema_change_policy *p = crawl->crawler->SchemaChangePolicy;
    struct writer w = {
        .crawl = crawl,
        .arena = crawl->arena,
        .db = core_db(crawl->glue->core),
        .key = { crawl->owner, crawl->crawler->DatabaseName, STR_NONE },
        .update =
            str_eqz(p->UpdateBehavior, "UPDATE_IN_DATABASE") || crawl->config.merge_new_columns,
        .remove = str_eqz(p->DeleteBehavior, "DELETE_FROM_DATABASE"),
        .deprecate = str_eqz(p->DeleteBehavior, "DEPRECATE_IN_DATABASE"),
        .new_only =
            str_eqz(crawl->crawler->RecrawlPolicy->RecrawlBehavior, "CRAWL_NEW_FOLDERS_ONLY"),
        .changes = ret,
    };
    log_policies(crawl);
    if (crawl->config.table_threshold && (int64_t)crawl->tables.n > crawl->config.table_threshold) {
        *ret_why =
            arena_printf(crawl->arena,
                         "The number of tables detected by crawler: %zu is greater than the "
                         "table threshold value provided: %lld. No tables have been created.",
                         crawl->tables.n, (long long)crawl->config.table_threshold);
        return ST_INVALID;
    }
    enum status st = need_database(&w);
    st = st == ST_OK ? catalog_tables(w.db, w.arena, &w.key, CATALOG_ALL, NULL, &w.old) : st;
    w.seen = ARENA_ARRAY(w.arena, bool, w.old.n + 1);
    for (size_t i = 0; st == ST_OK && i < crawl->tables.n; i++) {
        st = write_table(&w, &crawl->tables.v[i]);
    }
    return st == ST_OK && !w.new_only ? drop_tables(&w) : st;
}
