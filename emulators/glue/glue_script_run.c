/* pythonshell and glueetl: the user's script in a process of its own, its output in the logs, its
 * exit status the run's end. */
#include <signal.h>

#include "emulators/glue/glue_script.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/loop/proc.h"

#define KILL_AFTER_MS 3000 /* a stopped script may clean up that long */
#define LINE_MAX_BYTES (64 << 10)
#define ERROR_LINE_MAX 2000

struct script_work {
    struct glue_active *run;
    struct glue_script script;
    struct proc *proc;
    struct timer *killer;
    struct buf line[2];    /* unfinished line of stdout and stderr */
    struct buf last_error; /* last line of stderr that isn't indented: Python's exception */
};

/* --- output ------------------------------------------------------------------------------------
 */
static void end_line(struct script_work *w, int which)
{
    struct str line = buf_str(&w->line[which]);
    glue_log(w->run, which ? GLUE_ERROR : GLUE_OUTPUT, "%.*s", STR_ARG(line));
    if (which && line.n && line.p[0] != ' ' && line.p[0] != '\t') {
        buf_clear(&w->last_error);
        buf_str_add(&w->last_error, str_sub(line, 0, ERROR_LINE_MAX));
    }
    buf_clear(&w->line[which]);
}

static void on_output(void *arg, int stream, struct str bytes)
{
    struct script_work *w = arg;
    int which = stream - 1;
    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] == '\n' || w->line[which].n >= LINE_MAX_BYTES) {
            end_line(w, which);
        }
        if (bytes.p[i] != '\n') {
            buf_putc(&w->line[which], bytes.p[i]);
        }
    }
}

/* --- the end -----------------------------------------------------------------------------------
 */
static void finish(struct script_work *w, struct str error)
{
    struct glue_active *a = w->run;
    timer_free(w->killer);
    for (int i = 0; i < 2; i++) {
        buf_fini(&w->line[i]);
    }
    buf_fini(&w->last_error);
    glue_script_clean(&w->script);
    a->work = NULL;
    glue_runner_finish(a, error);
}

/* AWS: the last line of the traceback; for an exit without one, "SystemExit: 3". */
static struct str error_of(struct script_work *w, const struct proc_result *r)
{
    struct arena *a = w->run->arena;
    if (w->run->stop == GLUE_STOP_SERVER) {
        return STR("The server was stopped during the run; start the run again.");
    }
    if (r->start_errno) {
        return arena_printf(
            a,
            "%s could not be started: %s. Set --python (CISTERN_PYTHON) to a Python "
            "3 interpreter.",
            w->script.argv[0], strerror(r->start_errno));
    }
    if (r->exited && r->code == 0) {
        return STR_NONE;
    }
    if (w->last_error.n) {
        return arena_str(a, buf_str(&w->last_error));
    }
    return r->exited ? arena_printf(a, "SystemExit: %d", r->code)
                     : arena_printf(a, "The script was ended by signal %d (%s).", r->signal,
                                    strsignal(r->signal));
}

static void on_exit_(void *arg, const struct proc_result *result)
{
    struct script_work *w = arg;
    for (int i = 0; i < 2; i++) {
        if (w->line[i].n) {
            end_line(w, i);
        }
    }
    w->proc = NULL;
    finish(w, error_of(w, result));
}

/* --- the beginning -------------------------------------------------------------------------------
 */
static void kill_it(void *arg)
{
    struct script_work *w = arg;
    proc_kill(w->proc, SIGKILL);
}

static void stop_work(struct glue_active *a)
{
    struct script_work *w = a->work;
    if (a->stop == GLUE_STOP_SERVER) {
        proc_kill(w->proc, SIGKILL);
        return;
    }
    proc_kill(w->proc, SIGTERM);
    timer_start(w->killer, KILL_AFTER_MS, 0);
}

void glue_script_begin(struct glue_active *a)
{
    struct str error = STR_NONE;
    struct script_work *w = ARENA_NEW(a->arena, struct script_work);
    w->run = a;
    for (int i = 0; i < 2; i++) {
        buf_init(&w->line[i], LINE_MAX_BYTES + 16);
    }
    buf_init(&w->last_error, LINE_MAX_BYTES + 16);
    a->work = w;
    if (glue_script_prepare(a, &w->script, &error) != ST_OK) {
        glue_log(a, GLUE_ERROR, "%.*s", STR_ARG(error));
        finish(w, error);
        return;
    }
    w->killer = timer_new(core_loop(a->glue->core), kill_it, w);
    a->stop_work = stop_work;
    const struct proc_options options = {
        .argv = w->script.argv,
        .env = w->script.env,
        .cwd = w->script.dir,
        .on_output = on_output,
        .on_exit = on_exit_,
        .arg = w,
    };
    w->proc = proc_start(core_loop(a->glue->core), &options);
}
