/* The command line: which subcommand. */
#include <fcntl.h>
#include <unistd.h>

#include "server/base/mem.h"
#include "server/cli/cli.h"
#include "server/serve.h"
#include "server/service.h"
#include "server/version.h"

#define COMMANDS_MAX 64 /* that spelling help looks at */

static const struct command commands[] = {
    { "serve", serve_command, "run the server",
      "[OPTION…]\n\nRuns until SIGINT or SIGTERM. Prints a line ending in `Ready.` when it "
      "answers.\n"
      "Every option has an environment variable; the command line wins.\n" },
    { "exec", exec_command, "run a command with a private server of its own",
      "[SERVE OPTION…] -- COMMAND [ARGUMENT…]\n\n"
      "Starts a server with an empty temporary folder on a free port, runs the command with\n"
      "AWS_ENDPOINT_URL, credentials and region set, ends the server, and exits as the command "
      "did.\n"
      "With --data DIR the server keeps its folder.\n" },
    { "wait", wait_command, "wait until the whole pipeline is idle",
      "[--timeout SECONDS] [--flush] [--endpoint URL]\n\n"
      "Returns when no event, invocation, job or task has anything left to do: tasks have read up "
      "to\n"
      "the source's current position, and what they wrote has been delivered and worked off.\n"
      "  --timeout SECONDS  give up after this time (default 60); exit status 1, and what was "
      "busy\n"
      "  --flush            don't wait for batch intervals\n" },
    { "status", status_command, "show services, what is busy, and counts",
      "[--json] [--endpoint URL]\n" },
    { "reset", reset_command, "forget everything: all resources, objects, logs",
      "[--endpoint URL]\n" },
    { "aws", aws_command, "run the aws CLI against the server",
      "ARGUMENT…\n\nRuns `aws --endpoint-url URL ARGUMENT…`, with credentials test/test and "
      "region\n"
      "us-east-1 where none are set. The server is found as by the other commands:\n"
      "CISTERN_ENDPOINT, AWS_ENDPOINT_URL, ./.cistern/endpoint, http://127.0.0.1:4566.\n" },
    { "function", function_command, "register executables as Lambda functions",
      "add NAME -- COMMAND [ARGUMENT…]   make (or change) the function NAME\n"
      "       cistern function list\n"
      "       cistern function remove NAME\n\n"
      "The command gets the event on its standard input and answers on its standard output; an "
      "exit\n"
      "status other than 0 is a failed invocation. Words that name files here become absolute.\n"
      "  --timeout SECONDS  of `add` (default 60)\n"
      "  --endpoint URL     the server\n" },
};

/* The i-th subcommand: those above, then those that services bring; NULL after the last. */
static const struct command *command_at(size_t i)
{
    if (i < ARRAY_LEN(commands)) {
        return &commands[i];
    }
    i -= ARRAY_LEN(commands);
    for (const struct service *const *s = services; *s; s++) {
        for (const struct command *c = (*s)->commands; c && c->name; c++) {
            if (i-- == 0) {
                return c;
            }
        }
    }
    return NULL;
}

static void print_help(FILE *out)
{
    fprintf(out, "Usage: cistern COMMAND [OPTION…]\n\n"
                 "MySQL to S3 to Lambda to Glue, as on AWS, on this machine, for real.\n\n");
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
        fprintf(out, "  %-9s  %s\n", c->name, c->summary);
    }
    fprintf(out,
            "\n`cistern COMMAND --help` tells more about each. --version shows the version.\n");
}

static int unknown_command(const char *word)
{
    const char *names[COMMANDS_MAX + 1] = { NULL };
    const struct command *c;
    for (size_t i = 0; i < COMMANDS_MAX && (c = command_at(i)) != NULL; i++) {
        names[i] = c->name;
    }
    const char *close = cli_closest(word, names);
    fprintf(stderr, "cistern: \"%s\" is no command", word);
    if (close) {
        fprintf(stderr, "; did you mean \"%s\"?", close);
    }
    fprintf(stderr, " `cistern --help` lists all\n");
    return CLI_USAGE;
}

/* Standard streams that are closed would let files take their numbers. */
static void open_standard_streams(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    close_fd(&fd);
}

int main(int argc, char **argv)
{
    open_standard_streams();
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
        printf("cistern " CISTERN_VERSION "\n");
        return 0;
    }
    const struct command *c;
    for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
        if (strcmp(word, c->name) == 0) {
            return cli_run(c, argc - 2, argv + 2);
        }
    }
    return unknown_command(word);
}
