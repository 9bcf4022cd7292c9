#include "emulators/dms/worker/task_run.h"

#include "emulators/dms/worker/control_tables.h"
#include "server/core.h"

#define CHECK_ARENA_MAX (4u << 20)

enum status dms_ctl(struct dms_worker *w, dms_ctl_fn fn, void *arg, struct mysql_err *err)
{
    for (int attempt = 0;; attempt++) {
        *err = (struct mysql_err){ 0 };
        bool fresh = !w->ctl_open;
        if (!w->ctl_open) {
            enum status st = mysql_conn_connect(w->ctl, err);
            if (st != ST_OK) {
                return st;
            }
            w->ctl_open = true;
        }
        enum status st = fn(w->ctl, arg, err);
        if (st == ST_OK || err->kind != MYSQL_ERR_LOST) {
            return st;
        }
        w->ctl_open = false; /* an idle session may have been ended by the server: once more */
        if (fresh || attempt > 0) {
            return st;
        }
    }
}

/* --- the source ------------------------------------------------------------------------------- */

static enum status check_settings(struct mysql_conn *c, void *arg, struct mysql_err *err)
{
    struct dms_worker *w = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new(CHECK_ARENA_MAX);
    struct mysql_source source;
    struct mysql_checks checks = { 0 };
    enum status st = mysql_schema_source(c, a, &source, err);
    if (st != ST_OK) {
        return st;
    }
    mysql_schema_check_cdc(&source, a, &checks);
    for (size_t i = 0; i < checks.n; i++) {
        if (checks.items[i].fatal) {
            err->kind = MYSQL_ERR_CONFIG;
            snprintf(err->text, sizeof(err->text), "%.*s", STR_ARG(checks.items[i].text));
            return ST_CONFLICT;
        }
        dms_line(w, "SOURCE_CAPTURE", 'W', "%.*s", STR_ARG(checks.items[i].text));
    }
    return ST_OK;
}

/* Both what change capture needs, and that somebody answers at all. */
static enum status reach_source(struct dms_worker *w, struct mysql_err *err)
{
    if (!w->captures) {
        w->ctl_open = false;
        enum status st = mysql_conn_connect(w->ctl, err);
        w->ctl_open = st == ST_OK;
        return st;
    }
    enum status st = dms_ctl(w, check_settings, w, err);
    if (st != ST_OK) {
        return st;
    }
    st = mysql_conn_connect(w->stream, err);
    if (st == ST_OK) {
        st = mysql_schema_check_replication(w->stream, w->server_id, err);
    }
    return st;
}

static enum status note_up(struct core *core, void *arg)
{
    struct dms_worker *w = arg;
    (void)core;
    dms_task_is_up(w->dms, w->task);
    return ST_OK;
}

static enum status tell_up(struct dms_worker *w, struct mysql_err *err)
{
    if (w->was_up) {
        return ST_OK;
    }
    enum status st = core_sync(w->core, note_up, w);
    if (st != ST_OK) {
        err->kind = MYSQL_ERR_LOST;
        snprintf(err->text, sizeof(err->text), "The task's state can't be stored.");
        return st;
    }
    w->was_up = true;
    dms_line(w, "TASK_MANAGER", 'I', "Task '%.*s' running %s", STR_ARG(w->ident),
             !w->captures ? "full load only"
             : w->loads   ? "full load and CDC"
                          : "CDC only");
    if (w->settings.full_lob_mode) {
        dms_line(w, "TASK_MANAGER", 'W',
                 "Full LOB mode is not supported for S3 targets: limited LOB mode is used, values "
                 "longer than %lld KB are truncated.",
                 (long long)w->settings.lob_max_kb);
    }
    if (str_set(w->idle_settings)) {
        dms_line(w, "TASK_MANAGER", 'W',
                 "These task settings differ from their defaults and have no effect here (MySQL to "
                 "Amazon S3, %s): %.*s",
                 w->captures ? "with change capture" : "full load only", STR_ARG(w->idle_settings));
    }
    return ST_OK;
}

/* --- tables ----------------------------------------------------------------------------------- */

static enum status know_tables(struct dms_worker *w, struct mysql_err *err)
{
    if (!w->tables_known || w->reload) {
        enum status st = dms_tables_load(w);
        if (st != ST_OK) {
            err->kind = MYSQL_ERR_LOST;
            snprintf(err->text, sizeof(err->text), "The task's stored state can't be read.");
            return st;
        }
        w->tables_known = true;
        w->reload = false;
    }
    enum status st = w->remap ? dms_tables_remap(w, err) : ST_OK;
    bool settled = w->tables_n > 0 && !w->loads;
    if (st != ST_OK || w->stored.file[0] || settled) {
        return st; /* from now on tables come by CREATE TABLE only */
    }
    st = dms_tables_discover(w, err);
    return st == ST_OK ? dms_tables_some(w, w->tables_n, err) : st;
}

/* --- where capture begins --------------------------------------------------------------------- */

static enum status find_end(struct mysql_conn *c, void *arg, struct mysql_err *err)
{
    return mysql_position_end(c, arg, err);
}

static enum status find_oldest(struct mysql_conn *c, void *arg, struct mysql_err *err)
{
    return mysql_position_oldest(c, arg, err);
}

struct describe_all {
    struct dms_worker *w;
    struct mysql_position from; /* changes from there on are the tables' */
};

static enum status describe_tables(struct mysql_conn *c, void *arg, struct mysql_err *err)
{
    struct describe_all *d = arg;
    for (size_t i = 0; i < d->w->tables_n; i++) {
        struct dms_table *t = d->w->tables[i];
        if (t->state != DMS_TABLE_BEFORE) {
            continue;
        }
        enum status st = dms_table_describe(d->w, c, t, false, err);
        if (st == ST_NOT_FOUND) {
            t->state = DMS_TABLE_MISSING;
            continue;
        }
        if (st != ST_OK && err->kind == MYSQL_ERR_UNSUPPORTED) {
            st = dms_table_fail(d->w, t, err->text);
            *err = (struct mysql_err){ 0 };
            if (st == ST_OK) {
                continue;
            }
        }
        if (st != ST_OK) {
            return st;
        }
        t->state = DMS_TABLE_DONE;
        t->seen = d->from;
        t->seen_skip = 0;
    }
    return ST_OK;
}

static bool anything_to_load(const struct dms_worker *w)
{
    for (size_t i = 0; i < w->tables_n; i++) {
        if (w->tables[i]->state == DMS_TABLE_BEFORE && !w->tables[i]->reloading) {
            return true;
        }
    }
    return false;
}

/* CDC without a load: from the asked place, or from now on; tables that were selected later come in
 * where the others are. */
static enum status begin_cdc_only(struct dms_worker *w, struct mysql_err *err)
{
    struct describe_all d = { .w = w };
    int64_t start_ms = w->cdc_start_ms > 0 ? w->cdc_start_ms : -1;
    if (!str_empty(w->cdc_start) && dms_start_parse(w->cdc_start, &d.from, &start_ms) != ST_OK) {
        err->kind = MYSQL_ERR_FATAL;
        snprintf(err->text, sizeof(err->text), "The CdcStartPosition can't be read.");
        return ST_INVALID;
    }
    w->not_before_us = start_ms >= 0 ? start_ms * 1000 : 0;
    if (w->stored.file[0] && !anything_to_load(w)) {
        return ST_OK;
    }
    d.from = w->stored.file[0] ? w->stored : d.from;
    enum status st = ST_OK;
    bool asked = d.from.file[0] || start_ms >= 0;
    if (!d.from.file[0]) {
        st = asked ? dms_ctl(w, find_oldest, &d.from, err) : dms_xa_wait(w, &w->at, &d.from, err);
    }
    if (st == ST_OK) {
        st = dms_ctl(w, describe_tables, &d, err);
    }
    if (st != ST_OK) {
        return st;
    }
    w->at = asked ? d.from : w->at;
    st = dms_commit(
        w,
        &(struct dms_commit){ .tables = w->tables, .tables_n = w->tables_n, .checkpoint = &w->at },
        err);
    w->stored = w->at;
    return st;
}

/* After a load: the earliest snapshot. */
static enum status begin_after_load(struct dms_worker *w, struct mysql_err *err)
{
    if (w->stored.file[0]) {
        return ST_OK;
    }
    struct mysql_position at = { 0 };
    for (size_t i = 0; i < w->tables_n; i++) {
        const struct dms_table *t = w->tables[i];
        bool captured = t->state == DMS_TABLE_DONE || t->state == DMS_TABLE_MISSING;
        if (captured && t->seen.file[0] && (!at.file[0] || mysql_position_cmp(&t->seen, &at) < 0)) {
            at = t->seen;
        }
    }
    enum status st = at.file[0] ? ST_OK : dms_ctl(w, find_end, &at, err);
    if (w->xa_start.file[0] && mysql_position_cmp(&w->xa_start, &at) < 0) {
        at = w->xa_start;
    }
    if (st == ST_OK) {
        st = dms_commit(w, &(struct dms_commit){ .checkpoint = &at }, err);
    }
    w->at = w->stored = at;
    return st;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Loads what is missing; sets w->finished when the task ends there. */
static enum status load_phase(struct dms_worker *w, struct mysql_err *err)
{
    bool loads_now = anything_to_load(w);
    w->reload = true; /* until it is through */
    enum status st =
        w->captures && loads_now && !w->stored.file[0] ? dms_xa_before_load(w, err) : ST_OK;
    st = st == ST_OK ? dms_full_load(w, err) : st;
    while (st == ST_OK && !w->captures && dms_reload_due(w)) { /* ReloadTables meanwhile */
        st = dms_tables_load(w);
        st = st == ST_OK ? dms_full_load(w, err) : st;
    }
    if (st != ST_OK) {
        return st;
    }
    w->reload = false;
    if (!w->captures) {
        w->finished = "FULL_LOAD_ONLY_FINISHED";
        return ST_OK;
    }
    st = begin_after_load(w, err);
    if (st != ST_OK || !loads_now) {
        return st;
    }
    if (w->settings.stop_before_cached) {
        w->finished = "STOPPED_AFTER_FULL_LOAD";
    } else if (w->settings.stop_after_cached) {
        st = dms_ctl(w, find_end, &w->cached_goal, err);
        w->has_cached_goal = st == ST_OK;
    }
    return st;
}

enum status dms_task_run(struct dms_worker *w, struct mysql_err *err)
{
    *err = (struct mysql_err){ 0 };
    enum status st = reach_source(w, err);
    if (st == ST_OK) {
        st = know_tables(w, err);
    }
    if (st == ST_OK && !w->loads) {
        st = begin_cdc_only(w, err);
    }
    if (st == ST_OK) {
        st = tell_up(w, err);
    }
    if (st == ST_OK && w->loads && anything_to_load(w)) {
        st = dms_control_turn(w->control, DMS_PHASE_LOAD, err);
    }
    if (st == ST_OK && w->loads) {
        st = load_phase(w, err);
    }
    if (st == ST_OK && !w->finished) {
        st = dms_control_turn(w->control, DMS_PHASE_CHANGES, err);
    }
    if (st == ST_OK && !w->finished) {
        st = dms_capture(w, err);
    }
    return w->finished ? ST_OK : st;
}
