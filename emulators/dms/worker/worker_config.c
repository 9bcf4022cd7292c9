/* A worker from the rows of its task and endpoints. */
#include <sys/eventfd.h>
#include <unistd.h>

#include "emulators/dms/control/certificate.h"
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/endpoint/mysql_settings.h"
#include "emulators/dms/task/settings_check.h"
#include "emulators/dms/worker/control_tables.h"
#include "emulators/dms/worker/errors.h"
#include "emulators/dms/worker/worker_impl.h"
#include "server/base/log.h"
#include "server/core.h"

#define CONNECT_MS 10000
#define READ_MS 120000 /* of one answer of the source; a snapshot may wait for locks */
#define STREAM_READ_MS 30000

static struct str first_of(struct str a, struct str b)
{
    return str_set(a) ? a : b;
}

enum status dms_source_options(struct arena *a, const struct dms_resource *endpoint,
                               struct mysql_conn_options *ret, struct str *ret_error)
{
    const struct dms_endpoint *e;
    if (dms_doc_read(&dms_endpoints, a, endpoint, &e) != ST_OK) {
        return dms_refuse(a, ret_error, "The stored endpoint can't be read.");
    }
    static const struct dms_mysql_settings none;
    const struct dms_mysql_settings *m = e->MySQLSettings ? e->MySQLSettings : &none;
    struct opt_i64 port = e->Port.set ? e->Port : m->Port;
    *ret = (struct mysql_conn_options){
        .host = arena_cstr(a, first_of(e->ServerName, m->ServerName)),
        .port = port.set ? (unsigned)port.v : 3306,
        .user = arena_cstr(a, first_of(e->Username, m->Username)),
        .password = arena_cstr(a, endpoint->secret),
        .connect_ms = CONNECT_MS,
        .read_ms = READ_MS,
        .write_ms = READ_MS,
        .program_name = "dms",
    };
    if (str_eqz(e->SslMode, "require")) {
        ret->tls = MYSQL_TLS_REQUIRE;
    } else if (str_eqz(e->SslMode, "verify-ca")) {
        ret->tls = MYSQL_TLS_VERIFY_CA;
    } else if (str_eqz(e->SslMode, "verify-full")) {
        ret->tls = MYSQL_TLS_VERIFY;
    }
    if (!str_empty(m->AfterConnectScript)) {
        ret->script = arena_cstr(a, m->AfterConnectScript);
    }
    if (m->ExecuteTimeout.set && m->ExecuteTimeout.v > 0 && m->ExecuteTimeout.v < 86400) {
        ret->read_ms = (unsigned)m->ExecuteTimeout.v * 1000;
    }
    return ST_OK;
}

static enum status read_target(struct dms_worker *w, const struct dms_resource *endpoint,
                               struct arena *a, struct str *ret_error)
{
    const struct dms_endpoint *e;
    if (dms_doc_read(&dms_endpoints, a, endpoint, &e) != ST_OK) {
        return dms_refuse(a, ret_error, "The stored target endpoint can't be read.");
    }
    if (!e->S3Settings) {
        return dms_refuse(a, ret_error, "The target endpoint has no S3 settings.");
    }
    struct str why;
    if (dms_s3_read(w->arena, e->S3Settings, &w->s3, NULL, &why) != ST_OK) {
        return dms_refuse(a, ret_error, "%.*s", STR_ARG(why));
    }
    return ST_OK;
}

static void set_task(struct dms_worker *w, const struct dms_task_row *t)
{
    w->task = t->id;
    w->arn = arena_str(w->arena, t->arn);
    w->ident = arena_str(w->arena, t->ident);
    w->loads = !str_eqz(t->type, "cdc");
    w->captures = !str_eqz(t->type, "full-load");
    w->server_id = (uint32_t)t->server_id;
    w->cdc_start = arena_str(w->arena, t->cdc_start);
    w->cdc_start_ms = t->cdc_start_ms;
    w->start_ms = t->start_ms;
    w->stored = t->checkpoint;
    w->at = t->checkpoint;
}

static enum status read_task(struct dms_worker *w, const struct dms_task_row *t, struct arena *a,
                             struct str *ret_error)
{
    struct str why;
    if (dms_mapping_parse(w->arena, t->mappings, &w->mapping, &why) != ST_OK) {
        return dms_refuse(a, ret_error, "%.*s", STR_ARG(why));
    }
    w->wants_sequence = w->mapping.wants_sequence;
    if (dms_settings_read(w->arena, t->settings, &w->settings) != ST_OK) {
        return dms_refuse(a, ret_error, "The stored task settings can't be read.");
    }
    w->idle_settings = dms_settings_idle(w->arena, t->settings, w->captures);
    if (!str_empty(t->cdc_stop) &&
        dms_stop_parse(t->cdc_stop, &w->stop_kind, &w->stop_at_ms) != ST_OK) {
        return dms_refuse(a, ret_error, "The stored CdcStopPosition can't be read.");
    }
    return ST_OK;
}

static void set_log(struct dms_worker *w, const struct dms_task_row *t, struct str instance)
{
    w->log_owner =
        (struct logs_owner){ arena_str(w->arena, t->account), arena_str(w->arena, t->region) };
    dms_log_names(w->arena, t, instance, &w->log_group, &w->log_stream);
    w->instance = arena_str(w->arena, instance);
    w->resource_id = dms_arn_id(w->arn);
    w->measured.ms = clock_mono_ms();
    atomic_store(&w->log_levels, w->settings.log_levels);
}

/* What the source's settings say about rows. */
static enum status read_source(struct dms_worker *w, const struct dms_resource *endpoint,
                               struct arena *a, struct str *ret_error)
{
    const struct dms_endpoint *e;
    if (dms_doc_read(&dms_endpoints, a, endpoint, &e) != ST_OK) {
        return dms_refuse(a, ret_error, "The stored source endpoint can't be read.");
    }
    struct dms_source source;
    struct str why;
    if (dms_mysql_read(w->arena, e, &source, &why) != ST_OK) {
        return dms_refuse(a, ret_error, "The source endpoint: %.*s", STR_ARG(why));
    }
    w->s3.csv.zone = source.zone;
    w->clean_metadata = source.clean_metadata;
    w->partition_ddl = source.partition_ddl;
    w->ignore_xa = source.ignore_xa;
    return ST_OK;
}

static enum status set_connections(struct dms_worker *w, const struct dms_resource *source,
                                   struct arena *a, struct str *ret_error)
{
    struct mysql_conn_options options;
    enum status st = dms_source_options(a, source, &options, ret_error);
    if (st == ST_OK) {
        st = dms_certificate_use(w->core, a, source, &options, ret_error);
    }
    if (st != ST_OK) {
        return st;
    }
    w->ctl = mysql_conn_new(&options);
    for (size_t i = 0; i < dms_load_subtasks(w); i++) {
        w->load[i] = mysql_conn_new(&options);
        w->guard[i] = mysql_conn_new(&options);
        w->segment[i] = w->mapping.wants_segments ? mysql_conn_new(&options) : NULL;
    }
    options.read_ms = STREAM_READ_MS;
    w->stream = mysql_conn_new(&options);
    return ST_OK;
}

static enum status fill(struct dms_worker *w, const struct dms_task_row *t, struct arena *a,
                        struct str *ret_error)
{
    struct db *db = core_db(w->core);
    struct dms_resource source, target, instance = { .ident = t->ident };
    enum status st = dms_store_resource_get(db, a, DMS_KIND_ENDPOINT, t->source_arn, &source);
    if (st == ST_OK) {
        st = dms_store_resource_get(db, a, DMS_KIND_ENDPOINT, t->target_arn, &target);
    }
    if (st == ST_OK && !str_empty(t->instance_arn)) { /* a serverless replication has none */
        st = dms_store_resource_get(db, a, DMS_KIND_INSTANCE, t->instance_arn, &instance);
    }
    if (st != ST_OK) {
        return dms_refuse(a, ret_error,
                          "An endpoint or the replication instance of the task is gone.");
    }
    set_task(w, t);
    st = read_task(w, t, a, ret_error);
    if (st == ST_OK) {
        st = read_target(w, &target, a, ret_error);
    }
    if (st == ST_OK) {
        st = read_source(w, &source, a, ret_error);
    }
    if (st == ST_OK) {
        st = set_connections(w, &source, a, ret_error);
    }
    if (st == ST_OK) {
        set_log(w, t, instance.ident);
        w->interval_ms = clock_scaled_ms(w->s3.interval_s * 1000);
        w->control = dms_control_new(w);
        dms_out_init(&w->shared.out, &dms_format_csv, core_blobs(w->core), w->s3.gzip, w->spool);
    }
    return st;
}

enum status dms_worker_new(struct dms *dms, const struct dms_task_row *t, struct dms_worker **ret,
                           struct str *ret_error, struct arena *a)
{
    struct dms_worker *w = xcalloc(1, sizeof(*w));
    w->dms = dms;
    w->core = dms->core;
    w->arena = arena_new(DMS_WORKER_ARENA_MAX);
    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&w->tables_lock, NULL);
    map_init(&w->by_name);
    w->xa = mysql_xa_new(blobs_tmp_dir(core_blobs(w->core)));
    map_init(&w->error_counts);
    w->spool = dms_spool_new();
    enum status st = w->wake_fd < 0 ? dms_refuse(a, ret_error, "No file descriptors are left.")
                                    : fill(w, t, a, ret_error);
    if (st != ST_OK) {
        dms_worker_free(w);
        return st;
    }
    *ret = w;
    return ST_OK;
}

void dms_worker_free(struct dms_worker *w)
{
    dms_tables_free(w);
    dms_spool_free(w->spool); /* files wait for it until they are discarded */
    map_fini(&w->by_name);
    mysql_xa_free(w->xa);
    dms_errors_free(w);
    dms_control_free(w->control);
    mysql_conn_free(w->ctl);
    mysql_conn_free(w->stream);
    for (size_t i = 0; i < DMS_LOADERS_MAX; i++) {
        mysql_conn_free(w->load[i]);
        mysql_conn_free(w->guard[i]);
        mysql_conn_free(w->segment[i]);
    }
    if (w->wake_fd >= 0) {
        close(w->wake_fd);
    }
    for (struct dms_watch *watch = w->watches; watch;) {
        struct dms_watch *next = watch->next;
        free(watch);
        watch = next;
    }
    pthread_mutex_destroy(&w->tables_lock);
    arena_free(w->shown_arena);
    arena_free(w->arena);
    free(w);
}
