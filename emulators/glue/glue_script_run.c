/* pythonshell, glueetl and cistern-executable: the user's program in a process of its own, its
 * output in the logs, its exit status the run's end.
 *
 * begin: what is needed is looked up → a worker lays the run's folder → the process runs → its end
 * is the run's. A stop that comes before the process is there is seen when the folder is. */
#include <signal.h>

#include "emulators/glue/glue_script.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/loop/proc.h"
#include "server/store/tree.h"

#define KILL_AFTER_MS 3000 /* a stopped script may clean up that long */
#define LINE_MAX_BYTES (64 << 10)

struct script_work {
    struct glue_active *run;
    struct glue_script script;
    struct core *core;
    enum status laid;
    char error[SCRIPT_ERROR_MAX]; /* why it could not be laid */
    struct proc *proc;
    struct timer *killer;
    bool viewing;         /* s3_view_open succeeded */
    struct buf line[2];   /* unfinished line of stdout and stderr */
    struct buf last_line; /* of stderr */
};

/* --- output ----------------------------------------------------------------------------------- */
/* "… INFO Utils: Successfully started service 'SparkUI' on port 40123." */
static void note_ui(struct script_work *w, struct str line)
{
    static const struct str words = STR_INIT("Successfully started service 'SparkUI' on port ");
    struct glue_active *a = w->run;
    ptrdiff_t at = str_find_str(line, words);
    uint64_t port;
    struct str rest = at < 0 ? STR_NONE : str_sub(line, (size_t)at + words.n, line.n);
    if (rest.n < 2 || str_u64(str_sub(rest, 0, rest.n - 1), &port) != ST_OK) {
        return;
    }
    a->run->StateDetail =
        arena_printf(a->arena, "Spark UI: http://127.0.0.1:%llu", (unsigned long long)port);
    glue_log(a, GLUE_ERROR, "Cistern: %.*s while the run lasts", STR_ARG(a->run->StateDetail));
    status_ignore(glue_store_update_run(core_db(w->core), a->arena, a->run)); /* logged */
}

static void end_line(struct script_work *w, int which, bool carriage_return)
{
    struct glue_active *a = w->run;
    struct str line = buf_str(&w->line[which]);
    bool progress = which && str_set(a->live_group) && str_starts(line, STR("[Stage "));
    if (progress) {
        glue_log(a, GLUE_PROGRESS, "%.*s", STR_ARG(line));
    } else if (!carriage_return || str_trim(line).n) { /* a progress bar wipes itself with blanks */
        glue_log(a, which ? GLUE_ERROR : GLUE_OUTPUT, "%.*s", STR_ARG(line));
    }
    if (which && !progress && str_trim(line).n) {
        buf_clear(&w->last_line);
        buf_str_add(&w->last_line, str_sub(line, 0, SCRIPT_ERROR_MAX));
        if (a->kind == GLUE_KIND_ETL) {
            note_ui(w, line);
        }
    }
    buf_clear(&w->line[which]);
}

static void on_output(void *arg, int stream, struct str bytes)
{
    struct script_work *w = arg;
    int which = stream - 1;
    for (size_t i = 0; i < bytes.n; i++) {
        char c = bytes.p[i];
        bool again = c == '\r' && which && str_set(w->run->live_group);
        if (c == '\n' || again || w->line[which].n >= LINE_MAX_BYTES) {
            end_line(w, which, again);
        }
        if (c != '\n' && !again) {
            buf_putc(&w->line[which], c);
        }
    }
}

/* --- the end ---------------------------------------------------------------------------------- */
static void finish(struct script_work *w, struct str error)
{
    struct glue_active *a = w->run;
    timer_free(w->killer);
    for (int i = 0; i < 2; i++) {
        buf_fini(&w->line[i]);
    }
    buf_fini(&w->last_line);
    if (w->viewing) {
        s3_view_close(w->core, w->script.session.access_key);
    }
    if (w->script.dir) {
        tree_remove_later(core_loop(w->core), w->script.dir);
    }
    a->work = NULL;
    a->stop_work = NULL;
    glue_runner_finish(a, error);
}

/* Glue's words come from runscript.py; a program that isn't Python has its last words. */
static struct str error_of(struct script_work *w, const struct proc_result *r)
{
    struct arena *a = w->run->arena;
    if (w->run->stop == GLUE_STOP_SERVER) {
        return STR("The server was stopped during the run; start the run again.");
    }
    if (r->start_errno) {
        return arena_printf(a, "%s could not be started: %s. %s", w->script.argv[0],
                            strerror(r->start_errno),
                            w->run->kind == GLUE_KIND_EXECUTABLE
                                ? "It must be an executable of this machine, or begin with #!."
                                : "Set --python (CISTERN_PYTHON) to a Python 3 interpreter.");
    }
    if (r->exited && r->code == 0) {
        return STR_NONE;
    }
    struct str error = glue_script_error(a, &w->script);
    if (str_set(error)) {
        return error;
    }
    if (!r->exited) {
        return arena_printf(a, "The script was ended by signal %d (%s).", r->signal,
                            strsignal(r->signal));
    }
    if (w->run->kind == GLUE_KIND_EXECUTABLE && w->last_line.n) {
        return arena_str(a, buf_str(&w->last_line));
    }
    return arena_printf(a, "The script ended with exit status %d.", r->code);
}

static void on_exit_(void *arg, const struct proc_result *result)
{
    struct script_work *w = arg;
    for (int i = 0; i < 2; i++) {
        if (w->line[i].n) {
            end_line(w, i, false);
        }
    }
    w->proc = NULL;
    glue_metrics_from(w->run, arena_printf(w->run->arena, "%s/metrics", w->script.glue).p);
    finish(w, error_of(w, result));
}

/* --- the beginning ---------------------------------------------------------------------------- */
static void kill_it(void *arg)
{
    struct script_work *w = arg;
    proc_kill(w->proc, SIGKILL);
}

static void stop_work(struct glue_active *a)
{
    struct script_work *w = a->work;
    if (!w->proc) {
        return; /* laid() looks */
    }
    if (a->stop == GLUE_STOP_SERVER) {
        proc_kill(w->proc, SIGKILL);
        return;
    }
    proc_kill(w->proc, SIGTERM);
    timer_start(w->killer, KILL_AFTER_MS, 0);
}

static void lay(void *arg)
{
    struct script_work *w = arg;
    w->laid = glue_script_lay(w->core, &w->script, w->error);
}

static void laid(void *arg)
{
    struct script_work *w = arg;
    struct glue_active *a = w->run;
    if (w->laid != ST_OK || a->stop != GLUE_STOP_NONE) {
        struct str error = w->laid != ST_OK ? arena_strz(a->arena, w->error)
                                            : STR("The run was ended before its script began.");
        glue_log(a, GLUE_ERROR, "%.*s", STR_ARG(error));
        finish(w, error);
        return;
    }
    const struct proc_options options = {
        .argv = w->script.argv,
        .env = w->script.env,
        .cwd = w->script.dir,
        .kill_group = true,
        .on_output = on_output,
        .on_exit = on_exit_,
        .arg = w,
    };
    w->proc = proc_start(core_loop(w->core), &options);
}

/* The run reads what it has itself replaced or deleted: said once, and loudly. */
static void on_old_read(void *arg, struct str bucket, struct str key)
{
    struct script_work *w = arg;
    glue_log(w->run, GLUE_ERROR,
             "CISTERN WARNING: this job reads s3://%.*s/%.*s after it has itself overwritten or "
             "deleted that object. Here it still sees the old rows (--glue-self-overwrite=merge); "
             "on AWS they would have been LOST: Spark deletes the old output before a lazy read "
             "of it runs. Write to a temporary prefix first, or see AWS's result with the job "
             "argument --self_overwrite aws.",
             STR_ARG(bucket), STR_ARG(key));
}

static void open_view(struct script_work *w)
{
    const struct s3_view view = { w->script.session.access_key, on_old_read, w };
    if (w->run->kind == GLUE_KIND_ETL && w->script.overwrite == GLUE_OVERWRITE_MERGE) {
        enum status st = s3_view_open(w->core, &view);
        w->viewing = st == ST_OK;
        if (!w->viewing) {
            glue_log(w->run, GLUE_ERROR,
                     "Cistern: what this run overwrites isn't kept readable for it (%s).",
                     status_name(st));
        }
    }
}

void glue_script_begin(struct glue_active *a)
{
    struct str error = STR_NONE;
    struct script_work *w = ARENA_NEW(a->arena, struct script_work);
    w->run = a;
    w->core = a->glue->core;
    for (int i = 0; i < 2; i++) {
        buf_init(&w->line[i], LINE_MAX_BYTES + 16);
    }
    buf_init(&w->last_line, LINE_MAX_BYTES + 16);
    a->work = w;
    if (glue_script_plan(a, &w->script, &error) != ST_OK) {
        glue_log(a, GLUE_ERROR, "%.*s", STR_ARG(error));
        finish(w, error);
        return;
    }
    open_view(w);
    w->killer = timer_new(core_loop(w->core), kill_it, w);
    a->stop_work = stop_work;
    work_start(core_loop(w->core), lay, laid, w);
}
