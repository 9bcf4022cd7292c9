/* Child processes. Started by a helper thread (the loop never blocks on it) without copying our
 * memory, in a process group of their own, reaped by the loop. The kernel kills a child when this
 * process dies, however it dies. All callbacks on the loop thread. */
#ifndef CISTERN_LOOP_PROC_H
#define CISTERN_LOOP_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/base/str.h"

struct loop;
struct proc;
struct proc_result;

struct proc_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH of `env` */
    const char *const *env;  /* NULL-terminated "K=V"; the whole environment */
    const char *cwd;         /* NULL: ours */
    uid_t uid; /* whom it runs as, without further groups; 0: as we do. Only root can give this */
    gid_t gid;
    struct str input;    /* written to stdin, then closed; copied. Absent: /dev/null */
    bool capture_stdout; /* else both streams go to on_output as they come */
    size_t stdout_max;   /* limit of the captured bytes; beyond it the rest is dropped and noted */
    bool kill_group;     /* when the process ends, what is left of its group is killed */
    /* Output as it comes; stream 1 or 2. With capture_stdout only stream 2 arrives here. */
    void (*on_output)(void *arg, int stream, struct str bytes);
    /* Exactly once, after both streams ended and the process was reaped, or it could not be
     * started (then pid is 0 and start_errno says why). */
    void (*on_exit)(void *arg, const struct proc_result *result);
    void *arg;
};

struct proc_result {
    pid_t pid;
    int start_errno; /* 0, or why it could not be started */
    bool exited;     /* true: `code`, false: `signal` */
    int code, signal;
    struct str output; /* captured stdout, borrowed for the callback */
    bool output_cut;
    int64_t max_rss_kb; /* upper bound: Linux counts what its starter had in when that was more */
    int64_t wall_us, cpu_us;
};

/* Never fails synchronously: on_exit tells. All of options is copied. The handle is valid until
 * on_exit returns. A stream that a grandchild keeps open after the process ended is closed after
 * PROC_GRACE_MS without output, PROC_GRACE_MAX_MS at the latest. Streams nobody asked for (no
 * capture, no on_output) are /dev/null. */
#define PROC_GRACE_MS 200
#define PROC_GRACE_MAX_MS 5000
struct proc *proc_start(struct loop *loop, const struct proc_options *options);
/* Signal to the whole group; a no-op once the process has been reaped. While it is not yet started
 * the signal is kept for it. */
void proc_kill(struct proc *p, int signum);
pid_t proc_pid(const struct proc *p); /* 0 while not yet started */
/* Takes in now what its streams hold at this moment (on_output is called): for a child that also
 * speaks by another way, so that what it printed before comes before. Never calls on_exit. */
void proc_drain(struct proc *p);
/* To the groups of all: the end, when asking did not help. */
void proc_kill_all(struct loop *loop, int signum);
/* Processes started and not yet ended. */
int proc_count(const struct loop *loop);

#endif
