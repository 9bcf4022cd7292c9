/* `cistern exec -- COMMAND`: a server of its own for one command. The server is this program once
 * more, in a process group of its own, so that ^C reaches only the command, and it ends when we do.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "server/base/mem.h"
#include "server/cli/cli.h"
#include "server/config.h"
#include "server/serve.h"

#define LINE_BYTES 1024

extern char **environ;

struct private_server {
    pid_t pid;
    FILE *out; /* its standard output */
    char endpoint[LINE_BYTES];
};

static int fail(const char *what, int error)
{
    fprintf(stderr, "cistern exec: cannot %s: %s\n", what, strerror(error));
    return CLI_FAILED;
}

static bool has_option(int argc, char **argv, const char *name)
{
    size_t n = strlen(name);
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], name, n) == 0 && (argv[i][n] == '\0' || argv[i][n] == '=')) {
            return true;
        }
    }
    return false;
}

/* serve [options] with a free port and a temporary folder unless the options say otherwise. */
static char **server_words(struct arena *a, int argc, char **argv)
{
    char **words = ARENA_ARRAY(a, char *, (size_t)argc + 7);
    int n = 0;
    words[n++] = arena_cstr(a, STR("cistern"));
    words[n++] = arena_cstr(a, STR("serve"));
    if (!has_option(argc, argv, "--data")) {
        words[n++] = arena_cstr(a, STR("--ephemeral"));
    }
    if (!has_option(argc, argv, "--listen")) {
        words[n++] = arena_cstr(a, STR("--listen=127.0.0.1:0"));
    }
    if (!has_option(argc, argv, "--log")) {
        words[n++] = arena_cstr(a, STR("--log=warn"));
    }
    for (int i = 0; i < argc; i++) {
        words[n++] = argv[i];
    }
    return words;
}

static int spawn_server(char **words, int out_fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
    int rc = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attr, words, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* Reads its output up to "Ready.": false when it ended before. */
static bool wait_ready(struct private_server *s)
{
    static const struct str listening = STR_INIT("Listening on ");
    char line[LINE_BYTES];
    while (fgets(line, sizeof(line), s->out)) {
        struct str text = str_trim(str_z(line));
        if (str_starts(text, listening)) {
            snprintf(s->endpoint, sizeof(s->endpoint), "%.*s",
                     STR_ARG(str_sub(text, listening.n, text.n)));
        }
        if (str_ends(text, STR("Ready."))) {
            return s->endpoint[0] != '\0';
        }
    }
    return false;
}

static int wait_for(pid_t pid)
{
    int how = 0;
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
}

static int start_server(struct private_server *s, int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return fail("make a pipe", errno);
    }
    char parent[24];
    snprintf(parent, sizeof(parent), "%d", (int)getpid());
    setenv(SERVE_PARENT_ENV, parent, 1);
    int rc = spawn_server(server_words(a, argc, argv), ends[1], &s->pid);
    unsetenv(SERVE_PARENT_ENV);
    close_fd(&ends[1]);
    s->out = fdopen(ends[0], "r");
    if (rc != 0 || !s->out) {
        return fail("start the server", rc ? rc : errno);
    }
    if (!wait_ready(s)) {
        rc = wait_for(s->pid);
        fprintf(stderr, "cistern exec: the server did not start\n");
        return rc ? rc : CLI_FAILED;
    }
    return 0;
}

/* What was set in the options is what the command must use. */
static int set_environment(const char *endpoint, int argc, char **argv)
{
    struct config config;
    if (config_load(argc, argv, &config, stderr) != ST_OK) {
        return CLI_USAGE;
    }
    setenv("AWS_ENDPOINT_URL", endpoint, 1);
    setenv("CISTERN_ENDPOINT", endpoint, 1);
    setenv("AWS_ACCESS_KEY_ID", config.access_key, 1);
    setenv("AWS_SECRET_ACCESS_KEY", config.secret_key, 1);
    setenv("AWS_DEFAULT_REGION", config.region, 1);
    setenv("AWS_REGION", config.region, 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("AWS_PROFILE");
    config_fini(&config);
    return 0;
}

/* The command's process; ours must not die of the signals that are meant for it. */
static pid_t command_pid;

static void forward(int signum)
{
    if (command_pid > 0) {
        kill(command_pid, signum);
    }
}

static int run_command(char **words)
{
    signal(SIGINT, SIG_IGN); /* the terminal sends it to the command as well */
    signal(SIGQUIT, SIG_IGN);
    posix_spawnattr_t attr;
    sigset_t reset;
    sigemptyset(&reset);
    sigaddset(&reset, SIGINT);
    sigaddset(&reset, SIGQUIT);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &reset);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    int rc = posix_spawnp(&command_pid, words[0], NULL, &attr, words, environ);
    posix_spawnattr_destroy(&attr);
    if (rc != 0) {
        command_pid = 0;
        fprintf(stderr, "cistern exec: cannot run %s: %s\n", words[0], strerror(rc));
        return rc == ENOENT ? 127 : 126;
    }
    struct sigaction action = { .sa_handler = forward };
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    return wait_for(command_pid);
}

int exec_command(const struct command *self, int argc, char **argv)
{
    int dashes = 0;
    while (dashes < argc && strcmp(argv[dashes], "--") != 0) {
        dashes++;
    }
    if (dashes >= argc - 1) {
        return cli_usage(self, "no command: put it after `--`");
    }
    struct private_server s = { 0 };
    int rc = start_server(&s, dashes, argv);
    if (rc == 0) {
        rc = set_environment(s.endpoint, dashes, argv);
    }
    if (rc == 0) {
        rc = run_command(argv + dashes + 1);
    }
    if (s.pid > 0 && s.endpoint[0]) {
        kill(s.pid, SIGTERM);
        wait_for(s.pid);
    }
    if (s.out) {
        fclose(s.out);
    }
    return rc;
}
