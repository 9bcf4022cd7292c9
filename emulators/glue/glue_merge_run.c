/* A cistern-merge run: table after table, each planned, merged and published. Runs of one data set
 * take turns, oldest first. A table that fails doesn't keep the others from being merged; the run
 * fails in the end. */
#include "emulators/glue/glue_merge_work.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/store/blob.h"

#define LOG_TEXT_MAX (1u << 20) /* of one table's lines */

static void go_on(struct merge_work *w);

/* --- the end ---------------------------------------------------------------------------------- */
static struct str summary(const struct merge_work *w)
{
    if (w->n_failed == 0 || w->n_tables <= 1) {
        return w->error;
    }
    return arena_printf(w->run->arena, "%zu of %zu tables failed; the first: %.*s", w->n_failed,
                        w->n_tables, STR_ARG(w->error));
}

static void finish(struct merge_work *w)
{
    struct glue_active *a = w->run;
    struct str error = summary(w);
    buf_fini(&w->log);
    a->work = NULL;
    a->run->StateDetail = STR_NONE;
    glue_runner_finish(a, error);
}

/* The oldest run that waits for this data set may begin. */
static void pass_turn(struct glue_state *g, struct str location)
{
    LIST_FOREACH(l, &g->active)
    {
        struct glue_active *next = CONTAINER_OF(l, struct glue_active, link);
        struct merge_work *waiting = next->kind == GLUE_KIND_MERGE ? next->work : NULL;
        if (waiting && waiting->turn == MERGE_TURN_WAITS &&
            str_eq(waiting->tables[waiting->at].location, location)) {
            go_on(waiting);
            return;
        }
    }
}

static void fail(struct merge_work *w, struct str error)
{
    glue_log(w->run, GLUE_ERROR, "%.*s", STR_ARG(error));
    w->error = w->n_failed++ ? w->error : error;
}

/* The table at hand is done with; `error` absent: well. */
static void leave_table(struct merge_work *w, struct str error)
{
    struct str location = w->tables[w->at].location;
    merge_plan_close(&w->plan);
    merge_result_fini(&w->result);
    w->turn = MERGE_TURN_NONE;
    w->at++;
    if (str_set(error)) {
        fail(w, error);
    }
    pass_turn(w->run->glue, location);
}

static void merge_done(void *arg)
{
    struct merge_work *w = arg;
    struct glue_active *a = w->run;
    struct str error = STR_NONE;
    enum status st = w->status;
    merge_report_stop(w);
    if (st != ST_OK) {
        error = w->result.error[0]
                    ? arena_strz(a->arena, w->result.error)
                    : arena_printf(a->arena, "The merge failed (%s).", status_name(st));
        leave_table(w, error);
        go_on(w);
        return;
    }
    st = merge_work_publish(w, &error);
    if (st == ST_OK) {
        merge_report_counters(w);
    } else if (!str_set(error)) {
        error = arena_printf(a->arena, "The result could not be published (%s): %s",
                             status_name(st), db_error(core_db(a->glue->core)));
    }
    leave_table(w, error);
    go_on(w);
}

/* --- the beginning ---------------------------------------------------------------------------- */
static void run_merge(void *arg)
{
    struct merge_work *w = arg;
    w->status = merge_run(&w->job, &w->result);
}

/* Sets the worker to the table at hand; false: it is done with already. */
static bool start(struct merge_work *w)
{
    struct glue_active *a = w->run;
    struct str error = STR_NONE;
    w->turn = MERGE_TURN_HAS;
    w->plan.table = w->tables[w->at];
    w->plan.spec = w->args.spec;
    enum status st = merge_plan_fill(a, &w->plan, &error);
    if (st != ST_OK) {
        struct str unknown =
            arena_printf(a->arena, "The run could not be planned (%s).", status_name(st));
        leave_table(w, str_set(error) ? error : unknown);
        return false;
    }
    if (w->plan.n_files == 0 && !w->plan.empty) {
        glue_log(a, GLUE_OUTPUT, "Nothing to do: %.*s is merged up to %s file already.",
                 STR_ARG(w->plan.table.source),
                 str_set(w->plan.table.called_for) ? "this" : "its last");
        leave_table(w, STR_NONE);
        return false;
    }
    w->job = (struct merge_job){ .sink = merge_work_sink(w) };
    merge_plan_inputs(&w->plan, &w->job);
    struct merge_spec *spec = &w->job.spec;
    spec->tmp_dir = blobs_tmp_dir(w->blobs);
    spec->cancel = &w->cancel;
    spec->progress = merge_report_progress;
    spec->log = merge_report_line;
    spec->callback_ctx = w;
    merge_report_start(w);
    work_start(core_loop(a->glue->core), run_merge, merge_done, w);
    return true;
}

static bool must_wait(struct merge_work *w)
{
    struct glue_active *a = w->run;
    LIST_FOREACH(l, &a->glue->active)
    {
        struct glue_active *other = CONTAINER_OF(l, struct glue_active, link);
        struct merge_work *working = other->kind == GLUE_KIND_MERGE ? other->work : NULL;
        if (working && working != w && working->turn == MERGE_TURN_HAS &&
            str_eq(working->tables[working->at].location, w->tables[w->at].location)) {
            glue_log(a, GLUE_OUTPUT, "Waiting for run %.*s of the same data set.",
                     STR_ARG(other->run->Id));
            return true;
        }
    }
    return false;
}

/* Table after table, until one keeps the worker busy or has to wait. */
static void go_on(struct merge_work *w)
{
    while (w->at < w->n_tables && w->run->stop == GLUE_STOP_NONE) {
        if (must_wait(w)) {
            w->turn = MERGE_TURN_WAITS;
            return;
        }
        if (start(w)) {
            return;
        }
    }
    if (w->at < w->n_tables) {
        fail(w, arena_printf(w->run->arena, "Stopped before %.*s was merged.",
                             STR_ARG(w->tables[w->at].source)));
    }
    finish(w);
}

static void stop_work(struct glue_active *a)
{
    struct merge_work *w = a->work;
    atomic_store(&w->cancel, true);
    if (w->turn == MERGE_TURN_WAITS) {
        go_on(w); /* which ends it */
    }
}

void glue_merge_begin(struct glue_active *a)
{
    struct str error = STR_NONE;
    struct merge_work *w = ARENA_NEW(a->arena, struct merge_work);
    w->run = a;
    w->blobs = core_blobs(a->glue->core);
    buf_init(&w->log, LOG_TEXT_MAX);
    atomic_init(&w->cancel, false);
    a->work = w;
    a->stop_work = stop_work;
    enum status st = merge_args_read(a, &w->args, &error);
    st = st == ST_OK ? merge_tables(a, &w->args, &w->tables, &w->n_tables, &error) : st;
    if (st != ST_OK) {
        struct str unknown =
            arena_printf(a->arena, "The run could not be planned (%s).", status_name(st));
        w->n_tables = 0;
        fail(w, str_set(error) ? error : unknown);
    }
    go_on(w);
}
