/* GetObject and HeadObject. They run on HTTP threads over committed state: between reading the row
 * and opening the file the object may be replaced, so a stale row is simply read again. */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_range.h"
#include "emulators/s3/s3_service.h"
#include "emulators/s3/s3_view.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/core.h"

#define STALE_ROWS_MAX 16 /* how often a row may be replaced under our hands */

/* What a read will answer. */
struct view {
    struct s3_object_row row;
    int64_t off, len;
    bool partial; /* 206 with Content-Range */
    int64_t part; /* asked by number, 0: not */
    struct s3_part_sums parts;
    bool not_modified; /* 304 */
};

static enum status check_conditions(struct call *c, struct view *v)
{
    struct s3_cond cond = {
        .if_match = call_header(c, "if-match"),
        .if_none_match = call_header(c, "if-none-match"),
        .if_modified_since = call_header(c, "if-modified-since"),
        .if_unmodified_since = call_header(c, "if-unmodified-since"),
    };
    const char *name = NULL;
    switch (s3_cond_check(&cond, v->row.etag, v->row.modified_ms, clock_now_ms(), &name)) {
    case S3_COND_NOT_MODIFIED:
        v->not_modified = true;
        return ST_OK;
    case S3_COND_FAILED: {
        enum status st = call_fail(c, &s3_PreconditionFailed, NULL);
        call_fail_field(c, "Condition", str_z(name));
        return st;
    }
    default:
        return ST_OK;
    }
}

static enum status select_part(struct call *c, struct view *v)
{
    int64_t count = v->parts.n > 0 ? (int64_t)v->parts.n : 1;
    if (v->part < 1 || v->part > S3_PARTS_MAX) {
        return s3_fail_argument(c, "partNumber", arena_printf(c->arena, "%lld", (long long)v->part),
                                "Part number must be an integer between 1 and 10000, inclusive");
    }
    if (v->part > count) {
        enum status st = call_fail(c, &s3_InvalidPartNumber, NULL);
        call_fail_field(c, "ActualPartCount", arena_printf(c->arena, "%lld", (long long)count));
        call_fail_field(c, "PartNumberRequested",
                        arena_printf(c->arena, "%lld", (long long)v->part));
        return st;
    }
    if (v->parts.n > 0) {
        for (int64_t i = 0; i < v->part - 1; i++) {
            v->off += (int64_t)v->parts.v[i].size;
        }
        v->len = (int64_t)v->parts.v[v->part - 1].size;
    }
    v->partial = v->row.size > 0;
    return ST_OK;
}

static enum status select_bytes(struct call *c, struct view *v, const struct opt_i64 *part)
{
    struct str range = call_header(c, "range");
    v->off = 0;
    v->len = v->row.size;
    if (part->set) {
        if (!str_empty(range)) {
            return call_fail(c, &s3_InvalidRequest,
                             "Cannot specify both Range header and partNumber query parameter");
        }
        v->part = part->v;
        v->parts = s3_parts_decode(c->arena, v->row.parts);
        return select_part(c, v);
    }
    enum s3_range_kind kind = s3_range_parse(range, v->row.size, &v->off, &v->len);
    if (kind == S3_RANGE_OUTSIDE) {
        enum status st = call_fail(c, &s3_InvalidRange, NULL);
        call_fail_field(c, "RangeRequested", range);
        call_fail_field(c, "ActualObjectSize",
                        arena_printf(c->arena, "%lld", (long long)v->row.size));
        return st;
    }
    v->partial = kind == S3_RANGE_PART;
    return ST_OK;
}

/* response-content-type and its like replace what is stored; only for those who signed. */
static enum status apply_overrides(struct call *c)
{
    static const struct {
        const char *query, *header;
    } names[] = {
        { "response-content-type", "Content-Type" },
        { "response-content-language", "Content-Language" },
        { "response-content-disposition", "Content-Disposition" },
        { "response-content-encoding", "Content-Encoding" },
        { "response-cache-control", "Cache-Control" },
        { "response-expires", "Expires" },
    };
    if (str_find_str(c->query, STR("response-")) < 0) {
        return ST_OK;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct str value = STR_NONE;
        if (!call_query(c, names[i].query, &value)) {
            continue;
        }
        if (!str_set(c->caller.access_key)) {
            return call_fail(c, &s3_InvalidRequest,
                             "Request specific response headers cannot be used for anonymous GET "
                             "requests.");
        }
        call_set_header(c, names[i].header, value);
    }
    return ST_OK;
}

/* Checksums only where they are of the bytes that are sent. */
static void reply_checksum(struct call *c, const struct view *v)
{
    if (!str_ieqz(call_header(c, "x-amz-checksum-mode"), "ENABLED")) {
        return;
    }
    if (v->part > 0 && v->parts.n > 0) {
        struct str own = v->parts.v[v->part - 1].value;
        if (v->row.composite && own.n > 0) {
            s3_checksum_reply(c, v->row.alg, own, true);
        } else if (v->parts.n == 1) {
            s3_checksum_reply(c, v->row.alg, v->row.checksum, false);
        }
        return;
    }
    if (!v->partial || v->part > 0) {
        s3_checksum_reply(c, v->row.alg, v->row.checksum, v->row.composite);
    }
}

static enum status reply_view(struct call *c, const struct view *v, int fd)
{
    s3_headers_reply(c, &v->row);
    enum status st = apply_overrides(c);
    if (st != ST_OK) {
        if (fd >= 0) {
            close(fd);
        }
        return st;
    }
    if (v->partial) {
        call_set_http_status(c, 206);
        call_set_header(c, "Content-Range",
                        arena_printf(c->arena, "bytes %lld-%lld/%lld", (long long)v->off,
                                     (long long)(v->off + v->len - 1), (long long)v->row.size));
    }
    if (v->part > 0 && v->parts.n > 0) {
        call_set_header(c, "x-amz-mp-parts-count", arena_printf(c->arena, "%zu", v->parts.n));
    }
    reply_checksum(c, v);
    call_reply_file(c, fd, v->off, v->len);
    return ST_OK;
}

static enum status plan(struct call *c, struct str version, const struct opt_i64 *part,
                        struct view *ret)
{
    *ret = (struct view){ .off = 0 };
    enum status st = s3_view_choose(c, s3_find_object(c, version, &ret->row), &ret->row);
    if (st == ST_NOT_FOUND) {
        return s3_fail_key(c, c->key);
    }
    if (st == ST_OK) {
        st = check_conditions(c, ret);
    }
    if (st == ST_OK && !ret->not_modified) {
        st = select_bytes(c, ret, part);
    }
    return st;
}

static enum status reply_not_modified(struct call *c, const struct view *v)
{
    call_set_http_status(c, 304);
    call_set_header(c, "ETag", s3_quoted(c->arena, v->row.etag));
    call_set_header(c, "Last-Modified", clock_rfc822(c->arena, v->row.modified_ms));
    if (str_set(v->row.head.cache_control)) {
        call_set_header(c, "Cache-Control", v->row.head.cache_control);
    }
    call_reply_bytes(c, STR_NONE, STR(""));
    return ST_OK;
}

enum status s3_get_object(struct call *c, const struct s3_get_object_request *in,
                          struct s3_get_object_response *ret_out)
{
    (void)ret_out;
    struct view v;
    for (int i = 0; i < STALE_ROWS_MAX; i++) {
        enum status st = plan(c, in->VersionId, &in->PartNumber, &v);
        if (st != ST_OK) {
            return call_status(c, st);
        }
        if (v.not_modified) {
            return reply_not_modified(c, &v);
        }
        int fd = -1;
        st = blob_open(core_blobs(c->core), &v.row.ref, v.row.path, &fd);
        if (st == ST_OK) {
            return reply_view(c, &v, fd);
        }
        if (st != ST_NOT_FOUND) {
            return call_status(c, st);
        }
    }
    log_error("s3", "the file %.*s of s3://%.*s/%.*s is missing or was changed from outside",
              STR_ARG(v.row.path), STR_ARG(c->bucket), STR_ARG(c->key));
    return call_fail(c, &s3_InternalError,
                     "The bytes of this object are missing: the file buckets/%.*s in the data "
                     "folder was removed or changed by another program. Put the object again.",
                     STR_ARG(v.row.path));
}

enum status s3_head_object(struct call *c, const struct s3_head_object_request *in,
                           struct s3_head_object_response *ret_out)
{
    (void)ret_out;
    struct view v;
    enum status st = plan(c, in->VersionId, &in->PartNumber, &v);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    return v.not_modified ? reply_not_modified(c, &v) : reply_view(c, &v, -1);
}
