/* Which runtimes this machine can run, and with what. */
#ifndef CISTERN_LAMBDA_RUNTIME_H
#define CISTERN_LAMBDA_RUNTIME_H

#include "emulators/lambda/lambda_state.h"

enum lambda_runtime_kind {
    LAMBDA_RUNTIME_NONE,       /* not one of ours */
    LAMBDA_RUNTIME_PYTHON,     /* python3.N: our bootstrap.py, run by --python */
    LAMBDA_RUNTIME_PROVIDED,   /* `bootstrap` in the root of the package */
    LAMBDA_RUNTIME_EXECUTABLE, /* the handler is a command line, run once per event */
};

enum lambda_runtime_kind lambda_runtime_kind(struct str runtime);
/* As above, but provided.* with the variable CISTERN_COMMAND counts as executable; *ret_command
 * (may be NULL) is then the command line. */
enum lambda_runtime_kind lambda_runtime_of(struct arena *a, const struct lambda_row *row,
                                           struct str *ret_command);
/* For messages: all that may be given. */
#define LAMBDA_RUNTIMES \
    "python3.8 to python3.14, provided.al2023, provided.al2, provided, executable"
/* Why functions of this runtime can't start on this machine, naming the remedy; absent: they can.
 */
struct str lambda_runtime_lacks(struct lambda *l, struct arena *a, const struct lambda_row *row);
/* Writes the bootstrap into DATA/functions/.runtime (atomically). */
enum status lambda_runtime_install(struct lambda *l) MUST_CHECK;

#endif
