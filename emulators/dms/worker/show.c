/* What a worker tells the core thread by the way: counts, what it is doing, lines of its log. */
#include "emulators/dms/task/settings_log.h"
#include "emulators/dms/worker/worker_impl.h"
#include "emulators/facade/logs.h"
#include "server/base/log.h"
#include "server/core.h"

struct shown {
    struct dms *dms;
    int64_t task;
    struct arena *arena;
    struct dms_table_row *rows;
    size_t n;
    struct str what;
    int64_t oldest_ms;
};

static void take_shown(struct core *core, void *arg)
{
    (void)core;
    struct shown *s = arg;
    struct dms_worker *w = dms_worker_find(s->dms, s->task);
    if (!w) {
        arena_free(s->arena);
        return;
    }
    struct arena *old = w->shown_arena;
    w->shown_arena = s->arena;
    w->shown = s->rows;
    w->shown_n = s->n;
    w->shown_what = s->what;
    w->shown_oldest_ms = s->oldest_ms;
    arena_free(old);
}

void dms_show(struct dms_worker *w, bool force, const char *fmt, ...)
{
    int64_t now = clock_mono_ms();
    if (!force && now - w->last_stats_ms < DMS_STATS_MS) {
        return;
    }
    w->last_stats_ms = now;
    struct arena *a = arena_new(DMS_WORKER_ARENA_MAX);
    struct shown *s = ARENA_NEW(a, struct shown);
    *s = (struct shown){ .dms = w->dms, .task = w->task, .arena = a, .n = w->tables_n };
    s->rows = ARENA_ARRAY(a, struct dms_table_row, w->tables_n + 1);
    pthread_mutex_lock(&w->tables_lock);
    for (size_t i = 0; i < w->tables_n; i++) {
        const struct dms_table *t = w->tables[i];
        s->rows[i] = (struct dms_table_row){ .schema = arena_str(a, t->schema),
                                             .name = arena_str(a, t->name),
                                             .state = dms_table_state_name(t->state),
                                             .message = arena_str(a, t->message),
                                             .counts = t->counts };
        s->rows[i].counts.load_rows = atomic_load_explicit(&t->load_rows, memory_order_relaxed);
        int64_t oldest_ms = dms_table_oldest_ms(w, t);
        if (oldest_ms && (s->oldest_ms == 0 || oldest_ms < s->oldest_ms)) {
            s->oldest_ms = oldest_ms;
        }
    }
    pthread_mutex_unlock(&w->tables_lock);
    va_list ap;
    va_start(ap, fmt);
    s->what = arena_vprintf(a, fmt, ap);
    va_end(ap);
    core_post(w->core, take_shown, s);
}

struct line {
    int64_t time_ms;
    struct logs_owner owner;
    struct str group, stream, text;
    struct arena *arena;
};

static void write_line(struct core *core, void *arg)
{
    struct line *l = arg;
    /* A log that can't be written must not stop the task; logs has told why. */
    status_ignore(logs_write(core, &l->owner, l->group, l->stream, l->time_ms, l->text));
    arena_free(l->arena);
}

void dms_line(struct dms_worker *w, const char *component, char level, const char *fmt, ...)
{
    struct arena *a = arena_new(1u << 20);
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(a, fmt, ap);
    va_end(ap);
    log_write(level == 'E' ? LOG_WARN : LOG_DEBUG, "dms", "task %.*s: %.*s", STR_ARG(w->ident),
              STR_ARG(text));
    if (!w->settings.logging || !dms_settings_logs(atomic_load(&w->log_levels), component, level)) {
        arena_free(a);
        return;
    }
    struct line *l = ARENA_NEW(a, struct line);
    *l = (struct line){ .time_ms = clock_now_ms(),
                        .owner = { arena_str(a, w->log_owner.account),
                                   arena_str(a, w->log_owner.region) },
                        .group = arena_str(a, w->log_group),
                        .stream = arena_str(a, w->log_stream),
                        .arena = a };
    struct str time = clock_format(a, l->time_ms, "%Y-%m-%dT%H:%M:%S");
    l->text =
        arena_printf(a, "%.*s [%-16s]%c:  %.*s", STR_ARG(time), component, level, STR_ARG(text));
    core_post(w->core, write_line, l);
}
