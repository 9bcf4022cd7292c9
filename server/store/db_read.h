/* Rows of a query as structs in an arena: a store says what one row is, and how many it wants.
 *
 *   static enum status stream_row(struct rows *q, struct arena *a, void *ret)
 *   {
 *       *(struct stream *)ret = (struct stream){ rows_i64(q, 0), rows_str(q, a, 1) };
 *       return ST_OK;
 *   }
 *   st = db_read(db, ONE_ROW(a, stream_row, &one), "SELECT id, name FROM t WHERE id=?", bi(7));
 *   st = db_read(db, ALL_ROWS(a, stream_row, &v, &n), "SELECT id, name FROM t ORDER BY id");
 *   st = db_read(db, ALL_TEXTS(a, &tags.v, &tags.n), "SELECT key, value FROM tag ORDER BY key");
 */
#ifndef CISTERN_STORE_DB_READ_H
#define CISTERN_STORE_DB_READ_H

#include "server/store/db.h"

/* Fills the zeroed struct at `ret` from the current row; other than ST_OK ends the reading. */
typedef enum status (*db_row_fn)(struct rows *q, struct arena *a, void *ret);

/* Where rows go; made by the macros below. */
struct db_into {
    struct arena *arena;
    db_row_fn row; /* NULL: the struct is made of texts alone, one per column */
    size_t size;   /* of the struct */
    void *ret;     /* the struct, or with ret_n the address of the pointer to the array */
    size_t *ret_n;
};
/* The first row, into *ret. ST_NOT_FOUND: there is none, *ret stays as it was. */
#define ONE_ROW(a, row, ret) (&(const struct db_into){ (a), (row), sizeof(*(ret)), (ret), NULL })
/* All rows, as an array in the arena: *ret_v is not NULL even if *ret_n is 0. */
#define ALL_ROWS(a, row, ret_v, ret_n) \
    (&(const struct db_into){ (a), (row), sizeof(**(ret_v)), (ret_v), (ret_n) })
/* The same for structs of nothing but `struct str`: as many columns are read. NULL gives absent. */
#define ONE_OF_TEXTS(a, ret) ONE_ROW(a, NULL, ret)
#define ALL_TEXTS(a, ret_v, ret_n) ALL_ROWS(a, NULL, ret_v, ret_n)

enum status db_read_n(struct db *db, const struct db_into *into, const char *sql, size_t n,
                      const struct bind *binds) MUST_CHECK;
#define db_read(db, into, ...) DB_READ_(db, into, __VA_ARGS__, )
#define DB_READ_(db, into, sql, ...) db_read_n((db), (into), (sql), DB_BINDS(__VA_ARGS__))

#endif
