/* CopyObject: checks on the core thread, bytes in a worker, then the core again, where the
 * preconditions are looked at once more because others went on meanwhile. */
#include "emulators/s3/s3_copy_source.h"
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_join.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_multipart.h"
#include "emulators/s3/s3_write.h"
#include "server/base/digest.h"
#include "server/core.h"

struct copy {
    struct call *c;
    struct s3_object_row source, target;
    struct s3_write_cond cond;
    struct s3_join join;
    struct s3_join_piece piece;
    struct s3_copy_object_response *out;
};

/* "COPY" (also when absent) or "REPLACE". */
static enum status read_directive(struct call *c, const char *header, const char *complaint,
                                  bool *ret_replace)
{
    struct str value = call_header(c, header);
    *ret_replace = str_eqz(value, "REPLACE");
    if (str_empty(value) || *ret_replace || str_eqz(value, "COPY")) {
        return ST_OK;
    }
    return s3_fail_argument(c, header, value, complaint);
}

static enum status choose_headers(struct call *c, struct copy *copy)
{
    bool new_meta = false, new_tags = false;
    struct s3_headers given;
    struct s3_headers *head = &copy->target.head;
    enum status st =
        read_directive(c, "x-amz-metadata-directive", "Unknown metadata directive.", &new_meta);
    if (st == ST_OK) {
        st = read_directive(c, "x-amz-tagging-directive", "Unknown tagging directive.", &new_tags);
    }
    if (st == ST_OK) {
        st = s3_headers_read(c, &given);
    }
    if (st != ST_OK) {
        return st;
    }
    *head = new_meta ? given : copy->source.head;
    head->tags = new_tags ? given.tags : copy->source.head.tags;
    head->storage_class = given.storage_class;
    head->redirect = given.redirect;
    bool same = str_eq(copy->source.bucket, copy->target.bucket) &&
                str_eq(copy->source.key, copy->target.key);
    bool changes = new_meta || str_set(call_header(c, "x-amz-storage-class")) ||
                   str_set(call_header(c, "x-amz-website-redirect-location")) ||
                   str_set(call_header(c, "x-amz-server-side-encryption"));
    if (same && !changes) {
        return call_fail(c, &s3_InvalidRequest,
                         "This copy request is illegal because it is trying to copy an object to "
                         "itself without changing the object's metadata, storage class, website "
                         "redirect location or encryption attributes.");
    }
    return ST_OK;
}

/* Keeps what is known of the source; the rest is computed on the way. */
static enum status choose_digests(struct call *c, struct copy *copy)
{
    struct str named = call_header(c, "x-amz-checksum-algorithm");
    const struct s3_object_row *from = &copy->source;
    struct s3_object_row *to = &copy->target;
    to->alg = from->alg == S3_ALG_NONE ? S3_ALG_CRC64NVME : from->alg;
    if (!str_empty(named)) {
        to->alg = s3_alg_find(named);
        if (to->alg == S3_ALG_NONE) {
            return call_fail(c, &s3_InvalidRequest,
                             "Checksum algorithm provided is unsupported. Please try again with "
                             "any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
        }
    }
    if (to->alg == from->alg && !from->composite && str_set(from->checksum)) {
        to->checksum = from->checksum;
    } else {
        copy->join.want |= 1u << s3_alg_info(to->alg)->digest;
    }
    if (str_find(from->etag, '-', 0) < 0) {
        to->etag = from->etag;
    } else {
        copy->join.want |= 1u << DIGEST_MD5;
    }
    return ST_OK;
}

static enum status commit_copy(struct copy *copy)
{
    struct call *c = copy->c;
    struct s3_object_row *to = &copy->target, *old = NULL;
    struct s3_bucket_row bucket;
    enum status st = s3_need_bucket(c, &bucket);
    if (st == ST_OK) {
        st = s3_write_current(call_s3(c), c->arena, to->bucket, to->key, &old);
    }
    if (st == ST_OK) {
        st = s3_write_cond_check(c, &copy->cond, old, -1);
    }
    if (st == ST_OK) {
        struct s3_cause cause = s3_cause_of(c);
        struct s3_write write = { to, old, "s3:ObjectCreated:Copy" };
        st = s3_write_object(call_s3(c), c->arena, &bucket, &write, &cause);
    }
    if (st != ST_OK) {
        return st;
    }
    struct s3_copy_object_result *result = ARENA_NEW(c->arena, struct s3_copy_object_result);
    result->ETag = s3_quoted(c->arena, to->etag);
    result->LastModified = OPT_TIME(to->modified_ms);
    result->ChecksumType = s3_checksum_type(false);
    S3_SET_CHECKSUM(result, to->alg, to->checksum);
    copy->out->CopyObjectResult = result;
    copy->out->ServerSideEncryption = STR("AES256");
    return ST_OK;
}

static void copied(struct s3_join *join, void *arg)
{
    struct copy *copy = arg;
    struct call *c = copy->c;
    struct s3_object_row *to = &copy->target;
    struct core_mark mark;
    if (join->st != ST_OK) {
        call_finish(c, call_status(c, join->st));
        return;
    }
    to->ref = join->ref;
    if (!str_set(to->etag)) {
        to->etag = hex_encode(c->arena, join->digest[DIGEST_MD5], 16);
    }
    if (!str_set(to->checksum)) {
        enum digest_kind kind = s3_alg_info(to->alg)->digest;
        to->checksum = base64_encode(c->arena, join->digest[kind], digest_size(kind));
    }
    enum status st = core_mark(c->core, &mark);
    if (st == ST_OK) {
        st = core_mark_end(c->core, mark, commit_copy(copy));
    }
    if (st != ST_OK) {
        s3_join_discard(join);
    }
    call_finish(c, call_status(c, st));
}

static enum status check_copy(struct call *c, struct copy *copy)
{
    struct s3_object_row *old = NULL;
    enum status st = s3_check_bucket(c);
    if (st == ST_OK) {
        st = s3_check_key(c);
    }
    if (st == ST_OK) {
        st = s3_write_cond_read(c, &copy->cond);
    }
    if (st == ST_OK) {
        st = s3_copy_source(c, &copy->source);
    }
    if (st == ST_OK && copy->source.size > S3_PUT_MAX) {
        st = call_fail(c, &s3_InvalidRequest,
                       "The specified copy source is larger than the maximum allowable size for a "
                       "copy source: %lld",
                       (long long)S3_PUT_MAX);
    }
    if (st == ST_OK) {
        st = choose_headers(c, copy);
    }
    if (st == ST_OK) {
        st = choose_digests(c, copy);
    }
    if (st == ST_OK) {
        st = s3_write_current(call_s3(c), c->arena, c->bucket, c->key, &old);
    }
    return st == ST_OK ? s3_write_cond_check(c, &copy->cond, old, -1) : st;
}

enum status s3_copy_object(struct call *c, const struct s3_copy_object_request *in,
                           struct s3_copy_object_response *ret_out)
{
    (void)in;
    struct copy *copy = ARENA_NEW(c->arena, struct copy);
    copy->c = c;
    copy->out = ret_out;
    copy->target.bucket = c->bucket;
    copy->target.key = c->key;
    enum status st = check_copy(c, copy);
    if (st == ST_OK) {
        st = s3_copy_source_open(c, &copy->source, &copy->piece.fd);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    copy->piece.len = copy->source.size;
    copy->join.s3 = call_s3(c);
    copy->join.pieces = &copy->piece;
    copy->join.n = 1;
    copy->join.done = copied;
    copy->join.arg = copy;
    s3_join_start(&copy->join);
    return ST_PENDING;
}
