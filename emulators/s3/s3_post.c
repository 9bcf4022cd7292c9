/* PostObject: a browser's upload form. The whole form is received into a staged file, a worker
 * finds its fields and the end of the file, the core checks signature and policy, another worker
 * copies the file's bytes out, and the core publishes them.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_form.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_integrity.h"
#include "emulators/s3/s3_join.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_post_policy.h"
#include "emulators/s3/s3_write.h"
#include "server/base/clock.h"
#include "server/core.h"
#include "server/http/auth.h"
#include "server/loop/loop.h"
#include "server/wire/xml_write.h"

#define ANSWER_MAX (64u << 10)

struct post {
    struct call *c;
    struct str boundary;
    struct blob_ref body;
    struct s3_form form;
    enum status read; /* of the form */
    int fd;
    struct s3_object_row row;
    struct s3_integrity want;
    struct s3_join join;
    struct s3_join_piece piece;
};

/* --- before the body -------------------------------------------------------------------------- */

enum status s3_post_prepare(struct call *c)
{
    if (str_set(s3_form_boundary(call_header(c, "content-type")))) {
        return ST_OK;
    }
    enum status st = call_fail(c, &s3_PreconditionFailed, NULL);
    call_fail_field(c, "Condition",
                    STR("Bucket POST must be of the enclosure-type multipart/form-data"));
    return st;
}

/* --- signature and policy --------------------------------------------------------------------- */

static enum status need_field(struct post *p, const char *name)
{
    if (!str_empty(s3_form_get(&p->form, name))) {
        return ST_OK;
    }
    struct call *c = p->c;
    enum status st = call_fail(c, &s3_InvalidArgument,
                               "Bucket POST must contain a field named '%s'.  If it is specified, "
                               "please check the order of the fields.",
                               name);
    call_fail_field(c, "ArgumentName", str_z(name));
    call_fail_field(c, "ArgumentValue", STR(""));
    return st;
}

static enum status check_signature(struct post *p)
{
    const struct s3_form *f = &p->form;
    struct auth_form form = {
        .policy = s3_form_get(f, "policy"),
        .credential = s3_form_get(f, "x-amz-credential"),
        .date = s3_form_get(f, "x-amz-date"),
        .access_key = s3_form_get(f, "AWSAccessKeyId"),
        .session_token = s3_form_get(f, "x-amz-security-token"),
    };
    bool v2 = !str_set(form.credential) && str_set(form.access_key);
    static const char *const needed[2][3] = {
        { "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature" },
        { "AWSAccessKeyId", "Signature", NULL },
    };
    enum status st = ST_OK;
    for (size_t i = 0; i < 3 && needed[v2][i] && st == ST_OK; i++) {
        st = need_field(p, needed[v2][i]);
    }
    form.signature = s3_form_get(f, v2 ? "signature" : "x-amz-signature");
    return st == ST_OK ? auth_check_form(p->c, &form) : st;
}

static enum status check_policy(struct post *p)
{
    struct call *c = p->c;
    struct s3_policy_answer said;
    struct s3_policy_case in = { .policy = s3_form_get(&p->form, "policy"),
                                 .form = &p->form,
                                 .bucket = c->bucket,
                                 .key = c->key,
                                 .now_ms = clock_now_ms() };
    enum s3_policy_verdict verdict = s3_post_policy(c->arena, &in, &said);
    switch (verdict) {
    case S3_POLICY_INVALID:
        return call_fail(c, &s3_InvalidPolicyDocument, "%.*s", STR_ARG(said.text));
    case S3_POLICY_DENIES:
        return call_fail(c, &s3_AccessDenied, "%.*s", STR_ARG(said.text));
    case S3_POLICY_TOO_SMALL:
    case S3_POLICY_TOO_LARGE: {
        bool small = verdict == S3_POLICY_TOO_SMALL;
        enum status st = call_fail(c, small ? &s3_EntityTooSmall : &s3_EntityTooLarge, NULL);
        call_fail_field(c, "ProposedSize",
                        arena_printf(c->arena, "%lld", (long long)p->form.file_len));
        call_fail_field(c, small ? "MinSizeAllowed" : "MaxSizeAllowed",
                        arena_printf(c->arena, "%lld", (long long)said.limit));
        return st;
    }
    default:
        return ST_OK;
    }
}

static enum status check_right(struct post *p)
{
    struct call *c = p->c;
    if (str_set(s3_form_get(&p->form, "policy"))) {
        enum status st = check_signature(p);
        return st == ST_OK ? check_policy(p) : st;
    }
    if (core_config(c->core)->auth_strict && !c->caller.verified) {
        return call_fail(c, &s3_AccessDenied, NULL); /* no bucket is open to everybody */
    }
    return ST_OK;
}

/* --- fields ----------------------------------------------------------------------------------- */

/* "uploads/${filename}" */
static struct str key_of(struct post *p)
{
    struct arena *a = p->c->arena;
    struct str key = s3_form_get(&p->form, "key"), mark = STR("${filename}");
    ptrdiff_t at = str_find_str(key, mark);
    if (at < 0) {
        return key;
    }
    return arena_printf(a, "%.*s%.*s%.*s", STR_ARG(str_sub(key, 0, (size_t)at)),
                        STR_ARG(p->form.file_name),
                        STR_ARG(str_sub(key, (size_t)at + mark.n, key.n)));
}

static enum status fail_form(struct post *p)
{
    switch (p->read) {
    case ST_NOT_FOUND:
        return call_fail(p->c, &s3_IncorrectNumberOfFilesInPostRequest, NULL);
    case ST_CONFLICT:
        return call_fail(p->c, &s3_MaxPostPreDataLengthExceeded, NULL);
    case ST_INVALID:
        return call_fail(p->c, &s3_MalformedPOSTRequest, NULL);
    default:
        return p->read;
    }
}

/* The fields say what a PUT's headers would. */
static void take_fields(struct post *p)
{
    struct call *c = p->c;
    call_forget_headers(c);
    for (size_t i = 0; i < p->form.n; i++) {
        const struct s3_form_field *f = &p->form.v[i];
        call_add_header(c, str_ieqz(f->name, "acl") ? STR("x-amz-acl") : f->name, f->value);
    }
}

static enum status check_form(struct post *p)
{
    struct call *c = p->c;
    struct s3_bucket_row bucket;
    enum status st = p->read == ST_OK ? need_field(p, "key") : fail_form(p);
    if (st == ST_OK) {
        c->key = key_of(p);
        st = check_right(p);
    }
    if (st == ST_OK) {
        take_fields(p);
        st = s3_need_bucket(c, &bucket); /* now that it is known who calls */
    }
    if (st == ST_OK) {
        st = s3_check_key(c);
    }
    if (st == ST_OK && p->form.file_len > S3_PUT_MAX) {
        st = call_fail(c, &s3_EntityTooLarge, NULL);
    }
    if (st == ST_OK && str_set(s3_form_get(&p->form, "tagging"))) {
        st = s3_fail_header(c, "tagging",
                            "Tags in upload forms are not implemented; use PutObjectTagging.");
    }
    if (st == ST_OK) {
        st = s3_integrity_read(c, &p->want);
    }
    return st == ST_OK ? s3_headers_read(c, &p->row.head) : st;
}

/* --- publishing ------------------------------------------------------------------------------- */

static enum status publish(struct post *p)
{
    struct call *c = p->c;
    struct s3_object_row *old = NULL;
    struct s3_bucket_row bucket;
    enum status st = s3_need_bucket(c, &bucket);
    if (st == ST_OK) {
        st = s3_write_current(call_s3(c), c->arena, c->bucket, c->key, &old);
    }
    if (st == ST_OK) {
        struct s3_cause cause = s3_cause_of(c);
        struct s3_write write = { &p->row, old, "s3:ObjectCreated:Post" };
        st = s3_write_object(call_s3(c), c->arena, &bucket, &write, &cause);
    }
    return st;
}

static void answer_document(struct post *p, struct str location, struct str etag)
{
    struct call *c = p->c;
    struct buf b = BUF_INIT(ANSWER_MAX);
    struct xml_out x;
    xml_begin(&x, &b);
    xml_open(&x, "PostResponse");
    xml_leaf(&x, "Location", location);
    xml_leaf(&x, "Bucket", c->bucket);
    xml_leaf(&x, "Key", c->key);
    xml_leaf(&x, "ETag", etag);
    xml_close(&x);
    call_reply_bytes(c, STR("application/xml"), buf_str(&b));
    buf_fini(&b);
}

static void answer(struct post *p)
{
    struct call *c = p->c;
    struct arena *a = c->arena;
    struct str status = s3_form_get(&p->form, "success_action_status");
    struct str target = s3_form_get(&p->form, "success_action_redirect");
    struct str etag = s3_quoted(a, p->row.etag), endpoint = core_endpoint(c->core);
    struct str location = arena_printf(a, "%.*s/%.*s/%.*s", STR_ARG(endpoint), STR_ARG(c->bucket),
                                       STR_ARG(url_encode(a, c->key, true)));
    call_set_header(c, "ETag", etag);
    s3_checksum_reply(c, p->row.alg, p->row.checksum, false);
    if (str_starts(target, STR("http://")) || str_starts(target, STR("https://"))) {
        location = arena_printf(
            a, "%.*s%sbucket=%.*s&key=%.*s&etag=%.*s", STR_ARG(target),
            str_find(target, '?', 0) < 0 ? "?" : "&", STR_ARG(url_encode(a, c->bucket, false)),
            STR_ARG(url_encode(a, c->key, false)), STR_ARG(url_encode(a, etag, false)));
        call_set_http_status(c, 303);
    } else if (str_eqz(status, "201")) {
        answer_document(p, location, etag);
        call_set_http_status(c, 201);
    } else {
        call_set_http_status(c, str_eqz(status, "200") ? 200 : 204);
    }
    call_set_header(c, "Location", location);
}

static void copied(struct s3_join *join, void *arg)
{
    struct post *p = arg;
    struct call *c = p->c;
    struct core_mark mark;
    if (join->st != ST_OK) {
        call_finish(c, call_status(c, join->st));
        return;
    }
    p->row.bucket = c->bucket;
    p->row.key = c->key;
    p->row.ref = join->ref;
    memcpy(c->body.digest, join->digest, sizeof(join->digest));
    p->row.etag = hex_encode(c->arena, join->digest[DIGEST_MD5], 16);
    p->row.alg = p->want.alg == S3_ALG_NONE ? S3_ALG_CRC64NVME : p->want.alg;
    p->row.checksum = s3_body_checksum(c, p->row.alg);
    enum status st = s3_integrity_check(c, &p->want);
    if (st == ST_OK) {
        st = core_mark(c->core, &mark);
    }
    if (st == ST_OK) {
        st = core_mark_end(c->core, mark, publish(p));
    }
    if (st == ST_OK) {
        answer(p);
    } else {
        s3_join_discard(join);
    }
    call_finish(c, call_status(c, st));
}

/* --- reading the form ------------------------------------------------------------------------- */

static void read_form(void *arg)
{
    struct post *p = arg;
    p->read = blob_open(core_blobs(p->c->core), &p->body, STR_NONE, &p->fd);
    if (p->read == ST_OK) {
        p->read = s3_form_read(p->c->arena, p->fd, p->boundary, &p->form);
    } else {
        p->read = ST_IO;
    }
}

static void form_is_read(void *arg)
{
    struct post *p = arg;
    struct call *c = p->c;
    call_s3(c)->copying--;
    enum status st = check_form(p);
    if (st != ST_OK) {
        if (p->fd >= 0) {
            close(p->fd);
        }
        call_finish(c, call_status(c, st));
        return;
    }
    enum s3_alg alg = p->want.alg == S3_ALG_NONE ? S3_ALG_CRC64NVME : p->want.alg;
    p->piece = (struct s3_join_piece){ p->fd, p->body, p->form.file_off, p->form.file_len };
    p->join = (struct s3_join){ .s3 = call_s3(c),
                                .pieces = &p->piece,
                                .n = 1,
                                .want = 1u << DIGEST_MD5 | 1u << s3_alg_info(alg)->digest,
                                .done = copied,
                                .arg = p };
    s3_join_start(&p->join);
}

static enum status post_object(struct call *c, const void *in, void *out)
{
    (void)in;
    (void)out;
    struct post *p = ARENA_NEW(c->arena, struct post);
    p->c = c;
    p->fd = -1;
    p->boundary = s3_form_boundary(call_header(c, "content-type"));
    if (!c->body.staged || !str_set(p->boundary)) {
        return call_fail(c, &s3_IncorrectNumberOfFilesInPostRequest, NULL);
    }
    p->body = c->body.ref; /* stays the call's, which discards it at its end */
    call_s3(c)->copying++;
    work_start(core_loop(c->core), read_form, form_is_read, p);
    return ST_PENDING;
}

const struct op s3_post_object_op = {
    .name = "PostObject",
    .fn = post_object,
    .method = "POST",
    .uri = "/{Bucket}",
    .http_status = 204,
    .flags = OP_STREAM_IN | OP_NO_AUTH,
};
