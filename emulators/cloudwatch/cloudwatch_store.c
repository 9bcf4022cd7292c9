#include "emulators/cloudwatch/cloudwatch_store.h"

#include "server/base/mem.h"
#include "server/store/db_read.h"

#define NAME_END '\x1f'
#define DIMENSION_END '\x1e'

const char cloudwatch_schema_sql[] =
    "CREATE TABLE IF NOT EXISTS cloudwatch_series("
    " id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL,"
    " namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL,"
    " active_ms INTEGER NOT NULL, UNIQUE(account, region, namespace, name, dimensions));"
    "CREATE TABLE IF NOT EXISTS cloudwatch_point("
    " series INTEGER NOT NULL, time_ms INTEGER NOT NULL, unit TEXT NOT NULL,"
    " n REAL NOT NULL, sum REAL NOT NULL, min REAL NOT NULL, max REAL NOT NULL);"
    "CREATE INDEX IF NOT EXISTS cloudwatch_point_time ON cloudwatch_point(series, time_ms);";

/* --- dimensions ------------------------------------------------------------------------------- */
static int by_name(const void *a, const void *b)
{
    const struct metrics_dimension *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

struct str cloudwatch_dimensions_text(struct arena *a, const struct metrics_dimension *v, size_t n)
{
    struct metrics_dimension *sorted = ARENA_ARRAY(a, struct metrics_dimension, n + 1);
    struct str text = STR("");
    for (size_t i = 0; i < n; i++) {
        sorted[i] = v[i];
    }
    if (n > 1) {
        qsort(sorted, n, sizeof(*sorted), by_name);
    }
    for (size_t i = 0; i < n; i++) {
        text = arena_printf(a, "%.*s%.*s%c%.*s%c", STR_ARG(text), STR_ARG(sorted[i].name), NAME_END,
                            STR_ARG(sorted[i].value), DIMENSION_END);
    }
    return text;
}

struct cloudwatch_dimensions cloudwatch_dimensions_of(struct arena *a, struct str text)
{
    struct cloudwatch_dimensions d = { 0, ARENA_NEW(a, struct cloudwatch_dimension) };
    struct str one;
    while (text.n && str_next(&text, DIMENSION_END, &one)) {
        struct str name, value;
        if (str_cut(one, NAME_END, &name, &value)) {
            ARENA_GROW(a, d.v, d.n);
            d.v[d.n++] = (struct cloudwatch_dimension){ name, value };
        }
    }
    return d;
}

/* --- series ----------------------------------------------------------------------------------- */
enum status cloudwatch_store_series(struct db *db, const struct metrics_owner *o,
                                    const struct cloudwatch_series_row *series, int64_t *ret_id)
{
    return db_get_i64(db, ret_id,
                      "SELECT id FROM cloudwatch_series WHERE account=? AND region=?"
                      " AND namespace=? AND name=? AND dimensions=?",
                      bs(o->account), bs(o->region), bs(series->name_space), bs(series->name),
                      bs(series->dimensions));
}

enum status cloudwatch_store_use_series(struct db *db, const struct metrics_owner *o,
                                        const struct cloudwatch_series_row *series, int64_t now_ms,
                                        int64_t *ret_id)
{
    enum status st =
        db_exec(db,
                "INSERT INTO cloudwatch_series(account, region, namespace, name, dimensions,"
                " active_ms) VALUES(?,?,?,?,?,?) ON CONFLICT(account, region, namespace, name,"
                " dimensions) DO UPDATE SET active_ms=max(active_ms, excluded.active_ms)",
                bs(o->account), bs(o->region), bs(series->name_space), bs(series->name),
                bs(series->dimensions), bi(now_ms));
    return st == ST_OK ? cloudwatch_store_series(db, o, series, ret_id) : st;
}

static enum status series_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct cloudwatch_series_row *)ret =
        (struct cloudwatch_series_row){ rows_i64(q, 0), rows_str(q, a, 1), rows_str(q, a, 2),
                                        rows_str(q, a, 3) };
    return ST_OK;
}

enum status cloudwatch_store_list(struct db *db, struct arena *a, const struct metrics_owner *o,
                                  const struct cloudwatch_series_query *query,
                                  struct cloudwatch_series_row **ret, size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, series_row, ret, ret_n),
                   "SELECT id, namespace, name, dimensions FROM cloudwatch_series"
                   " WHERE account=?1 AND region=?2 AND id>?3 AND active_ms>=?4"
                   " AND (?5 IS NULL OR namespace=?5) AND (?6 IS NULL OR name=?6)"
                   " ORDER BY id LIMIT ?7",
                   bs(o->account), bs(o->region), bi(query->after), bi(query->since_ms),
                   bs(query->name_space), bs(query->name), bi(query->limit));
}

/* --- points ----------------------------------------------------------------------------------- */
enum status cloudwatch_store_add(struct db *db, int64_t series, const struct cloudwatch_point *p)
{
    return db_exec(db, "INSERT INTO cloudwatch_point VALUES(?,?,?,?,?,?,?)", bi(series),
                   bi(p->time_ms), bs(p->unit), bd(p->n), bd(p->sum), bd(p->min), bd(p->max));
}

static enum status point_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct cloudwatch_point *)ret = (struct cloudwatch_point){
        rows_i64(q, 0), rows_str(q, a, 1), rows_f64(q, 2),
        rows_f64(q, 3), rows_f64(q, 4),    rows_f64(q, 5),
    };
    return ST_OK;
}

enum status cloudwatch_store_points(struct db *db, struct arena *a,
                                    const struct cloudwatch_point_query *query,
                                    struct cloudwatch_point **ret, size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, point_row, ret, ret_n),
                   "SELECT time_ms, unit, n, sum, min, max FROM cloudwatch_point"
                   " WHERE series=?1 AND time_ms>=?2 AND time_ms<?3 AND (?4 IS NULL OR unit=?4)"
                   " ORDER BY time_ms",
                   bi(query->series), bi(query->start_ms), bi(query->end_ms), bs(query->unit));
}

enum status cloudwatch_store_expire(struct db *db, int64_t before_ms)
{
    enum status st = db_exec(db, "DELETE FROM cloudwatch_point WHERE time_ms<?", bi(before_ms));
    return st == ST_OK
               ? db_exec(db, "DELETE FROM cloudwatch_series WHERE active_ms<?", bi(before_ms))
               : st;
}
