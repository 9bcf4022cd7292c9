/* Who may invoke a function: the statements that AddPermission makes, and whether one of them
 * covers an event source. Pure but for the handlers, which are in lambda_permission.c. */
#ifndef CISTERN_LAMBDA_POLICY_H
#define CISTERN_LAMBDA_POLICY_H

#include <stdbool.h>

#include "server/base/arena.h"
#include "server/base/str.h"

/* What a statement says, as far as event sources are concerned. */
struct lambda_grant {
    struct str principal;      /* "s3.amazonaws.com", "*", an account, an ARN */
    struct str action;         /* "lambda:InvokeFunction" */
    struct str source_arn;     /* may hold * and ?; absent: any */
    struct str source_account; /* absent: any */
    bool other_conditions;     /* of a kind that no event source of ours meets */
};
/* An event source that wants to invoke. */
struct lambda_source {
    struct str service; /* "s3.amazonaws.com" */
    struct str arn, account;
};

bool lambda_grant_allows(const struct lambda_grant *grant, const struct lambda_source *source);
/* ArnLike: the six parts between colons are compared one by one, each with * and ?. */
bool lambda_arn_like(struct str pattern, struct str arn);

/* What goes into a statement beside the grant. Absent members leave their condition out. */
struct lambda_statement_more {
    struct str event_source_token, org_id, url_auth_type;
};
/* The statement as JSON text, members in the order that AWS gives. */
struct str lambda_statement_text(struct arena *a, struct str sid, const struct lambda_grant *grant,
                                 struct str resource_arn, const struct lambda_statement_more *more);
/* lambda:Word, lambda:* or * */
bool lambda_action_valid(struct str action);

#endif
