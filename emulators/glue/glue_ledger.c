#include "emulators/glue/glue_ledger.h"

#include "server/base/buf.h"
#include "server/base/mem.h"
#include "server/store/db_read.h"

#define NAMES_MAX (1u << 20)
#define NOTES_MAX (64u << 20)

enum status glue_ledger_find(struct db *db, struct arena *a, struct str location,
                             struct glue_dataset *ret)
{
    struct rows q;
    if (db_query(db, &q, "SELECT id, source, columns FROM glue_dataset WHERE location=?",
                 bs(location)) == ST_OK &&
        rows_first(&q)) {
        *ret = (struct glue_dataset){ rows_i64(&q, 0), location, rows_str(&q, a, 1),
                                      rows_str(&q, a, 2) };
    }
    return rows_end(&q);
}

enum status glue_ledger_save(struct db *db, struct glue_dataset *d)
{
    if (d->id) {
        return db_exec(db, "UPDATE glue_dataset SET source=?, columns=? WHERE id=?", bs(d->source),
                       bs(d->columns), bi(d->id));
    }
    enum status st =
        db_exec(db, "INSERT INTO glue_dataset(location, source, columns) VALUES(?,?,?)",
                bs(d->location), bs(d->source), bs(d->columns));
    if (st == ST_OK) {
        d->id = db_last_rowid(db);
    }
    return st;
}

enum status glue_ledger_part(struct db *db, struct arena *a, int64_t dataset, struct str key,
                             struct glue_part_row *ret)
{
    struct rows q;
    if (db_query(
            db, &q,
            "SELECT version, rows, first_key, last_key FROM glue_part WHERE dataset=? AND key=?",
            bi(dataset), bs(key)) == ST_OK &&
        rows_first(&q)) {
        *ret = (struct glue_part_row){ key, rows_str(&q, a, 0), rows_i64(&q, 1), rows_str(&q, a, 2),
                                       rows_str(&q, a, 3) };
    }
    return rows_end(&q);
}

enum status glue_ledger_put_part(struct db *db, int64_t dataset, const struct glue_part_row *p)
{
    return db_exec(db, "INSERT OR REPLACE INTO glue_part VALUES(?,?,?,?,?,?)", bi(dataset),
                   bs(p->key), bs(p->version), bi(p->rows), bb(p->first_key), bb(p->last_key));
}

enum status glue_ledger_delete_part(struct db *db, int64_t dataset, struct str key)
{
    return db_exec(db, "DELETE FROM glue_part WHERE dataset=? AND key=?", bi(dataset), bs(key));
}

enum status glue_ledger_is_merged(struct db *db, int64_t dataset, struct str key,
                                  struct str version, bool *ret)
{
    int64_t n = 0;
    enum status st = db_get_i64(
        db, &n, "SELECT count(*) FROM glue_merged WHERE dataset=? AND key=? AND version=?",
        bi(dataset), bs(key), bs(version));
    *ret = n > 0;
    return st;
}

enum status glue_ledger_merged_version(struct db *db, struct arena *a, int64_t dataset,
                                       struct str key, struct str *ret)
{
    return db_get_str(db, a, ret, "SELECT version FROM glue_merged WHERE dataset=? AND key=?",
                      bi(dataset), bs(key));
}

enum status glue_ledger_add_merged(struct db *db, int64_t dataset, struct str key,
                                   struct str version, struct str run)
{
    return db_exec(db, "INSERT OR REPLACE INTO glue_merged VALUES(?,?,?,?)", bi(dataset), bs(key),
                   bs(version), bs(run));
}

enum status glue_ledger_forget_merged(struct db *db, int64_t dataset)
{
    return db_exec(db, "DELETE FROM glue_merged WHERE dataset=?", bi(dataset));
}

enum status glue_ledger_note_source(struct db *db, struct str location, struct str columns,
                                    struct str key, struct str timestamp)
{
    return db_exec(db, "INSERT OR REPLACE INTO glue_source VALUES(?,?,?,?)", bs(location),
                   bs(columns), bs(key), bs(timestamp));
}

enum status glue_ledger_source(struct db *db, struct arena *a, struct str location,
                               struct str *ret_columns, struct str *ret_key,
                               struct str *ret_timestamp)
{
    struct rows q;
    if (db_query(db, &q, "SELECT columns, key, timestamp FROM glue_source WHERE location=?",
                 bs(location)) == ST_OK &&
        rows_first(&q)) {
        *ret_columns = rows_str(&q, a, 0);
        *ret_key = rows_str(&q, a, 1);
        *ret_timestamp = rows_str(&q, a, 2);
    }
    return rows_end(&q);
}

/* The columns of the last note about them; absent: there is none. */
static enum status last_columns(struct db *db, struct arena *a, struct str location,
                                struct str *ret)
{
    struct glue_note *notes = NULL;
    size_t n = 0;
    *ret = STR_NONE;
    enum status st = glue_ledger_notes(db, a, location, &notes, &n);
    for (size_t i = 0; i < n; i++) {
        *ret = notes[i].kind == GLUE_NOTE_EMPTIED ? *ret : notes[i].columns;
    }
    return st;
}

enum status glue_ledger_add_note(struct db *db, struct str location, const struct glue_note *note)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(NOTES_MAX);
    struct str last = STR_NONE;
    enum status st = ST_OK;
    if (note->kind == GLUE_NOTE_COLUMNS) {
        st = last_columns(db, a, location, &last);
    }
    if (st != ST_OK || (str_set(last) && str_eq(last, note->columns))) {
        return st;
    }
    return db_exec(db,
                   "INSERT INTO glue_source_note(location, kind, after, columns, places, renamed)"
                   " VALUES(?,?,?,?,?,?)",
                   bs(location), bi((int64_t)note->kind), bs(note->after), bs(note->columns),
                   bs(note->places), bi(note->renamed));
}

static enum status read_note(struct rows *q, struct arena *a, void *ret)
{
    *(struct glue_note *)ret = (struct glue_note){
        rows_i64(q, 0),    (enum glue_note_kind)rows_i64(q, 1),
        rows_str(q, a, 2), rows_str(q, a, 3),
        rows_str(q, a, 4), rows_i64(q, 5) != 0,
    };
    return ST_OK;
}

enum status glue_ledger_notes(struct db *db, struct arena *a, struct str location,
                              struct glue_note **ret, size_t *ret_n)
{
    return db_read(db, ALL_ROWS(a, read_note, ret, ret_n),
                   "SELECT id, kind, after, columns, places, renamed FROM glue_source_note"
                   " WHERE location=? ORDER BY id",
                   bs(location));
}

struct str glue_ledger_list(struct arena *a, const struct str *names, size_t n)
{
    struct buf b = BUF_INIT(NAMES_MAX);
    for (size_t i = 0; i < n; i++) {
        if (i) {
            buf_putc(&b, GLUE_NAME_SEPARATOR);
        }
        buf_str_add(&b, names[i]);
    }
    struct str list = arena_str(a, buf_str(&b));
    buf_fini(&b);
    return str_set(list) ? list : STR("");
}

const struct str *glue_ledger_names(struct arena *a, struct str list, size_t *ret_n)
{
    struct str name, rest = list, *names = NULL;
    *ret_n = 0;
    while (str_next(&rest, GLUE_NAME_SEPARATOR, &name)) {
        ARENA_GROW(a, names, *ret_n);
        names[(*ret_n)++] = name;
    }
    return names;
}
