#include "tests/support/mariadb.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/mem.h"

#define START_MS 30000
#define ARGS_MAX 80
/* Ports of outgoing connections begin above. */
#define PORT_FIRST 20000u
#define PORT_COUNT 10000u

extern char **environ;

struct mariadb {
    char folder[64];
    char socket[96];
    unsigned port;
    pid_t pid;
    char *args[ARGS_MAX]; /* of the server; owned */
    size_t args_n;
};

static void die(const char *what, const char *folder)
{
    fprintf(stderr, "tests: MariaDB: %s (%s)\n", what, folder);
    exit(1);
}

static pid_t spawn(char *const *args, const char *log)
{
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    pid_t pid = 0;
    int rc = posix_spawnp(&pid, args[0], &files, NULL, args, environ);
    posix_spawn_file_actions_destroy(&files);
    if (rc != 0) {
        die("cannot start a program", args[0]);
    }
    return pid;
}

static void show_log(const struct mariadb *m)
{
    char path[96], line[512];
    snprintf(path, sizeof(path), "%s/log", m->folder);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        fputs(line, stderr);
    }
    if (f) {
        fclose(f);
    }
}

static void install(const struct mariadb *m)
{
    char data[96], log[96], tmp[96];
    snprintf(data, sizeof(data), "--datadir=%s/data", m->folder);
    snprintf(log, sizeof(log), "%s/log", m->folder);
    /* In /tmp another server that starts would remove its temporary tables. */
    snprintf(tmp, sizeof(tmp), "--tmpdir=%s", m->folder);
    char *args[] = { "mariadb-install-db",
                     "--no-defaults",
                     "--auth-root-authentication-method=normal",
                     "--skip-test-db",
                     "--innodb-log-file-size=4M",
                     data,
                     tmp,
                     getuid() == 0 ? "--user=root" : NULL,
                     NULL };
    int status = 0;
    pid_t pid = spawn(args, log);
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        show_log(m);
        die("mariadb-install-db failed", m->folder);
    }
}

static void add_arg(struct mariadb *m, char *owned)
{
    if (m->args_n + 1 >= ARGS_MAX) {
        die("too many options", m->folder);
    }
    m->args[m->args_n++] = owned;
}

static bool port_free(unsigned port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
    close(fd);
    return ok;
}

static unsigned choose_port(void)
{
    for (;;) {
        unsigned n;
        id_random(&n, sizeof(n));
        unsigned port = PORT_FIRST + n % PORT_COUNT;
        if (port_free(port)) {
            return port;
        }
    }
}

static void build_args(struct mariadb *m, const char *const *options)
{
    static const char *const fixed[] = {
        /* It must not outlive a test that crashes. */
        "setpriv",
        "--pdeathsig",
        "KILL",
        "mariadbd",
        "--no-defaults",
        "--lc-messages-dir=/usr/share/mysql",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--innodb-buffer-pool-size=16M",
        "--innodb-log-file-size=4M",
        "--innodb-flush-method=nosync",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-dump-at-shutdown=0",
        "--innodb-buffer-pool-load-at-startup=0",
        "--sync-binlog=0",
        "--max-connections=60",
        "--log-bin=mysql-bin-changelog",
        "--server-id=1",
        "--binlog-format=ROW",
        "--binlog-row-image=FULL",
    };
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        add_arg(m, xstrdup(fixed[i]));
    }
    if (getuid() == 0) {
        add_arg(m, xstrdup("--user=root"));
    }
    add_arg(m, xasprintf("--datadir=%s/data", m->folder));
    add_arg(m, xasprintf("--tmpdir=%s", m->folder));
    add_arg(m, xasprintf("--socket=%s", m->socket));
    add_arg(m, xasprintf("--pid-file=%s/pid", m->folder));
    add_arg(m, xasprintf("--port=%u", m->port));
    for (size_t i = 0; options && options[i]; i++) {
        add_arg(m, xstrdup(options[i]));
    }
}

static bool answers(const struct mariadb *m)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", m->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
    char first;
    ok = ok && read(fd, &first, 1) == 1; /* its greeting */
    close(fd);
    return ok;
}

static void run(struct mariadb *m)
{
    char log[96];
    snprintf(log, sizeof(log), "%s/log", m->folder);
    m->pid = spawn(m->args, log);
    int64_t until = clock_mono_ms() + START_MS;
    while (!answers(m)) {
        int status;
        if (waitpid(m->pid, &status, WNOHANG) == m->pid || clock_mono_ms() > until) {
            show_log(m);
            die("the server does not start", m->folder);
        }
        usleep(5000);
    }
}

struct mariadb *mariadb_start(const char *const *options)
{
    struct mariadb *m = xcalloc(1, sizeof(*m));
    snprintf(m->folder, sizeof(m->folder), "/tmp/cistern-mariadb-XXXXXX");
    if (!mkdtemp(m->folder)) {
        die("cannot create a folder", m->folder);
    }
    snprintf(m->socket, sizeof(m->socket), "%s/socket", m->folder);
    m->port = choose_port();
    install(m);
    build_args(m, options);
    run(m);
    return m;
}

static void end(struct mariadb *m, int signal)
{
    int status;
    kill(m->pid, signal);
    waitpid(m->pid, &status, 0);
}

void mariadb_restart(struct mariadb *m, int hard)
{
    end(m, hard ? SIGKILL : SIGTERM);
    unlink(m->socket);
    run(m);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    remove(path);
    return 0;
}

void mariadb_stop(struct mariadb *m)
{
    if (!m) {
        return;
    }
    end(m, SIGTERM);
    nftw(m->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < m->args_n; i++) {
        free(m->args[i]);
    }
    free(m);
}

const char *mariadb_socket(const struct mariadb *m)
{
    return m->socket;
}

unsigned mariadb_port(const struct mariadb *m)
{
    return m->port;
}

pid_t mariadb_pid(const struct mariadb *m)
{
    return m->pid;
}

const char *mariadb_folder(const struct mariadb *m)
{
    return m->folder;
}
