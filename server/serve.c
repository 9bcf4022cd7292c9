#include "server/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "server/admin.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/config.h"
#include "server/core_run.h"
#include "server/datadir.h"
#include "server/http/listener.h"
#include "server/loop/loop.h"
#include "server/service.h"
#include "server/version.h"

/* Answers under way when the services have stopped. */
#define SERVE_DRAIN_MS 3000
#define SERVE_OPEN_FILES 65536

struct server {
    struct config config;
    struct datadir dir;
    struct core *core;
    struct listener *listener;
};

/* --- the process ------------------------------------------------------------------------------ */

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < SERVE_OPEN_FILES) {
        limit.rlim_cur = limit.rlim_max < SERVE_OPEN_FILES ? limit.rlim_max : SERVE_OPEN_FILES;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void follow_parent(void)
{
    int64_t parent;
    if (str_i64(str_z(getenv(SERVE_PARENT_ENV)), &parent) != ST_OK) {
        return;
    }
    unsetenv(SERVE_PARENT_ENV); /* functions and jobs have no business with it */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != (pid_t)parent) {
        raise(SIGTERM); /* it was quicker */
    }
}

static void on_end_signal(void *arg, int signum)
{
    struct core *core = arg;
    log_info("serve", "%s: ending (once more: at once)", strsignal(signum));
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    core_end(core);
}

/* Signals that the starter ignores (nohup, background jobs of a shell) stay ignored. */
static enum status watch_signals(struct core *core)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        struct sigaction old;
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN) {
            continue;
        }
        enum status st = loop_on_signal(core_loop(core), signals[i], on_end_signal, core);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

/* --- start ------------------------------------------------------------------------------------ */

static enum status open_listener(struct server *s)
{
    const struct config *config = &s->config;
    if (config->listen_port != 0) { /* before HTTP threads can ask for it */
        core_set_endpoint(s->core, config->listen_addr, config->listen_port);
    }
    enum status st = listener_start(s->core, core_db_path(s->core), &s->listener);
    if (st == ST_OK && config->listen_port == 0) {
        core_set_endpoint(s->core, config->listen_addr, listener_port(s->listener));
    }
    return st;
}

static enum status announce(struct server *s)
{
    struct str endpoint = core_endpoint(s->core);
    enum status st = datadir_publish(&s->dir, endpoint.p);
    if (st == ST_OK) {
        size_t n = 0;
        while (core_services(s->core)[n]) {
            n++;
        }
        printf("Listening on %s\n", endpoint.p);
        printf("Cistern " CISTERN_VERSION ", %zu services, data in %s. Ready.\n", n, s->dir.path);
        fflush(stdout);
    }
    return st;
}

static enum status start(struct server *s)
{
    if (log_configure(s->config.log) != ST_OK) {
        fprintf(stderr,
                "cistern: --log: \"%s\" is not LEVEL[,TOPIC=LEVEL…] with error, warn, info "
                "or debug\n",
                s->config.log);
        return ST_INVALID;
    }
    log_install_crash_handler();
    clock_set_scale(s->config.clock_scale);
    raise_file_limit();
    enum status st = datadir_open(&s->config, &s->dir, stderr);
    if (st == ST_OK) {
        st = core_new(&s->config, services, &s->core);
    }
    if (st == ST_OK) {
        st = watch_signals(s->core);
    }
    if (st == ST_OK) {
        follow_parent();
        admin_register(s->core);
        st = open_listener(s);
    }
    if (st == ST_OK) {
        st = core_start(s->core);
    }
    return st == ST_OK ? announce(s) : st;
}

/* --- end -------------------------------------------------------------------------------------- */

static bool all_answered(void *arg)
{
    return !listener_busy(arg);
}

static void finish(struct server *s)
{
    bool quiet = true;
    if (s->listener) {
        listener_close(s->listener);
    }
    if (s->core) {
        quiet = core_stop(s->core);
    }
    if (s->listener) {
        core_wait(s->core, all_answered, s->listener, SERVE_DRAIN_MS);
        listener_stop(s->listener);
    }
    if (quiet) {
        core_free(s->core);
        datadir_close(&s->dir);
        config_fini(&s->config);
    } else {
        datadir_close(&s->dir); /* some thread still uses the rest: the process ends with it */
    }
}

int serve_main(int argc, char **argv)
{
    struct server s = { .dir = { .lock_fd = -1 } };
    if (config_load(argc, argv, &s.config, stderr) != ST_OK) {
        return 2;
    }
    enum status st = start(&s);
    if (st == ST_OK) {
        core_run(s.core);
    }
    finish(&s);
    return st == ST_OK ? 0 : st == ST_INVALID ? 2 : 1;
}
