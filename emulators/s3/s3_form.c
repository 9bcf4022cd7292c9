#include "emulators/s3/s3_form.h"

#include <errno.h>

#include "server/base/log.h"
#include "server/base/mem.h"

#define SCAN_BLOCK (256u << 10)

/* The parameter `name` of a header value: `form-data; name="key"; filename="a.txt"`. */
static struct str parameter(struct str header, const char *name)
{
    struct str item, key, value;
    while (str_next(&header, ';', &item)) {
        if (str_cut(item, '=', &key, &value) && str_ieqz(str_trim(key), name)) {
            value = str_trim(value);
            bool quoted = value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
            return quoted ? str_sub(value, 1, value.n - 1) : value;
        }
    }
    return STR_NONE;
}

struct str s3_form_boundary(struct str content_type)
{
    struct str kind = STR_NONE, rest = STR_NONE;
    if (!str_cut(content_type, ';', &kind, &rest) ||
        !str_ieqz(str_trim(kind), "multipart/form-data")) {
        return STR_NONE;
    }
    struct str boundary = parameter(rest, "boundary");
    return boundary.n > 0 && boundary.n <= S3_FORM_BOUNDARY_MAX ? boundary : STR_NONE;
}

struct str s3_form_get(const struct s3_form *form, const char *name)
{
    for (size_t i = 0; i < form->n; i++) {
        if (str_ieqz(form->v[i].name, name)) {
            return form->v[i].value;
        }
    }
    return STR_NONE;
}

/* Up to n bytes at `off`; fewer only at the end. -1: failed, logged. */
static ssize_t read_at(int fd, char *to, size_t n, int64_t off)
{
    size_t have = 0;
    while (have < n) {
        ssize_t got = pread(fd, to + have, n - have, off + (int64_t)have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            log_error("s3", "cannot read a form: %s", strerror(errno));
            return -1;
        }
        if (got == 0) {
            break;
        }
        have += (size_t)got;
    }
    return (ssize_t)have;
}

/* --- fields ----------------------------------------------------------------------------------- */

/* What is before `mark`; *rest continues behind it. */
static bool take_until(struct str *rest, struct str mark, struct str *ret)
{
    ptrdiff_t at = str_find_str(*rest, mark);
    if (at < 0) {
        return false;
    }
    *ret = str_sub(*rest, 0, (size_t)at);
    *rest = str_sub(*rest, (size_t)at + mark.n, rest->n);
    return true;
}

static struct str disposition(struct str headers)
{
    struct str line, name, value;
    while (str_next(&headers, '\n', &line)) {
        if (str_cut(str_trim(line), ':', &name, &value) &&
            str_ieqz(str_trim(name), "content-disposition")) {
            return str_trim(value);
        }
    }
    return STR_NONE;
}

static struct str without_folders(struct str path)
{
    for (size_t i = path.n; i > 0; i--) {
        if (path.p[i - 1] == '/' || path.p[i - 1] == '\\') {
            return str_sub(path, i, path.n);
        }
    }
    return path;
}

/* Reads part after part until the one named "file"; *rest then begins with its bytes. `cut`: the
 * window ends before the form does. */
static enum status read_fields(struct arena *a, struct str *rest, struct str delimiter, bool cut,
                               struct s3_form *ret)
{
    enum status ended = cut ? ST_CONFLICT : ST_INVALID;
    for (;;) {
        struct str headers, value;
        if (str_starts(*rest, STR("--"))) {
            return ST_NOT_FOUND;
        }
        if (!str_starts(*rest, STR("\r\n"))) {
            return rest->n < 2 ? ended : ST_INVALID;
        }
        if (!take_until(rest, STR("\r\n\r\n"), &headers)) {
            return ended;
        }
        struct str what = disposition(headers), name = parameter(what, "name");
        if (!str_set(name)) {
            return ST_INVALID;
        }
        if (str_ieqz(name, "file")) {
            ret->file_name = without_folders(parameter(what, "filename"));
            return ST_OK;
        }
        if (!take_until(rest, delimiter, &value)) {
            return ended;
        }
        ARENA_GROW(a, ret->v, ret->n);
        ret->v[ret->n++] = (struct s3_form_field){ name, value };
    }
}

/* --- the file --------------------------------------------------------------------------------- */

/* Where the file's bytes end: block by block, each with the end of the one before. */
static enum status find_end(int fd, int64_t from, struct str delimiter, int64_t *ret_end)
{
    CLEANUP(free_ptr) char *block = xmalloc(SCAN_BLOCK);
    for (int64_t off = from;;) {
        ssize_t n = read_at(fd, block, SCAN_BLOCK, off);
        if (n < 0) {
            return ST_IO;
        }
        ptrdiff_t at = str_find_str((struct str){ block, (size_t)n }, delimiter);
        if (at >= 0) {
            *ret_end = off + at;
            return ST_OK;
        }
        if ((size_t)n < SCAN_BLOCK) {
            return ST_INVALID;
        }
        off += (int64_t)(SCAN_BLOCK - delimiter.n + 1);
    }
}

enum status s3_form_read(struct arena *a, int fd, struct str boundary, struct s3_form *ret)
{
    *ret = (struct s3_form){ .n = 0 };
    char *window = arena_alloc(a, S3_FORM_FIELDS_MAX);
    ssize_t n = read_at(fd, window, S3_FORM_FIELDS_MAX, 0);
    if (n < 0) {
        return ST_IO;
    }
    struct str delimiter = arena_printf(a, "\r\n--%.*s", STR_ARG(boundary));
    struct str all = { window, (size_t)n }, first = str_sub(delimiter, 2, delimiter.n);
    if (!str_starts(all, first)) {
        return ST_INVALID;
    }
    struct str rest = str_sub(all, first.n, all.n);
    enum status st = read_fields(a, &rest, delimiter, (size_t)n == S3_FORM_FIELDS_MAX, ret);
    if (st != ST_OK) {
        return st;
    }
    int64_t end = 0;
    ret->file_off = (int64_t)(all.n - rest.n);
    st = find_end(fd, ret->file_off, delimiter, &end);
    ret->file_len = end - ret->file_off;
    return st;
}
