#include "server/http/sigv4.h"

#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/http/canonical.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define ALGORITHM_ECDSA "AWS4-ECDSA-P256-SHA256"
#define UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

bool sigv4_present(const struct http_request *r)
{
    struct str auth = http_headers_get(&r->headers, "authorization");
    if (str_starts(auth, STR("AWS4-"))) {
        return true;
    }
    return str_find_str(r->query, STR("X-Amz-Algorithm=")) >= 0 ||
           str_find_str(r->query, STR("X-Amz-Signature=")) >= 0 ||
           str_find_str(r->query, STR("X-Amz-Credential=")) >= 0;
}

/* Takes the part after the last '/' off. */
static bool cut_last(struct str *s, struct str *ret_tail)
{
    for (size_t i = s->n; i-- > 0;) {
        if (s->p[i] == '/') {
            *ret_tail = str_sub(*s, i + 1, s->n);
            *s = str_sub(*s, 0, i);
            return true;
        }
    }
    return false;
}

enum status sigv4_credential(struct str credential, struct sigv4 *ret)
{
    struct str end;
    if (!cut_last(&credential, &end) || !str_eqz(end, "aws4_request") ||
        !cut_last(&credential, &ret->service)) {
        return ST_INVALID;
    }
    ret->region = STR("");
    if (!ret->asymmetric && !cut_last(&credential, &ret->region)) {
        return ST_INVALID;
    }
    if (!cut_last(&credential, &ret->date) || ret->date.n != 8 || credential.n == 0) {
        return ST_INVALID;
    }
    ret->access_key = credential;
    return ST_OK;
}

static enum status problem(struct sig_problem *ret, bool query, const char *text)
{
    *ret = (struct sig_problem){ query, text };
    return ST_INVALID;
}

/* "20261120T070809Z", and the day must be the scope's. */
static enum status take_time(struct sigv4 *s, struct arena *a, struct str text,
                             struct sig_problem *ret_problem)
{
    s->time = text;
    if (text.n == 16 && text.p[8] == 'T' && text.p[15] == 'Z') {
        struct str iso = arena_printf(a, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text.p, text.p + 4,
                                      text.p + 6, text.p + 9, text.p + 11, text.p + 13);
        if (clock_parse(iso, &s->time_ms) != ST_OK) {
            return problem(ret_problem, s->query, "The date is not of the form YYYYMMDDTHHMMSSZ.");
        }
    } else if (s->query || clock_parse(text, &s->time_ms) != ST_OK) {
        return problem(ret_problem, s->query, "The date is not of the form YYYYMMDDTHHMMSSZ.");
    } else {
        /* a Date header instead of x-amz-date: the string to sign holds the ISO form */
        s->time = clock_format(a, s->time_ms, "%Y%m%dT%H%M%SZ");
    }
    if (!str_eq(str_sub(s->time, 0, 8), s->date)) {
        return problem(ret_problem, s->query,
                       "The day in the credential differs from the day of the request's date.");
    }
    return ST_OK;
}

static bool names_host(struct str signed_headers)
{
    struct str name;
    while (str_next(&signed_headers, ';', &name)) {
        if (str_ieqz(name, "host")) {
            return true;
        }
    }
    return false;
}

static bool hex64(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return s.n == 64;
}

static enum status check_parts(struct sigv4 *s, struct sig_problem *ret_problem)
{
    if (!names_host(s->signed_headers)) {
        return problem(ret_problem, s->query, "'host' must be one of the signed headers.");
    }
    if (!s->asymmetric && !hex64(s->signature)) {
        return problem(ret_problem, s->query, "The signature must be 64 lower-case hex digits.");
    }
    return ST_OK;
}

static enum status parse_header(const struct http_request *r, struct str auth, struct arena *a,
                                struct sigv4 *ret, struct sig_problem *ret_problem)
{
    struct str scheme, rest = STR_NONE, item;
    (void)str_cut(auth, ' ', &scheme, &rest);
    ret->asymmetric = str_eqz(scheme, ALGORITHM_ECDSA);
    if (!ret->asymmetric && !str_eqz(scheme, ALGORITHM)) {
        return problem(ret_problem, false, "The signing algorithm is not " ALGORITHM ".");
    }
    struct str credential = STR_NONE;
    while (str_next(&rest, ',', &item)) {
        struct str name, value;
        (void)str_cut(str_trim(item), '=', &name, &value);
        if (str_eqz(name, "Credential")) {
            credential = value;
        } else if (str_eqz(name, "SignedHeaders")) {
            ret->signed_headers = value;
        } else if (str_eqz(name, "Signature")) {
            ret->signature = value;
        }
    }
    if (!str_set(credential) || sigv4_credential(credential, ret) != ST_OK) {
        return problem(
            ret_problem, false,
            "The Credential is not of the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request.");
    }
    if (!str_set(ret->signed_headers) || !str_set(ret->signature)) {
        return problem(ret_problem, false, "SignedHeaders and Signature must both be given.");
    }
    ret->session_token = http_headers_get(&r->headers, "x-amz-security-token");
    ret->payload_hash = http_headers_get(&r->headers, "x-amz-content-sha256");
    struct str date = http_headers_get(&r->headers, "x-amz-date");
    if (!str_set(date)) {
        date = http_headers_get(&r->headers, "date");
    }
    if (!str_set(date)) {
        return problem(ret_problem, false, "A signed request needs an x-amz-date or Date header.");
    }
    enum status st = take_time(ret, a, date, ret_problem);
    return st == ST_OK ? check_parts(ret, ret_problem) : st;
}

static enum status parse_query(const struct http_request *r, struct arena *a, struct sigv4 *ret,
                               struct sig_problem *ret_problem)
{
    struct str algorithm = STR_NONE, credential = STR_NONE, date = STR_NONE, expires = STR_NONE;
    ret->query = true;
    (void)http_query_get(r->query, a, "X-Amz-Algorithm", &algorithm);
    (void)http_query_get(r->query, a, "X-Amz-Credential", &credential);
    (void)http_query_get(r->query, a, "X-Amz-Date", &date);
    (void)http_query_get(r->query, a, "X-Amz-Expires", &expires);
    (void)http_query_get(r->query, a, "X-Amz-SignedHeaders", &ret->signed_headers);
    (void)http_query_get(r->query, a, "X-Amz-Signature", &ret->signature);
    (void)http_query_get(r->query, a, "X-Amz-Security-Token", &ret->session_token);
    ret->asymmetric = str_eqz(algorithm, ALGORITHM_ECDSA);
    if (str_set(credential) && sigv4_credential(credential, ret) != ST_OK) {
        return problem(ret_problem, true,
                       "X-Amz-Credential is not of the form "
                       "KEY/YYYYMMDD/REGION/SERVICE/aws4_request.");
    }
    if (!str_set(algorithm) || !str_set(credential) || !str_set(date) || !str_set(expires) ||
        !str_set(ret->signed_headers) || !str_set(ret->signature)) {
        return problem(ret_problem, true,
                       "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                       "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                       "X-Amz-Expires parameters.");
    }
    if (!ret->asymmetric && !str_eqz(algorithm, ALGORITHM)) {
        return problem(ret_problem, true, "X-Amz-Algorithm only supports \"" ALGORITHM "\".");
    }
    if (str_i64(expires, &ret->expires_s) != ST_OK || ret->expires_s < 0) {
        return problem(ret_problem, true, "X-Amz-Expires must be a number of seconds, 0 or more.");
    }
    if (ret->expires_s > SIGV4_EXPIRES_MAX_S) {
        return problem(ret_problem, true,
                       "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                       "X-Amz-Expires must be less than 604800 seconds.");
    }
    if (!http_query_get(r->query, a, "X-Amz-Content-Sha256", &ret->payload_hash)) {
        ret->payload_hash = http_headers_get(&r->headers, "x-amz-content-sha256");
    }
    if (!str_set(ret->payload_hash) && canonical_is_s3(ret->service)) {
        ret->payload_hash = STR(UNSIGNED_PAYLOAD);
    }
    enum status st = take_time(ret, a, date, ret_problem);
    return st == ST_OK ? check_parts(ret, ret_problem) : st;
}

enum status sigv4_parse(const struct http_request *r, struct arena *a, struct sigv4 *ret,
                        struct sig_problem *ret_problem)
{
    *ret = (struct sigv4){ 0 };
    struct str auth = http_headers_get(&r->headers, "authorization");
    return str_set(auth) ? parse_header(r, auth, a, ret, ret_problem)
                         : parse_query(r, a, ret, ret_problem);
}

struct str sigv4_scope(struct arena *a, const struct sigv4 *s)
{
    return arena_printf(a, "%.*s/%.*s/%.*s/aws4_request", STR_ARG(s->date), STR_ARG(s->region),
                        STR_ARG(s->service));
}

bool sigv4_hmac_is(const unsigned char key[SIGV4_KEY_BYTES], struct str text, struct str hex,
                   struct arena *a)
{
    unsigned char mac[32];
    hmac_sha256((struct str){ (const char *)key, SIGV4_KEY_BYTES }, text, mac);
    struct str right = hex_encode(a, mac, sizeof(mac));
    return hex.n == right.n && digest_equal(hex.p, right.p, right.n);
}

bool sigv4_verify(const struct http_request *r, const struct sigv4 *s, struct str secret,
                  struct str body_hash, struct arena *a, struct sig_text *ret_text)
{
    struct str payload = str_set(s->payload_hash) ? s->payload_hash : body_hash;
    struct str canonical = canonical_request(r, s, payload, a);
    unsigned char hash[DIGEST_MAX];
    digest_bytes(DIGEST_SHA256, canonical.p, canonical.n, hash);
    struct str scope = sigv4_scope(a, s);
    struct str hex = hex_encode(a, hash, 32);
    struct str to_sign = arena_printf(a, ALGORITHM "\n%.*s\n%.*s\n%.*s", STR_ARG(s->time),
                                      STR_ARG(scope), STR_ARG(hex));
    if (ret_text) {
        *ret_text = (struct sig_text){ canonical, to_sign };
    }
    unsigned char key[SIGV4_KEY_BYTES];
    sigv4_key(secret, s->date, s->region, s->service, key);
    return sigv4_hmac_is(key, to_sign, s->signature, a);
}

struct str sigv4_unsigned_header(const struct http_request *r, const struct sigv4 *s)
{
    for (size_t i = 0; i < r->headers.n; i++) {
        struct str name = r->headers.v[i].name;
        /* the payload hash is part of the canonical request by itself */
        if (name.n < 6 || !str_ieqz(str_sub(name, 0, 6), "x-amz-") ||
            str_ieqz(name, "x-amz-content-sha256")) {
            continue;
        }
        struct str rest = s->signed_headers, item;
        bool found = false;
        while (!found && str_next(&rest, ';', &item)) {
            found = str_ieq(item, name);
        }
        if (!found) {
            return name;
        }
    }
    return STR_NONE;
}

bool sigv4_policy_verify(const struct sigv4 *s, struct str secret, struct str policy_base64,
                         struct str signature_hex, struct arena *a)
{
    unsigned char key[SIGV4_KEY_BYTES];
    sigv4_key(secret, s->date, s->region, s->service, key);
    return sigv4_hmac_is(key, policy_base64, signature_hex, a);
}
