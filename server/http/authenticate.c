#include "server/http/authenticate.h"

#include <stdatomic.h>

#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/log.h"
#include "server/core.h"
#include "server/http/canonical.h"
#include "server/http/exchange.h"

static _Atomic credential_lookup_fn lookup_fn;

void auth_set_lookup(credential_lookup_fn fn)
{
    atomic_store(&lookup_fn, fn);
}

credential_lookup_fn auth_lookup(void)
{
    return atomic_load(&lookup_fn);
}

/* --- reading ---------------------------------------------------------------------------------- */

void auth_read(struct http_exchange *x)
{
    struct http_auth *auth = &x->auth;
    struct arena *a = x->call.arena;
    if (sigv4_present(&x->request)) {
        auth->kind = AUTH_V4;
        auth->malformed = sigv4_parse(&x->request, a, &auth->v4, &auth->problem) != ST_OK;
    } else if (sigv2_present(&x->request)) {
        auth->kind = AUTH_V2;
        auth->malformed = sigv2_parse(&x->request, a, &auth->v2, &auth->problem) != ST_OK;
    } else if (str_set(http_headers_get(&x->request.headers, "authorization"))) {
        auth->malformed = true;
        auth->problem.text = "The Authorization header is of a type that is not supported; "
                             "AWS4-HMAC-SHA256 is.";
    }
}

/* --- refusing --------------------------------------------------------------------------------- */

static enum status refuse(struct http_exchange *x, enum auth_fault fault)
{
    return call_fail(&x->call, auth_error(fault, x->call.protocol), NULL);
}

static enum status refuse_words(struct http_exchange *x, enum auth_fault fault, const char *words)
{
    return call_fail(&x->call, auth_error(fault, x->call.protocol), "%s", words);
}

static struct str spaced_hex(struct arena *a, struct str s)
{
    static const char digits[] = "0123456789abcdef";
    char *p = arena_alloc(a, s.n * 3 + 1);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char byte = (unsigned char)s.p[i];
        p[3 * i] = digits[byte >> 4];
        p[3 * i + 1] = digits[byte & 15];
        p[3 * i + 2] = ' ';
    }
    return (struct str){ p, s.n ? s.n * 3 - 1 : 0 };
}

/* S3 shows what it would have signed. */
static enum status refuse_signature(struct http_exchange *x, const struct sig_text *text)
{
    struct call *c = &x->call;
    enum status st = refuse(x, FAULT_SIGNATURE);
    if (c->protocol != PROTO_REST_XML) {
        return st;
    }
    bool v4 = x->auth.kind == AUTH_V4;
    call_fail_field(c, "AWSAccessKeyId", c->caller.access_key);
    call_fail_field(c, "StringToSign", text->to_sign);
    call_fail_field(c, "SignatureProvided", v4 ? x->auth.v4.signature : x->auth.v2.signature);
    call_fail_field(c, "StringToSignBytes", spaced_hex(c->arena, text->to_sign));
    if (v4) {
        call_fail_field(c, "CanonicalRequest", text->canonical);
        call_fail_field(c, "CanonicalRequestBytes", spaced_hex(c->arena, text->canonical));
    }
    return st;
}

/* --- time ------------------------------------------------------------------------------------- */

static enum status refuse_expired(struct http_exchange *x, int64_t end_ms, int64_t now_ms)
{
    struct call *c = &x->call;
    enum status st = refuse(x, FAULT_URL_EXPIRED);
    if (c->protocol == PROTO_REST_XML) {
        if (x->auth.kind == AUTH_V4) {
            call_fail_field(c, "X-Amz-Expires",
                            arena_printf(c->arena, "%lld", (long long)x->auth.v4.expires_s));
        }
        call_fail_field(c, "Expires", clock_iso(c->arena, end_ms));
        call_fail_field(c, "ServerTime", clock_iso(c->arena, now_ms));
    }
    return st;
}

static enum status refuse_skew(struct http_exchange *x, int64_t sent_ms, int64_t now_ms)
{
    struct call *c = &x->call;
    struct str sent = clock_iso(c->arena, sent_ms);
    struct str now = clock_iso(c->arena, now_ms);
    if (c->protocol == PROTO_REST_XML) {
        enum status st = refuse(x, FAULT_SKEW);
        call_fail_field(c, "RequestTime", sent);
        call_fail_field(c, "ServerTime", now);
        call_fail_field(c, "MaxAllowedSkewMilliseconds", STR("900000"));
        return st;
    }
    return call_fail(c, auth_error(FAULT_SKEW, c->protocol),
                     sent_ms < now_ms ? "Signature expired: %.*s is now earlier than %.*s less 15 "
                                        "min. Set this machine's clock."
                                      : "Signature not yet current: %.*s is still later than %.*s "
                                        "plus 15 min. Set this machine's clock.",
                     STR_ARG(sent), STR_ARG(now));
}

static enum status check_time(struct http_exchange *x)
{
    const struct http_auth *auth = &x->auth;
    int64_t now = clock_now_ms();
    if (auth->kind == AUTH_V4 && auth->v4.query) {
        int64_t end = auth->v4.time_ms + auth->v4.expires_s * 1000;
        if (now > end) {
            return refuse_expired(x, end, now);
        }
        bool early = auth->v4.time_ms > now + AUTH_SKEW_MAX_MS;
        return auth->must_verify && early ? refuse_skew(x, auth->v4.time_ms, now) : ST_OK;
    }
    if (auth->kind == AUTH_V2 && auth->v2.query) {
        bool over = auth->v2.expires_s < now / 1000;
        return over ? refuse_expired(x, auth->v2.expires_s * 1000, now) : ST_OK;
    }
    int64_t sent = auth->kind == AUTH_V4 ? auth->v4.time_ms : auth->v2.time_ms;
    bool off = sent > now + AUTH_SKEW_MAX_MS || sent < now - AUTH_SKEW_MAX_MS;
    return auth->must_verify && off ? refuse_skew(x, sent, now) : ST_OK;
}

/* --- the key ---------------------------------------------------------------------------------- */

static bool is_account(struct str key)
{
    for (size_t i = 0; i < key.n; i++) {
        if (key.p[i] < '0' || key.p[i] > '9') {
            return false;
        }
    }
    return key.n == 12;
}

static enum status use_issued(struct http_exchange *x, const struct credential *found)
{
    struct caller *caller = &x->call.caller;
    struct str token =
        x->auth.kind == AUTH_V4 ? x->auth.v4.session_token : x->auth.v2.session_token;
    if (str_set(found->session_token) && !str_eq(token, found->session_token)) {
        return refuse(x, FAULT_TOKEN);
    }
    if (found->expires_ms != 0 && clock_now_ms() >= found->expires_ms) {
        return refuse(x, FAULT_EXPIRED);
    }
    x->auth.secret = found->secret;
    x->auth.must_verify = true;
    caller->account = str_set(found->account) ? found->account : caller->account;
    caller->arn = found->arn;
    caller->user_id = found->user_id;
    return ST_OK;
}

static enum status find_secret(struct http_exchange *x)
{
    const struct config *config = core_config(x->call.core);
    struct str key = x->call.caller.access_key;
    bool account = is_account(key);
    if (account) {
        x->call.caller.account = key;
    }
    if (account || str_eqz(key, config->access_key)) {
        x->auth.secret = str_z(config->secret_key);
        x->auth.must_verify = config->auth_strict;
        return ST_OK;
    }
    struct credential found = { 0 };
    credential_lookup_fn lookup = auth_lookup();
    enum status st =
        lookup && x->call.db ? lookup(x->call.db, x->call.arena, key, &found) : ST_NOT_FOUND;
    if (st == ST_OK) {
        return use_issued(x, &found);
    }
    if (st != ST_NOT_FOUND) {
        return call_status(&x->call, st);
    }
    if (!config->auth_strict) {
        return ST_OK;
    }
    enum status refused = refuse(x, FAULT_KEY);
    if (x->call.protocol == PROTO_REST_XML) {
        call_fail_field(&x->call, "AWSAccessKeyId", key);
    }
    return refused;
}

/* --- the signature ---------------------------------------------------------------------------- */

static enum status verify_v4(struct http_exchange *x, struct str body_hash)
{
    struct http_auth *auth = &x->auth;
    struct call *c = &x->call;
    struct sig_text text;
    c->caller.verified =
        sigv4_verify(&x->request, &auth->v4, auth->secret, body_hash, c->arena, &text);
    if (!c->caller.verified && auth->must_verify) {
        return refuse_signature(x, &text);
    }
    if (!c->caller.verified || !auth->must_verify) {
        return ST_OK;
    }
    struct str name = sigv4_unsigned_header(&x->request, &auth->v4);
    if (str_set(name) && canonical_is_s3(auth->v4.service)) {
        enum status st = refuse(x, FAULT_UNSIGNED);
        call_fail_field(c, "HeadersNotSigned", name);
        return st;
    }
    return ST_OK;
}

static enum status verify_v2(struct http_exchange *x)
{
    struct sig_text text;
    struct call *c = &x->call;
    struct str bucket = str_eq(x->route.path, x->request.path) ? STR_NONE : c->bucket;
    c->caller.verified =
        sigv2_verify(&x->request, &x->auth.v2, bucket, x->auth.secret, c->arena, &text);
    return c->caller.verified || !x->auth.must_verify ? ST_OK : refuse_signature(x, &text);
}

static bool is_hash(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F'))) {
            return false;
        }
    }
    return s.n == 64;
}

static enum status check_v4(struct http_exchange *x)
{
    struct http_auth *auth = &x->auth;
    if (auth->v4.asymmetric) {
        return !auth->must_verify
                   ? ST_OK
                   : refuse_words(x, FAULT_UNSUPPORTED,
                                  "SigV4a signatures (AWS4-ECDSA-P256-SHA256) cannot "
                                  "be verified here; sign with AWS4-HMAC-SHA256.");
    }
    bool s3 = x->call.protocol == PROTO_REST_XML;
    auth->check_payload = is_hash(auth->v4.payload_hash) && (s3 || auth->must_verify);
    if (!str_set(auth->secret)) {
        return ST_OK;
    }
    if (!str_set(auth->v4.payload_hash)) {
        auth->wants_body_hash = auth->must_verify;
        return ST_OK;
    }
    return verify_v4(x, STR_NONE);
}

enum status auth_check(struct http_exchange *x)
{
    struct http_auth *auth = &x->auth;
    struct caller *caller = &x->call.caller;
    caller->account = core_default_account(x->call.core);
    caller->region = core_default_region(x->call.core);
    if (auth->kind == AUTH_V4 && !str_empty(auth->v4.region)) {
        caller->region = auth->v4.region;
    }
    if (auth->malformed) {
        bool v2_query = auth->kind == AUTH_V2 && auth->problem.query;
        return refuse_words(x,
                            v2_query              ? FAULT_MISSING
                            : auth->problem.query ? FAULT_QUERY
                                                  : FAULT_HEADER,
                            auth->problem.text);
    }
    if (auth->kind == AUTH_NONE) {
        return ST_OK;
    }
    caller->access_key = auth->kind == AUTH_V4 ? auth->v4.access_key : auth->v2.access_key;
    enum status st = find_secret(x);
    if (st == ST_OK) {
        st = check_time(x);
    }
    if (st != ST_OK) {
        return st;
    }
    if (auth->kind == AUTH_V4) {
        return check_v4(x);
    }
    return str_set(auth->secret) ? verify_v2(x) : ST_OK;
}

enum status auth_check_op(struct http_exchange *x)
{
    bool strict = core_config(x->call.core)->auth_strict;
    if (!strict || x->auth.kind != AUTH_NONE || (x->call.op && x->call.op->flags & OP_NO_AUTH)) {
        return ST_OK;
    }
    return refuse(x, FAULT_MISSING);
}

enum status auth_check_body(struct http_exchange *x, struct str body_sha256)
{
    struct http_auth *auth = &x->auth;
    if (auth->wants_body_hash) {
        return verify_v4(x, body_sha256);
    }
    if (!auth->check_payload || str_ieq(auth->v4.payload_hash, body_sha256)) {
        return ST_OK;
    }
    struct call *c = &x->call;
    if (c->protocol != PROTO_REST_XML) {
        return refuse_words(x, FAULT_PAYLOAD,
                            "The body's SHA-256 differs from the x-amz-content-sha256 header.");
    }
    enum status st = refuse(x, FAULT_PAYLOAD);
    call_fail_field(c, "ClientComputedContentSHA256", auth->v4.payload_hash);
    call_fail_field(c, "S3ComputedContentSHA256", body_sha256);
    return st;
}

enum status auth_check_form(struct call *c, const struct auth_form *form)
{
    struct http_exchange *x = exchange_of(c);
    struct http_auth *auth = &x->auth;
    *auth = (struct http_auth){ .kind = str_set(form->credential) ? AUTH_V4 : AUTH_V2 };
    if (auth->kind == AUTH_V4) {
        auth->v4.signature = form->signature;
        auth->v4.session_token = form->session_token;
        if (sigv4_credential(form->credential, &auth->v4) != ST_OK) {
            return refuse_words(x, FAULT_QUERY,
                                "x-amz-credential is not of the form "
                                "KEY/YYYYMMDD/REGION/SERVICE/aws4_request.");
        }
        c->caller.region = auth->v4.region;
    } else {
        auth->v2.signature = form->signature;
        auth->v2.session_token = form->session_token;
    }
    c->caller.access_key = auth->kind == AUTH_V4 ? auth->v4.access_key : form->access_key;
    enum status st = find_secret(x);
    if (st != ST_OK || !str_set(auth->secret)) {
        return st;
    }
    c->caller.verified =
        auth->kind == AUTH_V4
            ? sigv4_policy_verify(&auth->v4, auth->secret, form->policy, form->signature, c->arena)
            : sigv2_policy_verify(auth->secret, form->policy, form->signature, c->arena);
    struct sig_text text = { STR(""), form->policy };
    return c->caller.verified || !auth->must_verify ? ST_OK : refuse_signature(x, &text);
}

void auth_chunk_options(struct http_exchange *x, struct aws_chunked_options *ret)
{
    const struct http_auth *auth = &x->auth;
    struct str stated = http_headers_get(&x->request.headers, "x-amz-content-sha256");
    bool is_signed = str_starts(stated, STR("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"));
    bool is_asymmetric = str_starts(stated, STR("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"));
    *ret = (struct aws_chunked_options){
        .signed_chunks = is_signed,
        .signed_trailer = is_signed && str_ends(stated, STR("-TRAILER")),
        .verify = is_signed && auth->kind == AUTH_V4 && auth->must_verify && !is_asymmetric,
        .announced = http_headers_get(&x->request.headers, "x-amz-trailer"),
    };
    if (ret->verify) {
        sigv4_key(auth->secret, auth->v4.date, auth->v4.region, auth->v4.service, ret->key);
        ret->time = auth->v4.time;
        ret->scope = sigv4_scope(x->call.arena, &auth->v4);
        ret->seed = auth->v4.signature;
    }
}
