/* AssumeRole and its kin, and the credentials that functions and jobs get. A role need not exist:
 * trust policies aren't evaluated (nothing is enforced), but its ARN must be one. */
#include "emulators/facade/sts.h"
#include "emulators/sts/sts_model.h"
#include "emulators/sts/sts_store.h"
#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/id.h"
#include "server/core.h"
#include "server/http/call.h"

static const struct aws_error validation_error = { "ValidationError", NULL, 400, NULL };

/* Parts of arn:aws:iam::ACCOUNT:role/PATH/NAME. */
struct role_arn {
    struct str account, name;
};

static enum status role_arn_parse(struct str arn, struct role_arn *ret)
{
    struct str rest = arn, part[5];
    for (size_t i = 0; i < 5; i++) {
        if (!str_cut(rest, ':', &part[i], &rest)) {
            return ST_INVALID;
        }
    }
    if (!str_eqz(part[0], "arn") || !str_eqz(part[2], "iam") || part[4].n != 12 ||
        !str_starts(rest, STR("role/"))) {
        return ST_INVALID;
    }
    size_t from = rest.n;
    while (rest.p[from - 1] != '/') {
        from--;
    }
    *ret = (struct role_arn){ part[4], str_sub(rest, from, rest.n) };
    return ret->name.n ? ST_OK : ST_INVALID;
}

/* Made up from the role's ARN, so that it is the same in every session of the role. */
static struct str role_id(struct arena *a, struct str role_arn)
{
    unsigned char digest[DIGEST_MAX];
    digest_bytes(DIGEST_SHA256, role_arn.p, role_arn.n, digest);
    char tail[17];
    for (size_t i = 0; i < sizeof(tail); i++) {
        tail[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[digest[i] % 32];
    }
    return arena_printf(a, "AROA%.*s", (int)sizeof(tail), tail);
}

struct session_request {
    struct str role_arn, name;
    int64_t duration_s;
};

static enum status session_new(struct db *db, struct arena *a, const struct session_request *in,
                               struct sts_session *ret, struct sts_assumed_role_user *ret_user)
{
    struct role_arn role;
    enum status st = role_arn_parse(in->role_arn, &role);
    if (st != ST_OK) {
        return st;
    }
    unsigned char random[30 + 96];
    id_random(random, sizeof(random));
    struct str key = id_base32(a, 16), id = role_id(a, in->role_arn);
    struct credential c = {
        .secret = base64_encode(a, random, 30),
        .session_token = base64_encode(a, random + 30, 96),
        .account = role.account,
        .arn = arena_printf(a, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s", STR_ARG(role.account),
                            STR_ARG(role.name), STR_ARG(in->name)),
        .user_id = arena_printf(a, "%.*s:%.*s", STR_ARG(id), STR_ARG(in->name)),
        .expires_ms = (clock_now_ms() / 1000 + in->duration_s) * 1000,
    };
    *ret = (struct sts_session){ arena_printf(a, "ASIA%.*s", STR_ARG(key)), c.secret,
                                 c.session_token, c.expires_ms };
    if (ret_user) {
        *ret_user = (struct sts_assumed_role_user){ .AssumedRoleId = c.user_id, .Arn = c.arn };
    }
    return sts_store_add(db, ret->access_key, &c, clock_now_ms());
}

enum status sts_session_new(struct core *core, struct arena *a, struct str role_arn,
                            struct str session_name, int64_t duration_s, struct sts_session *ret)
{
    struct session_request in = { role_arn, session_name, duration_s };
    return session_new(core_db(core), a, &in, ret, NULL);
}

/* What both operations share. */
static enum status assume(struct call *c, struct str arn, struct str name, struct opt_i64 duration,
                          struct sts_credentials **ret, struct sts_assumed_role_user **ret_user)
{
    struct sts_session session;
    if (name.n < 2 || name.n > 64) {
        return call_fail(c, &validation_error,
                         "1 validation error detected: Value '%.*s' at 'roleSessionName' failed to "
                         "satisfy constraint: Member must have length between 2 and 64",
                         STR_ARG(name));
    }
    int64_t seconds = duration.set ? duration.v : 3600;
    if (seconds < 900 || seconds > 43200) {
        return call_fail(c, &validation_error,
                         "1 validation error detected: Value '%lld' at 'durationSeconds' failed to "
                         "satisfy constraint: Member must have value between 900 and 43200",
                         (long long)seconds);
    }
    *ret_user = ARENA_NEW(c->arena, struct sts_assumed_role_user);
    struct session_request in = { arn, name, seconds };
    enum status st = session_new(c->db, c->arena, &in, &session, *ret_user);
    if (st == ST_INVALID) {
        return call_fail(c, &validation_error,
                         "%.*s is invalid: the ARN of a role is expected "
                         "(arn:aws:iam::123456789012:role/name)",
                         STR_ARG(arn));
    }
    if (st == ST_OK) {
        *ret = ARENA_NEW(c->arena, struct sts_credentials);
        **ret = (struct sts_credentials){ session.access_key, session.secret, session.token,
                                          OPT_TIME(session.expires_ms) };
    }
    return call_status(c, st);
}

enum status sts_assume_role(struct call *c, const struct sts_assume_role_request *in,
                            struct sts_assume_role_response *ret_out)
{
    return assume(c, in->RoleArn, in->RoleSessionName, in->DurationSeconds, &ret_out->Credentials,
                  &ret_out->AssumedRoleUser);
}

enum status sts_get_caller_identity(struct call *c, const void *in,
                                    struct sts_get_caller_identity_response *ret_out)
{
    (void)in;
    ret_out->Account = c->caller.account;
    if (str_set(c->caller.arn)) {
        ret_out->Arn = c->caller.arn;
        ret_out->UserId = c->caller.user_id;
    } else {
        /* A key that nobody issued is the account's root user. */
        ret_out->Arn = arena_printf(c->arena, "arn:aws:iam::%.*s:root", STR_ARG(c->caller.account));
        ret_out->UserId = c->caller.account;
    }
    return ST_OK;
}
