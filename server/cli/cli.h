/* Subcommands of the command line. All but serve and exec are clients of a running server and share
 * what is declared here. One thread. */
#ifndef CISTERN_CLI_CLI_H
#define CISTERN_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/str.h"

/* Exit statuses, besides 0 and those of a command that is run. */
#define CLI_FAILED 1
#define CLI_USAGE 2

struct command {
    const char *name;
    int (*run)(const struct command *self, int argc, char **argv); /* after the command's name */
    const char *summary;
    const char *usage; /* what follows "Usage: cistern NAME " */
};

int serve_command(const struct command *self, int argc, char **argv);
int exec_command(const struct command *self, int argc, char **argv);
int wait_command(const struct command *self, int argc, char **argv);
int status_command(const struct command *self, int argc, char **argv);
int reset_command(const struct command *self, int argc, char **argv);
int aws_command(const struct command *self, int argc, char **argv);
int function_command(const struct command *self, int argc, char **argv);

/* Runs it, or prints its help when --help is the first word. */
int cli_run(const struct command *command, int argc, char **argv);
void cli_help(const struct command *command, FILE *out);
/* Says what is wrong with the words and where the help is; returns CLI_USAGE. */
int cli_usage(const struct command *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The name (NULL-terminated list) that was probably meant, or NULL. */
const char *cli_closest(const char *word, const char *const *names);

/* --- words ------------------------------------------------------------------------------------ */
/* Takes `--name VALUE` or `--name=VALUE` at argv[*i]: 1 and *ret_value (leaves *i at the last word
 * used), 0: another word, -1: the value is missing (said). */
int cli_option(const struct command *command, int argc, char **argv, int *i, const char *name,
               const char **ret_value);

/* --- server ----------------------------------------------------------------------------------- */
/* Where the server is: `given` (--endpoint) or NULL, CISTERN_ENDPOINT, AWS_ENDPOINT_URL,
 * ./.cistern/endpoint, 127.0.0.1:4566. */
struct str cli_endpoint(struct arena *a, const char *given);

#define CLI_ANSWER_MAX (64u << 20)

struct cli_answer {
    int http_status;
    struct str body;
};
/* One request; body may be absent. ST_IO: said on stderr what failed and what to do. timeout_s: how
 * long the answer may take. */
struct cli_request {
    const char *method;
    struct str target; /* path and query, encoded */
    struct str content_type;
    struct str body;
    int timeout_s;
};
enum status cli_http(struct arena *a, struct str endpoint, const struct cli_request *request,
                     struct cli_answer *ret) MUST_CHECK;
/* Prints the error document of an answer that isn't 2xx; returns CLI_FAILED. */
int cli_refused(const char *what, const struct cli_answer *answer);

/* --- programs --------------------------------------------------------------------------------- */
/* Replaces the process; returns 127 or 126, as shells do, when it can't (said on stderr). */
int cli_exec(char **argv);

#endif
