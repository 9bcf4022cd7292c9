#include "emulators/s3/s3_page.h"

#include "emulators/s3/s3_event.h"
#include "emulators/s3/s3_service.h"
#include "server/base/digest.h"

struct str s3_common_prefix_of(struct str key, struct str prefix, struct str delimiter)
{
    if (str_empty(delimiter) || !str_starts(key, prefix)) {
        return STR_NONE;
    }
    ptrdiff_t at = str_find_str(str_sub(key, prefix.n, key.n), delimiter);
    return at < 0 ? STR_NONE : str_sub(key, 0, prefix.n + (size_t)at + delimiter.n);
}

struct str s3_after_prefix(struct arena *a, struct str s)
{
    while (s.n > 0 && (unsigned char)s.p[s.n - 1] == 0xFF) {
        s.n--;
    }
    if (s.n == 0) {
        return STR_NONE;
    }
    char *p = arena_alloc(a, s.n + 1);
    memcpy(p, s.p, s.n);
    p[s.n - 1] = (char)((unsigned char)p[s.n - 1] + 1);
    return (struct str){ p, s.n };
}

/* Where the walk begins; false: nothing can follow. */
static bool first_seek(struct arena *a, const struct s3_page_query *q, struct str *ret_from,
                       bool *ret_included)
{
    *ret_from = q->prefix;
    *ret_included = true;
    if (!str_set(q->after)) {
        return true;
    }
    struct str passed =
        q->skip_prefix ? s3_common_prefix_of(q->after, q->prefix, q->delimiter) : STR_NONE;
    if (str_set(passed)) {
        *ret_from = s3_after_prefix(a, passed);
        return str_set(*ret_from);
    }
    if (str_cmp(q->after, q->prefix) >= 0) {
        *ret_from = q->after;
        *ret_included = false;
    }
    return true;
}

struct walk {
    struct db *db;
    struct arena *a;
    const struct s3_page_query *q;
    struct s3_page *page;
    struct str seek; /* where to go on after a common prefix */
};

static bool full(const struct walk *w)
{
    return (int64_t)(w->page->n_rows + w->page->n_prefixes) >= w->q->max;
}

/* Takes keys until the page is full (false), the prefix ends (false) or a common prefix was met
 * (true: go on at w->seek). */
static bool take_keys(struct walk *w, struct s3_cursor *cur)
{
    struct s3_page *page = w->page;
    struct str key = STR_NONE;
    while (s3_cursor_next(cur, &key)) {
        if (!str_starts(key, w->q->prefix)) {
            return false;
        }
        if (full(w)) {
            page->truncated = true;
            return false;
        }
        struct str common = s3_common_prefix_of(key, w->q->prefix, w->q->delimiter);
        page->last_is_prefix = str_set(common);
        if (str_set(common)) {
            page->last = arena_str(w->a, common);
            page->prefixes[page->n_prefixes++] = page->last;
            w->seek = s3_after_prefix(w->a, page->last);
            return str_set(w->seek);
        }
        s3_cursor_row(cur, w->a, w->q->bucket, &page->rows[page->n_rows]);
        page->last = page->rows[page->n_rows++].key;
    }
    return false;
}

enum status s3_page_collect(struct db *db, struct arena *a, const struct s3_page_query *query,
                            struct s3_page *ret)
{
    *ret = (struct s3_page){ .n_rows = 0 };
    bool included = true;
    struct walk w = { .db = db, .a = a, .q = query, .page = ret };
    if (query->max <= 0 || !first_seek(a, query, &w.seek, &included)) {
        return ST_OK;
    }
    ret->rows = ARENA_ARRAY(a, struct s3_object_row, (size_t)query->max);
    ret->prefixes = ARENA_ARRAY(a, struct str, (size_t)query->max);
    enum status st = ST_OK;
    bool more = true;
    while (more && st == ST_OK) {
        struct s3_cursor cur;
        st = s3_cursor_open(&cur, db, query->bucket, w.seek, included);
        more = st == ST_OK && take_keys(&w, &cur);
        enum status closed = s3_cursor_close(&cur);
        st = st == ST_OK ? closed : st;
        included = true;
    }
    return st;
}

struct str s3_token_encode(struct arena *a, struct str last, bool is_prefix)
{
    struct str text = arena_printf(a, "%c%.*s", is_prefix ? 'p' : 'k', STR_ARG(last));
    return base64_encode(a, text.p, text.n);
}

enum status s3_token_decode(struct arena *a, struct str token, struct str *ret_last,
                            bool *ret_is_prefix)
{
    struct str text = STR_NONE;
    if (base64_decode(a, token, &text) != ST_OK || text.n < 2 || text.n > S3_KEY_MAX + 1 ||
        (text.p[0] != 'p' && text.p[0] != 'k')) {
        return ST_INVALID;
    }
    *ret_is_prefix = text.p[0] == 'p';
    *ret_last = str_sub(text, 1, text.n);
    return str_utf8(*ret_last) ? ST_OK : ST_INVALID;
}

enum status s3_page_encoding(struct call *c, bool *ret_url)
{
    struct str value = STR_NONE;
    *ret_url = call_query(c, "encoding-type", &value);
    if (!*ret_url || str_eqz(value, "url")) {
        return ST_OK;
    }
    return s3_fail_argument(c, "encoding-type", value,
                            "Invalid Encoding Method specified in Request");
}

struct str s3_page_text(struct arena *a, struct str s, bool url)
{
    return url ? s3_form_encode(a, s) : s;
}
