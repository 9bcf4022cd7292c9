/* The step from us to the child: as posix_spawn does it (the child borrows our memory until it
 * replaces its image, so nothing is copied), with one thing that posix_spawn lacks: the kernel
 * kills the child when this process dies, however it dies. The signal is bound to the thread that
 * starts the child; the helper thread lives as long as the loop.
 *
 * In child_main() nothing may be called but plain system calls: it runs in our memory. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "server/loop/proc_impl.h"

/* TSan takes clone() for a fork and forbids threads afterwards; libc's own name is not watched. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define CISTERN_TSAN_CLONE
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(CISTERN_TSAN_CLONE)
int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#endif

#define STACK_BYTES (64u << 10)
/* Of the kernel's signal sets and of its struct sigaction (at most), which are not libc's. */
#define KERNEL_SIGSET_BYTES 8
#define KERNEL_SIGACTION_WORDS 8
/* The sanitizers keep books of memory and signals that the child must not write into. */
#define BORROWED __attribute__((no_sanitize("address", "undefined", "thread"), noinline))

struct child {
    const char *path, *cwd;
    uid_t uid;
    gid_t gid;
    char *const *argv, *const *env;
    int fds[3]; /* become 0, 1, 2; -1: /dev/null */
    pid_t parent;
    int error; /* the child's answer */
};

/* Ignored and blocked signals would stay so in the new program. */
BORROWED static void reset_signals(void)
{
    unsigned long standard[KERNEL_SIGACTION_WORDS] = { 0 };
    unsigned long none[2] = { 0 };
    for (int i = 1; i <= 64; i++) {
        (void)syscall(SYS_rt_sigaction, i, standard, NULL, KERNEL_SIGSET_BYTES);
    }
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, KERNEL_SIGSET_BYTES);
}

/* Above the three that are replaced one after the other. */
BORROWED static int out_of_the_way(int *fd)
{
    if (*fd >= 0 && *fd < 3) {
        *fd = (int)syscall(SYS_fcntl, *fd, F_DUPFD_CLOEXEC, 3);
        return *fd < 0 ? -1 : 0;
    }
    return 0;
}

BORROWED static int place_stream(int fd, int as)
{
    if (fd >= 0) {
        return syscall(SYS_dup3, fd, as, 0) < 0 ? -1 : 0;
    }
    int null = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", as == 0 ? O_RDONLY : O_WRONLY, 0);
    if (null >= 0 && null != as) {
        int rc = (int)syscall(SYS_dup3, null, as, 0);
        (void)syscall(SYS_close, null);
        return rc < 0 ? -1 : 0;
    }
    return null < 0 ? -1 : 0;
}

BORROWED static int place_streams(struct child *c)
{
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = out_of_the_way(&c->fds[i]);
    }
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = place_stream(c->fds[i], i);
    }
    return rc;
}

/* Before the parent-death signal is asked for: a change of user forgets it. */
BORROWED static int give_up_rights(const struct child *c)
{
    bool given = !c->uid || (syscall(SYS_setgroups, 0, NULL) == 0 &&
                             syscall(SYS_setresgid, c->gid, c->gid, c->gid) == 0 &&
                             syscall(SYS_setresuid, c->uid, c->uid, c->uid) == 0);
    return given ? 0 : -1;
}

BORROWED static int child_main(void *arg)
{
    struct child *c = arg;
    reset_signals();
    if (syscall(SYS_setpgid, 0, 0) == 0 && give_up_rights(c) == 0 &&
        syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
        syscall(SYS_getppid) == c->parent && /* else it died before the line above */
        (!c->cwd || syscall(SYS_chdir, c->cwd) == 0) && place_streams(c) == 0) {
        (void)syscall(SYS_execve, c->path, c->argv, c->env);
    }
    c->error = errno ? errno : ECHILD;
    (void)syscall(SYS_exit_group, 127);
    return 127;
}

int proc_child_start(struct proc *p, const char *path, const int fds[3])
{
    struct child c = { .path = path,
                       .cwd = p->cwd,
                       .uid = p->uid,
                       .gid = p->gid,
                       .argv = p->argv,
                       .env = p->env,
                       .fds = { fds[0], fds[1], fds[2] },
                       .parent = getpid() };
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        return errno;
    }
    sigset_t all, old; /* no handler of ours may run in the child */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    errno = 0;
    pid_t pid =
        clone(child_main, (char *)stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, &c);
    int error = pid < 0 ? errno : c.error;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    munmap(stack, STACK_BYTES);
    if (pid > 0 && error != 0) {
        (void)waitpid(pid, NULL, 0);
    }
    p->result.pid = error == 0 ? pid : 0;
    return error;
}
