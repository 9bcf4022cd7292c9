/* Inside of proc: proc.c (life, on the loop thread) and proc_spawn.c (starting, helper thread). */
#ifndef CISTERN_LOOP_PROC_IMPL_H
#define CISTERN_LOOP_PROC_IMPL_H

#include "server/base/buf.h"
#include "server/base/list.h"
#include "server/loop/loop_impl.h"
#include "server/loop/proc.h"

/* What one look at a pipe may read before others get their turn. */
#define PROC_READ_BYTES (64u << 10)
#define PROC_READ_ROUNDS 8

/* One of our ends of the child's three streams. */
struct proc_pipe {
    struct proc *p;
    struct watch *watch;
    int fd; /* -1: closed, or never there */
};

struct proc {
    struct loop *loop;
    struct link link; /* in loop->procs */
    char **argv, **env;
    char *cwd;
    uid_t uid;
    gid_t gid;
    bool capture_stdout, want_stdout, want_stderr, want_stdin, kill_group;
    void (*on_output)(void *arg, int stream, struct str bytes);
    void (*on_exit)(void *arg, const struct proc_result *result);
    void *arg;

    struct proc_pipe streams[3];
    char *input;
    size_t input_n, input_done;
    struct buf captured;
    struct timer *grace;
    int64_t grace_ends_ms;

    bool started; /* the fields that the helper thread wrote may be read */
    bool reaped;
    int pending_signal;
    int64_t started_us;
    struct proc_result result;
};

/* Helper thread: makes pipes, looks up the program, starts it. Sets result.pid, streams[].fd or
 * result.start_errno. */
void proc_spawn(struct proc *p);
/* The same, with everything found: `fds` become the child's 0, 1 and 2 (-1: /dev/null). Sets
 * result.pid; 0 or errno. */
int proc_child_start(struct proc *p, const char *path, const int fds[3]);

#endif
