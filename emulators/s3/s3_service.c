/* S3's descriptor and life. */
#include "emulators/s3/s3_service.h"

#include <errno.h>
#include <sys/stat.h>

#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_known.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_view.h"
#include "emulators/s3/s3_write.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"

#define STOP_TIMEOUT_MS 60000

struct folder {
    struct s3 *s3;
    struct str bucket;
};

static void make_folder_now(struct s3 *s3, struct str bucket)
{
    CLEANUP(free_ptr)
    char *path = xasprintf("%s/%.*s", blobs_root_dir(core_blobs(s3->core)), STR_ARG(bucket));
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        log_error("s3", "cannot make the bucket's folder %s: %s", path, strerror(errno));
    }
}

static void after_commit(void *arg, bool committed)
{
    const struct folder *f = arg;
    if (committed) {
        make_folder_now(f->s3, f->bucket);
    }
}

enum status s3_make_folder(struct s3 *s3, struct str bucket)
{
    struct arena *a = core_pass_arena(s3->core);
    struct folder *f = ARENA_NEW(a, struct folder);
    *f = (struct folder){ s3, arena_str(a, bucket) };
    core_after_commit(s3->core, after_commit, f);
    return ST_OK;
}

static enum status s3_init(struct core *core, void **ret_state)
{
    struct s3 *s3 = xcalloc(1, sizeof(*s3));
    s3->core = core;
    s3_views_init(s3);
    enum status st = s3_store_sequence(core_db(core), &s3->seq_last);
    if (st == ST_OK) {
        st = s3_store_drop_all_kept(core_db(core)); /* their files go by their intents */
    }
    if (st != ST_OK) {
        free(s3);
        return st;
    }
    blobs_on_moved(core_blobs(core), s3_moved, s3);
    s3_buckets_changed();
    *ret_state = s3;
    return ST_OK;
}

static enum status s3_start(void *state)
{
    struct s3 *s3 = state;
    CLEANUP(arena_freep) struct arena *a = arena_new(CALL_ARENA_MAX);
    struct s3_bucket_filter all = { .limit = SIZE_MAX };
    struct s3_bucket_row *rows = NULL;
    size_t n = 0;
    enum status st = s3_store_buckets(core_db(s3->core), a, &all, &rows, &n);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        make_folder_now(s3, rows[i].name);
    }
    return st;
}

static bool no_copies(void *arg)
{
    const struct s3 *s3 = arg;
    return s3->copying == 0;
}

static void s3_stop(void *state)
{
    struct s3 *s3 = state;
    s3_views_close_all(s3);
    if (!core_wait(s3->core, no_copies, s3, STOP_TIMEOUT_MS)) {
        log_warn("s3", "%ld copies are still under way at the end", s3->copying);
    }
}

static void forget_recent(struct s3 *s3)
{
    for (size_t i = 0; i < S3_RECENT_MAX; i++) {
        free(s3->recent[i].key);
        s3->recent[i] = (struct s3_recent){ 0, NULL, 0 };
    }
}

static void s3_reset(void *state)
{
    s3_stop(state);
    s3_views_fini(state);
    forget_recent(state);
    s3_buckets_changed();
}

static void s3_fini(void *state)
{
    s3_views_fini(state);
    forget_recent(state);
    free(state);
}

static void s3_busy(void *state, struct busy *busy)
{
    const struct s3 *s3 = state;
    if (s3->copying > 0) {
        busy_add(busy, "s3", "%ld object copies under way", s3->copying);
    }
}

extern const struct service s3_service;
const struct service s3_service = {
    .name = "s3",
    .signing_name = S3_SIGNING_NAME,
    .target_prefix = S3_TARGET_PREFIX,
    .api_version = S3_API_VERSION,
    .xmlns = S3_XMLNS,
    .protocols = S3_PROTOCOLS,
    .ops = s3_ops,
    .n_ops = S3_N_OPS,
    .schema_sql = s3_schema_sql,
    .errors = s3_errors,
    .init = s3_init,
    .start = s3_start,
    .stop = s3_stop,
    .fini = s3_fini,
    .busy = s3_busy,
    .reset = s3_reset,
    .route = s3_route,
    .prepare = s3_prepare,
};
