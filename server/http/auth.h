/* Who may sign: the hook by which the IAM emulator tells secrets to the signature check, so that
 * server/ needs not know it. */
#ifndef CISTERN_HTTP_AUTH_H
#define CISTERN_HTTP_AUTH_H

#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct call;
struct db;

struct credential {
    struct str secret;
    struct str session_token; /* must match x-amz-security-token when set */
    struct str account;
    struct str arn;     /* of the principal */
    struct str user_id;
    int64_t expires_ms; /* 0: never */
};

/* ST_NOT_FOUND: not a key that we issued. HTTP thread; `db` is read-only. */
typedef enum status (*credential_lookup_fn)(struct db *db, struct arena *a, struct str access_key,
                                            struct credential *ret);
/* Set once at start by the service that keeps credentials. */
void auth_set_lookup(credential_lookup_fn fn);
credential_lookup_fn auth_lookup(void);

/* Signature fields of a browser's POST form to S3 (version 2 or 4). Absent ones stay absent. */
struct auth_form {
    struct str policy;        /* the base64 text itself: that is what is signed */
    struct str credential;    /* x-amz-credential */
    struct str date;          /* x-amz-date */
    struct str access_key;    /* AWSAccessKeyId: version 2 */
    struct str signature;     /* x-amz-signature, or signature */
    struct str session_token; /* x-amz-security-token */
};
/* Checks the form's signature by the same rules as a header's and fills c->caller. ST_AWS: refused,
 * the error is recorded. Handlers, HTTP or core thread; not for forms without a policy. */
enum status auth_check_form(struct call *c, const struct auth_form *form) MUST_CHECK;

#endif
