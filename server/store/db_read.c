#include "server/store/db_read.h"

#include <string.h>

static enum status read_texts(struct rows *q, const struct db_into *into, struct str *ret)
{
    for (size_t i = 0; i < into->size / sizeof(*ret); i++) {
        ret[i] = rows_str(q, into->arena, (int)i);
    }
    return ST_OK;
}

static enum status read_row(struct rows *q, const struct db_into *into, void *ret)
{
    return into->row ? into->row(q, into->arena, ret) : read_texts(q, into, ret);
}

static enum status read_all(struct rows *q, const struct db_into *into)
{
    enum status st = ST_OK;
    void *v = NULL;
    size_t n = 0;
    while (st == ST_OK && rows_next(q)) {
        v = arena_grow(into->arena, v, n, into->size);
        st = read_row(q, into, (char *)v + n++ * into->size);
    }
    v = v ? v : arena_alloc(into->arena, into->size);
    memcpy(into->ret, &v, sizeof(v)); /* the caller's pointer has a type of its own */
    *into->ret_n = n;
    return st;
}

enum status db_read_n(struct db *db, const struct db_into *into, const char *sql, size_t n,
                      const struct bind *binds)
{
    struct rows q;
    status_ignore(db_query_n(db, &q, sql, n, binds)); /* rows_end repeats it */
    enum status st = into->ret_n      ? read_all(&q, into)
                     : rows_first(&q) ? read_row(&q, into, into->ret)
                                      : ST_OK;
    enum status end = rows_end(&q);
    return end != ST_OK ? end : st;
}
