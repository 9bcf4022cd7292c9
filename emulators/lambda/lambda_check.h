/* What the handlers check on the way in, and what they share on the way out. Core thread. */
#ifndef CISTERN_LAMBDA_CHECK_H
#define CISTERN_LAMBDA_CHECK_H

#include "emulators/lambda/lambda_state.h"
#include "server/http/call.h"

extern const struct aws_error lambda_ValidationException; /* 400 */

/* Which function the request names; fails the call for names that are none, other regions and
 * qualifiers that don't exist ($LATEST is the only version). `qualifier` is the separate parameter,
 * absent for operations without. */
enum status lambda_target(struct call *c, struct str name, struct str qualifier,
                          struct lambda_key *ret) MUST_CHECK;
/* lambda_target() and the function itself, or ResourceNotFoundException. */
enum status lambda_target_row(struct call *c, struct str name, struct str qualifier,
                              struct lambda_row *ret) MUST_CHECK;
enum status lambda_no_function(struct call *c, const struct lambda_key *key);
/* RevisionId of the request, where given, must be the function's. `what` is the operation that
 * tells the latest one. */
enum status lambda_check_revision(struct call *c, struct str given, const struct lambda_row *row,
                                  const char *what) MUST_CHECK;
/* 501, naming the member: the request asks for something that has no effect here. */
enum status lambda_unsupported(struct call *c, const char *member, const char *why);
/* "Value '<v>' at '<member>' failed to satisfy constraint: <must>". */
enum status lambda_invalid(struct call *c, const char *member, struct str value, const char *must);

/* The settings that CreateFunction and UpdateFunctionConfiguration share; absent members stay as
 * they are in `row`. */
struct lambda_settings {
    struct str role, handler, description, runtime, kms_key;
    struct opt_i64 timeout, memory;
    const struct lambda_vpc_config *vpc;
    const struct lambda_environment *environment;
    const struct lambda_dead_letter_config *dead_letter;
    const struct lambda_tracing_config *tracing;
    const struct lambda_layer_list *layers;
    const struct lambda_file_system_config_list *file_systems;
    const struct lambda_image_config *image;
    const struct lambda_ephemeral_storage *ephemeral;
    const struct lambda_snap_start *snap_start;
    const struct lambda_logging_config *logging;
    const void *capacity, *durable; /* members that we refuse */
};
enum status lambda_apply(struct call *c, const struct lambda_settings *s,
                         struct lambda_row *row) MUST_CHECK;

/* The function as clients see it. */
void lambda_describe(struct call *c, const struct lambda_row *row,
                     struct lambda_function_configuration *ret);
/* A new revision now. */
void lambda_touch(struct call *c, struct lambda_row *row);

#endif
