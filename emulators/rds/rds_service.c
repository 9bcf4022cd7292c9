/* RDS: instances are real database servers of this machine, in the data folder. */
#include <dirent.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/service.h"
#include "server/store/tree.h"

#define RETENTION_EVERY_MS 300000
#define EXPORT_EVERY_MS 5000

extern const struct service rds_service;

static enum status init(struct core *core, void **ret_state)
{
    struct rds *r = xcalloc(1, sizeof(*r));
    r->core = core;
    r->arena = arena_new(RDS_ARENA_MAX);
    r->engines[0].name = "mariadb";
    r->engines[1].name = "mysql";
    list_init(&r->servers);
    list_init(&r->waiting);
    *ret_state = r;
    return ST_OK;
}

/* --- what a stop or a crash left
 * ------------------------------------------------------------------
 */
static void recover_one(struct rds *r, const struct rds_instance *i)
{
    struct str state = i->doc->DBInstanceStatus;
    if (str_eqz(state, "deleting")) {
        rds_server_end(r, i->id, RDS_THEN_DELETE);
    } else if (!str_set(i->attached) && !str_eqz(state, "stopped")) {
        rds_server_launch(r, i);
    }
}

/* What the rows said was true of the process before this one. */
static enum status correct_states(struct rds *r, struct arena *a, struct rds_instances *all)
{
    enum status st = ST_OK;
    for (size_t k = 0; st == ST_OK && k < all->n; k++) {
        struct rds_instance *i = &all->v[k];
        struct str state = i->doc->DBInstanceStatus;
        if (str_set(i->attached) || str_eqz(state, "stopped") || str_eqz(state, "deleting") ||
            str_eqz(state, "creating")) {
            continue;
        }
        st = rds_set_status(r, a, i, str_eqz(state, "stopping") ? "stopped" : "starting");
    }
    return st;
}

/* Copies that were under way are no copies. An instance that was to be deleted after one stays. */
static void recover_snapshots(struct rds *r, struct arena *a)
{
    struct db *db = core_db(r->core);
    struct rds_snapshots all;
    struct rds_instance i;
    enum status st = rds_store_snapshots(db, a, NULL, &all);
    for (size_t k = 0; st == ST_OK && k < all.n; k++) {
        struct rds_snapshot *s = &all.v[k];
        if (!str_eqz(s->doc->Status, "creating")) {
            continue;
        }
        s->doc->Status = STR("failed");
        st = rds_store_update_snapshot(db, a, s);
        if (st == ST_OK && rds_store_by_id(db, a, s->doc->DbiResourceId, &i) == ST_OK &&
            str_eqz(i.doc->DBInstanceStatus, "deleting")) {
            st = rds_set_status(r, a, &i, "starting");
        }
    }
}

static void recover(struct rds *r)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    struct rds_instances all;
    recover_snapshots(r, a);
    if (rds_store_list(core_db(r->core), a, NULL, &all) == ST_OK) {
        for (size_t i = 0; i < all.n; i++) {
            recover_one(r, &all.v[i]);
        }
    }
}

/* Folders of instances that were deleted just before a crash. */
static void sweep(struct rds *r)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    const char *root = arena_printf(a, "%s/rds", core_config(r->core)->data_dir).p;
    struct dirent *e;
    DIR *d = opendir(root);
    while (d && (e = readdir(d)) != NULL) {
        struct rds_instance i;
        struct str name = str_z(e->d_name);
        bool side = str_starts(name, STR("template-")) && str_find_str(name, STR(".new")) >= 0;
        bool orphan = str_starts(name, STR("db-")) &&
                      rds_store_by_id(core_db(r->core), a, name, &i) == ST_NOT_FOUND;
        if (side || orphan) {
            status_ignore(tree_remove(arena_printf(a, "%s/%s", root, e->d_name).p)); /* logged */
        }
    }
    if (d) {
        closedir(d);
    }
}

static void export_logs(void *arg)
{
    rds_export_all(arg);
}

static void keep_binlogs(void *arg)
{
    rds_server_keep_binlogs(arg);
}

static enum status start(void *state)
{
    struct rds *r = state;
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    struct rds_instances all;
    int64_t every = clock_scaled_ms(RETENTION_EVERY_MS);
    sweep(r);
    r->retention = timer_new(core_loop(r->core), keep_binlogs, r);
    timer_start(r->retention, every, every);
    r->exports = timer_new(core_loop(r->core), export_logs, r);
    every = clock_scaled_ms(EXPORT_EVERY_MS);
    timer_start(r->exports, every, every);
    enum status st = rds_store_list(core_db(r->core), a, NULL, &all);
    st = st == ST_OK ? correct_states(r, a, &all) : st;
    if (st == ST_OK && all.n) {
        rds_when_engines_known(r, recover);
    }
    return st;
}

static void stop(void *state)
{
    struct rds *r = state;
    timer_free(r->retention);
    r->retention = NULL;
    timer_free(r->exports);
    r->exports = NULL;
    rds_server_end_all(r);
}

static void fini(void *state)
{
    struct rds *r = state;
    rds_engines_fini(r);
    free(r);
}

static void reset(void *state)
{
    struct rds *r = state;
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    /* logged: */
    status_ignore(tree_remove(arena_printf(a, "%s/rds", core_config(r->core)->data_dir).p));
}

static void busy(void *state, struct busy *busy)
{
    rds_server_busy(state, busy);
}

const struct service rds_service = {
    .name = "rds",
    .signing_name = RDS_SIGNING_NAME,
    .target_prefix = RDS_TARGET_PREFIX,
    .api_version = RDS_API_VERSION,
    .xmlns = RDS_XMLNS,
    .protocols = RDS_PROTOCOLS,
    .ops = rds_ops,
    .n_ops = RDS_N_OPS,
    .schema_sql = rds_schema_sql,
    .errors = rds_errors,
    .init = init,
    .start = start,
    .stop = stop,
    .fini = fini,
    .busy = busy,
    .reset = reset,
};
