/* Environment variables: those that the user gives, and what a function's process sees. */
#ifndef CISTERN_LAMBDA_ENV_H
#define CISTERN_LAMBDA_ENV_H

#include "emulators/lambda/lambda_state.h"
#include "server/base/buf.h"

struct call;

/* Names, reserved names and size; fails the call where AWS does. */
enum status lambda_env_check(struct call *c,
                             const struct lambda_environment_variables *env) MUST_CHECK;
/* As stored: a JSON object. Absent for no variables. */
struct str lambda_env_text(struct arena *a, const struct lambda_environment_variables *env);
/* And back; a text that is absent gives none. */
struct lambda_environment_variables lambda_env_parse(struct arena *a, struct str text);

/* What an instance is told. */
struct lambda_env_more {
    struct str task_root; /* absolute */
    struct str log_stream;
    int api_port; /* of the Runtime API; 0: none (registered executables) */
    struct str request_id, client_context, trace; /* registered executables only */
    int64_t deadline_ms;
};
/* The whole environment, NULL-terminated, in the arena. Issues credentials of the function's role.
 * ST_…: they could not be had. */
enum status lambda_env_make(struct lambda *l, struct arena *a, const struct lambda_row *row,
                            const struct lambda_env_more *more, const char *const **ret) MUST_CHECK;

#endif
