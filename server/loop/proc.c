/* A child's life on the loop thread: started (a post from the helper) → streams flow → reaped by
 * SIGCHLD → streams ended → on_exit, freed. The last two may come in either order. */
#include "server/loop/proc.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/loop/proc_impl.h"

/* --- end -------------------------------------------------------------------------------------- */

static void pipe_close(struct proc_pipe *s)
{
    watch_free(s->watch);
    s->watch = NULL;
    close_fd(&s->fd);
    s->fd = -1;
}

static void free_strings(char **list)
{
    for (char **z = list; z && *z; z++) {
        free(*z);
    }
    free(list);
}

static void proc_free(struct proc *p)
{
    for (int i = 0; i < 3; i++) {
        pipe_close(&p->streams[i]);
    }
    list_remove(&p->link);
    timer_free(p->grace);
    free_strings(p->argv);
    free_strings(p->env);
    free(p->cwd);
    free(p->input);
    buf_fini(&p->captured);
    free(p);
}

/* Is it over? Then tells, and p is gone. */
static void end_if_over(struct proc *p)
{
    bool failed = p->result.start_errno != 0;
    if (!failed && (!p->reaped || p->streams[1].fd >= 0 || p->streams[2].fd >= 0)) {
        return;
    }
    pipe_close(&p->streams[0]);
    if (p->on_exit) {
        p->result.output = p->captured.n ? buf_str(&p->captured) : STR("");
        p->on_exit(p->arg, &p->result);
    }
    proc_free(p);
}

/* --- streams ---------------------------------------------------------------------------------- */

static void take_output(struct proc *p, int stream, struct str bytes)
{
    if (stream == 1 && p->capture_stdout) {
        size_t room = p->captured.max - p->captured.n;
        buf_add(&p->captured, bytes.p, bytes.n < room ? bytes.n : room);
        p->result.output_cut = p->result.output_cut || bytes.n > room;
    } else if (p->on_output) {
        p->on_output(p->arg, stream, bytes);
    }
    if (p->grace) { /* ended, but somebody still talks */
        int64_t left = p->grace_ends_ms - clock_mono_ms();
        timer_start(p->grace, left < PROC_GRACE_MS ? left : PROC_GRACE_MS, 0);
    }
}

static void on_readable(void *arg, int events)
{
    struct proc_pipe *s = arg;
    struct proc *p = s->p;
    (void)events;
    CLEANUP(free_ptr) char *bytes = xmalloc(PROC_READ_BYTES);
    for (int i = 0; i < PROC_READ_ROUNDS; i++) {
        ssize_t n = read(s->fd, bytes, PROC_READ_BYTES);
        if (n > 0) {
            take_output(p, (int)(s - p->streams), (struct str){ bytes, (size_t)n });
        } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            pipe_close(s);
            end_if_over(p);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

static void on_writable(void *arg, int events)
{
    struct proc_pipe *s = arg;
    struct proc *p = s->p;
    (void)events;
    while (p->input_done < p->input_n) {
        ssize_t n = write(s->fd, p->input + p->input_done, p->input_n - p->input_done);
        if (n >= 0) {
            p->input_done += (size_t)n;
        } else if (errno == EAGAIN) {
            watch_start(s->watch, WATCH_WRITE);
            return;
        } else if (errno != EINTR) {
            break; /* it doesn't read its input: its business */
        }
    }
    pipe_close(s);
    free(TAKE(p->input));
}

static void open_streams(struct proc *p)
{
    for (int i = 0; i < 3; i++) {
        struct proc_pipe *s = &p->streams[i];
        if (s->fd < 0) {
            continue;
        }
        s->watch = watch_new(p->loop, s->fd, i == 0 ? on_writable : on_readable, s);
        if (!s->watch) {
            pipe_close(s);
        } else if (i > 0) {
            watch_start(s->watch, WATCH_READ);
        }
    }
    if (p->streams[0].fd >= 0) {
        on_writable(&p->streams[0], WATCH_WRITE);
    }
}

/* --- reaping ---------------------------------------------------------------------------------- */

static int64_t timeval_us(struct timeval tv)
{
    return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

static void grace_over(void *arg)
{
    struct proc *p = arg;
    pipe_close(&p->streams[1]);
    pipe_close(&p->streams[2]);
    end_if_over(p);
}

/* May the child be reaped? While it has ended and is not yet reaped, its number can't be another
 * group's: the moment to kill what is left of its own. */
static bool group_is_done(const struct proc *p)
{
    siginfo_t info = { .si_pid = 0 };
    if (!p->kill_group || waitid(P_PID, (id_t)p->result.pid, &info, WEXITED | WNOHANG | WNOWAIT)) {
        return true;
    }
    if (info.si_pid == p->result.pid) {
        kill(-p->result.pid, SIGKILL);
    }
    return info.si_pid == p->result.pid;
}

/* Asks for the child's end; p may be gone afterwards. */
static void try_reap(struct proc *p)
{
    int how;
    struct rusage usage;
    if (p->reaped || !p->started || !group_is_done(p)) {
        return;
    }
    pid_t pid = wait4(p->result.pid, &how, WNOHANG, &usage);
    if (pid == 0 || (pid < 0 && errno == EINTR)) {
        return;
    }
    p->reaped = true;
    p->result.wall_us = clock_mono_us() - p->started_us;
    if (pid > 0) {
        p->result.exited = WIFEXITED(how);
        p->result.code = WIFEXITED(how) ? WEXITSTATUS(how) : 0;
        p->result.signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
        p->result.max_rss_kb = usage.ru_maxrss;
        p->result.cpu_us = timeval_us(usage.ru_utime) + timeval_us(usage.ru_stime);
    } else {
        log_error("proc", "lost track of process %d: %s", (int)p->result.pid, strerror(errno));
        p->result.signal = SIGKILL;
    }
    if (p->streams[1].fd >= 0 || p->streams[2].fd >= 0) {
        p->grace_ends_ms = clock_mono_ms() + PROC_GRACE_MAX_MS;
        p->grace = timer_new(p->loop, grace_over, p);
        timer_start(p->grace, PROC_GRACE_MS, 0);
    }
    end_if_over(p);
}

static void on_child(void *arg, int signum)
{
    struct loop *loop = arg;
    (void)signum;
    /* A callback may start or end others, but never frees another process than its own. */
    LIST_FOREACH(item, &loop->procs)
    {
        try_reap(CONTAINER_OF(item, struct proc, link));
    }
}

/* --- start ------------------------------------------------------------------------------------ */

static void run_spawn(void *arg)
{
    proc_spawn(arg);
}

static void spawned(void *arg)
{
    struct proc *p = arg;
    if (p->result.start_errno == 0) {
        p->started = true;
        if (p->pending_signal) {
            kill(-p->result.pid, p->pending_signal);
        }
        open_streams(p);
        try_reap(p); /* it may have ended before it was known here */
    } else {
        end_if_over(p);
    }
}

static char **copy_strings(const char *const *list)
{
    size_t n = 0;
    while (list && list[n]) {
        n++;
    }
    char **copy = xcalloc(n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++) {
        copy[i] = xstrdup(list[i]);
    }
    return copy;
}

struct proc *proc_start(struct loop *loop, const struct proc_options *options)
{
    if (!loop->reaping) {
        loop->reaping = loop_on_signal(loop, SIGCHLD, on_child, loop) == ST_OK;
    }
    struct proc *p = xcalloc(1, sizeof(*p));
    p->loop = loop;
    p->argv = copy_strings(options->argv);
    p->env = copy_strings(options->env);
    p->cwd = options->cwd ? xstrdup(options->cwd) : NULL;
    p->uid = options->uid;
    p->gid = options->gid;
    p->capture_stdout = options->capture_stdout;
    p->kill_group = options->kill_group;
    p->want_stdin = str_set(options->input);
    p->want_stdout = options->capture_stdout || options->on_output;
    p->want_stderr = options->on_output != NULL;
    p->on_output = options->on_output;
    p->on_exit = options->on_exit;
    p->arg = options->arg;
    if (options->input.n > 0) {
        p->input = xmalloc(options->input.n);
        memcpy(p->input, options->input.p, options->input.n);
        p->input_n = options->input.n;
    }
    buf_init(&p->captured, options->stdout_max);
    for (int i = 0; i < 3; i++) {
        p->streams[i] = (struct proc_pipe){ .p = p, .fd = -1 };
    }
    list_append(&loop->procs, &p->link);
    pool_start(&loop->spawner, run_spawn, spawned, p);
    return p;
}

/* --- for the owner ---------------------------------------------------------------------------- */

void proc_kill(struct proc *p, int signum)
{
    if (p->reaped) {
        return;
    }
    if (p->started) {
        kill(-p->result.pid, signum);
    } else if (p->pending_signal != SIGKILL) {
        p->pending_signal = signum;
    }
}

void proc_drain(struct proc *p)
{
    CLEANUP(free_ptr) char *bytes = xmalloc(PROC_READ_BYTES);
    for (int i = 1; i <= 2; i++) {
        ssize_t n = 1;
        for (int round = 0;
             p->started && p->streams[i].fd >= 0 && n > 0 && round < PROC_READ_ROUNDS; round++) {
            n = read(p->streams[i].fd, bytes, PROC_READ_BYTES);
            if (n > 0) {
                take_output(p, i, (struct str){ bytes, (size_t)n });
            } /* the end, or a failure, is seen again by the watch */
        }
    }
}

pid_t proc_pid(const struct proc *p)
{
    return p->started ? p->result.pid : 0;
}

void proc_kill_all(struct loop *loop, int signum)
{
    LIST_FOREACH(item, &loop->procs)
    {
        proc_kill(CONTAINER_OF(item, struct proc, link), signum);
    }
}

int proc_count(const struct loop *loop)
{
    int n = 0;
    LIST_FOREACH(item, &loop->procs)
    {
        n++;
    }
    return n;
}

void procs_fini(struct loop *loop)
{
    LIST_FOREACH(item, &loop->procs)
    {
        proc_free(CONTAINER_OF(item, struct proc, link));
    }
}
