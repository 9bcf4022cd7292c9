#include "emulators/s3/s3_range.h"

#include "server/base/clock.h"

/* Splits "bytes=A-B" into its two texts; false on other syntax or several ranges. */
static bool range_texts(struct str header, struct str *ret_first, struct str *ret_last)
{
    struct str unit = STR_NONE, spec = STR_NONE;
    if (!str_cut(str_trim(header), '=', &unit, &spec) || !str_ieqz(str_trim(unit), "bytes")) {
        return false;
    }
    if (str_find(spec, ',', 0) >= 0 || !str_cut(str_trim(spec), '-', ret_first, ret_last)) {
        return false;
    }
    *ret_first = str_trim(*ret_first);
    *ret_last = str_trim(*ret_last);
    return true;
}

/* Digits only: str_i64 would take a sign. */
static bool range_number(struct str s, int64_t *ret)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
    }
    if (s.n == 0) {
        return false;
    }
    if (str_i64(s, ret) != ST_OK) {
        *ret = INT64_MAX; /* more digits than fit: far past the end */
    }
    return true;
}

enum s3_range_kind s3_range_parse(struct str header, int64_t size, int64_t *ret_off,
                                  int64_t *ret_len)
{
    *ret_off = 0;
    *ret_len = size;
    struct str first = STR_NONE, last = STR_NONE;
    int64_t from = 0, to = size - 1;
    if (str_empty(header) || !range_texts(header, &first, &last)) {
        return S3_RANGE_WHOLE;
    }
    if (first.n == 0) {
        int64_t count = 0;
        if (!range_number(last, &count)) {
            return S3_RANGE_WHOLE;
        }
        if (count == 0 || size == 0) {
            return S3_RANGE_OUTSIDE;
        }
        from = count >= size ? 0 : size - count;
    } else {
        if (!range_number(first, &from) || (last.n > 0 && !range_number(last, &to))) {
            return S3_RANGE_WHOLE;
        }
        if (last.n > 0 && to < from) {
            return S3_RANGE_WHOLE;
        }
        if (from >= size) {
            return S3_RANGE_OUTSIDE;
        }
        to = to >= size ? size - 1 : to;
    }
    *ret_off = from;
    *ret_len = to - from + 1;
    return S3_RANGE_PART;
}

enum status s3_copy_range_parse(struct str header, int64_t size, int64_t *ret_off, int64_t *ret_len)
{
    struct str first = STR_NONE, last = STR_NONE;
    int64_t from = 0, to = 0;
    if (!range_texts(header, &first, &last) || !range_number(first, &from) ||
        !range_number(last, &to) || to < from) {
        return ST_INVALID;
    }
    if (to >= size) {
        return ST_CONFLICT;
    }
    *ret_off = from;
    *ret_len = to - from + 1;
    return ST_OK;
}

struct str s3_etag_bare(struct str s)
{
    s = str_trim(s);
    if (str_starts(s, STR("W/"))) {
        s = str_sub(s, 2, s.n);
    }
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"') {
        s = str_sub(s, 1, s.n - 1);
    }
    return s;
}

bool s3_etag_matches(struct str list, struct str etag)
{
    struct str rest = list, item = STR_NONE;
    while (str_next(&rest, ',', &item)) {
        item = s3_etag_bare(item);
        if (str_eqz(item, "*") || str_eq(item, etag)) {
            return true;
        }
    }
    return false;
}

static bool date_usable(struct str text, int64_t now_ms, int64_t *ret_ms)
{
    return !str_empty(text) && clock_parse(text, ret_ms) == ST_OK && *ret_ms <= now_ms;
}

enum s3_cond_result s3_cond_check(const struct s3_cond *cond, struct str etag, int64_t modified_ms,
                                  int64_t now_ms, const char **ret_name)
{
    /* Last-Modified is told in whole seconds, so that is what comes back. */
    int64_t modified_s = modified_ms / 1000;
    int64_t date_ms = 0;
    *ret_name = "";
    if (str_set(cond->if_match)) {
        if (!s3_etag_matches(cond->if_match, etag)) {
            *ret_name = "If-Match";
            return S3_COND_FAILED;
        }
    } else if (date_usable(cond->if_unmodified_since, now_ms, &date_ms) &&
               modified_s > date_ms / 1000) {
        *ret_name = "If-Unmodified-Since";
        return S3_COND_FAILED;
    }
    if (str_set(cond->if_none_match)) {
        if (s3_etag_matches(cond->if_none_match, etag)) {
            *ret_name = "If-None-Match";
            return S3_COND_NOT_MODIFIED;
        }
    } else if (date_usable(cond->if_modified_since, now_ms, &date_ms) &&
               modified_s <= date_ms / 1000) {
        *ret_name = "If-Modified-Since";
        return S3_COND_NOT_MODIFIED;
    }
    return S3_COND_OK;
}
