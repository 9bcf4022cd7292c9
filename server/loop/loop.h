/* The event loop of the core thread; the only folder that sees uv.h. Functions are for the core
 * thread unless they say "any thread". */
#ifndef CISTERN_LOOP_LOOP_H
#define CISTERN_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/status.h"

struct loop;

/* The calling thread becomes the loop's. SIGPIPE is ignored from now on. */
enum status loop_new(int workers, struct loop **ret) MUST_CHECK;
/* Runs until loop_stop(); `before_sleep(arg)` is called at the end of every pass, before the loop
 * blocks, repeatedly until it returns false (nothing more to do). */
void loop_run(struct loop *loop, bool (*before_sleep)(void *arg), void *arg);
void loop_stop(struct loop *loop); /* any thread, also from a signal watcher */
void loop_free(struct loop *loop);
bool loop_on_thread(const struct loop *loop); /* any thread: is this the loop's thread? */

/* Runs fn(arg) on the loop thread soon, in order of posting. Any thread. */
void loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);

/* Calls fn(arg, signum) on the loop thread. */
enum status loop_on_signal(struct loop *loop, int signum, void (*fn)(void *arg, int signum),
                           void *arg) MUST_CHECK;

/* Timers. The handle belongs to the caller; timer_free stops it (NULL is fine). Delays are real
 * milliseconds (apply clock_scaled_ms yourself). */
struct timer;
struct timer *timer_new(struct loop *loop, void (*fn)(void *arg), void *arg);
void timer_start(struct timer *t, int64_t delay_ms,
                 int64_t repeat_ms); /* restarts; repeat 0: once */
void timer_stop(struct timer *t);
void timer_free(struct timer *t);

/* Readiness of a file descriptor (pipes of children, epoll of an HTTP daemon). */
enum { WATCH_READ = 1, WATCH_WRITE = 2 };
struct watch;
struct watch *watch_new(struct loop *loop, int fd, void (*fn)(void *arg, int events), void *arg);
void watch_start(struct watch *w, int events);
void watch_stop(struct watch *w);
void watch_free(struct watch *w); /* does not close fd */

/* Work in the pool: run(arg) on a worker thread, then done(arg) on the loop thread. The job owns
 * its input; nothing else may touch `arg` between the two. */
void work_start(struct loop *loop, void (*run)(void *arg), void (*done)(void *arg), void *arg);

/* A thread of its own for a blocking stream: run(arg) there, then done(arg) on the loop thread
 * after the thread has been joined. Stopping it is the caller's protocol (a flag, a shutdown). */
enum status thread_start(struct loop *loop, const char *name, void (*run)(void *arg),
                         void (*done)(void *arg), void *arg) MUST_CHECK;
/* Work items, threads and posts under way. */
int loop_pending(const struct loop *loop);

#endif
