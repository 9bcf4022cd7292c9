/* GetObjectAttributes. */
#include "emulators/s3/s3_errors.h"
#include "emulators/s3/s3_headers.h"
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_multipart.h"
#include "server/base/clock.h"

static bool asked(const struct s3_get_object_attributes_request *in, const char *name)
{
    for (size_t i = 0; i < in->ObjectAttributes.n; i++) {
        /* Clients send one header per name or one header with commas. */
        struct str rest = in->ObjectAttributes.v[i], item = STR_NONE;
        while (str_next(&rest, ',', &item)) {
            if (str_eqz(str_trim(item), name)) {
                return true;
            }
        }
    }
    return false;
}

/* Without the "-N" that other answers show. */
static struct s3_checksum *whole_checksum(struct call *c, const struct s3_object_row *row)
{
    if (row->alg == S3_ALG_NONE || !str_set(row->checksum)) {
        return NULL;
    }
    struct s3_checksum *out = ARENA_NEW(c->arena, struct s3_checksum);
    ptrdiff_t dash = str_find(row->checksum, '-', 0);
    struct str value = dash < 0 ? row->checksum : str_sub(row->checksum, 0, (size_t)dash);
    S3_SET_CHECKSUM(out, row->alg, value);
    out->ChecksumType = s3_checksum_type(row->composite);
    return out;
}

static struct s3_object_part part_of(int64_t number, enum s3_alg alg, const struct s3_part_sum *sum)
{
    struct s3_object_part p = { .PartNumber = OPT_I64(number), .Size = OPT_I64(sum->size) };
    if (sum->value.n > 0) {
        S3_SET_CHECKSUM(&p, alg, sum->value);
    }
    return p;
}

static struct s3_get_object_attributes_parts *
part_page(struct call *c, const struct s3_object_row *row, int64_t max, int64_t marker)
{
    struct s3_part_sums all = s3_parts_decode(c->arena, row->parts);
    if (all.n == 0) {
        return NULL;
    }
    struct s3_get_object_attributes_parts *out =
        ARENA_NEW(c->arena, struct s3_get_object_attributes_parts);
    out->TotalPartsCount = OPT_I64(all.n);
    if (!row->composite) {
        return out; /* parts have checksums of their own only when COMPOSITE */
    }
    out->Parts.v = ARENA_ARRAY(c->arena, struct s3_object_part, all.n);
    int64_t number = marker;
    while (number < (int64_t)all.n && (int64_t)out->Parts.n < max) {
        const struct s3_part_sum *sum = &all.v[number++];
        out->Parts.v[out->Parts.n++] = part_of(number, row->alg, sum);
    }
    out->PartNumberMarker = OPT_I64(marker);
    out->NextPartNumberMarker = OPT_I64(number);
    out->MaxParts = OPT_I64(max);
    out->IsTruncated = OPT_BOOL(number < (int64_t)all.n);
    return out;
}

static enum status check_names(struct call *c, const struct s3_get_object_attributes_request *in)
{
    static const char *const known[] = { "ETag", "Checksum", "ObjectParts", "StorageClass",
                                         "ObjectSize" };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (asked(in, known[i])) {
            return ST_OK;
        }
    }
    return s3_fail_argument(c, "x-amz-object-attributes", call_header(c, "x-amz-object-attributes"),
                            "Invalid attribute name specified.");
}

enum status s3_get_object_attributes(struct call *c,
                                     const struct s3_get_object_attributes_request *in,
                                     struct s3_get_object_attributes_response *ret_out)
{
    struct s3_object_row row;
    int64_t max = 0, marker = in->PartNumberMarker.set ? in->PartNumberMarker.v : 0;
    enum status st = s3_need_object(c, in->VersionId, &row);
    if (st == ST_OK) {
        st = check_names(c, in);
    }
    if (st == ST_OK) {
        st = s3_page_size(c, "x-amz-max-parts", &in->MaxParts, &max);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    ret_out->LastModified = OPT_TIME(row.modified_ms);
    ret_out->ETag = asked(in, "ETag") ? row.etag : STR_NONE;
    ret_out->Checksum = asked(in, "Checksum") ? whole_checksum(c, &row) : NULL;
    ret_out->ObjectParts =
        asked(in, "ObjectParts") ? part_page(c, &row, max, marker < 0 ? 0 : marker) : NULL;
    ret_out->StorageClass = asked(in, "StorageClass") ? s3_storage_class(&row.head) : STR_NONE;
    if (asked(in, "ObjectSize")) {
        ret_out->ObjectSize = OPT_I64(row.size);
    }
    return ST_OK;
}
