/* Temporary credentials for the functions and jobs that we start. Core thread. */
#ifndef CISTERN_FACADE_STS_H
#define CISTERN_FACADE_STS_H

#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct core;

struct sts_session {
    struct str access_key, secret, token;
    int64_t expires_ms;
};

/* Issues credentials for arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION. Strings in the arena. */
enum status sts_session_new(struct core *core, struct arena *a, struct str role_arn,
                            struct str session_name, int64_t duration_s, struct sts_session *ret)
    MUST_CHECK;

#endif
