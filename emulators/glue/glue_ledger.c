#include "emulators/glue/glue_ledger.h"

enum status glue_ledger_find(struct db *db, struct arena *a, struct str location,
                             struct glue_dataset *ret)
{
    struct rows q;
    bool any = false;
    if (db_query(db, &q, "SELECT id, source, columns FROM glue_dataset WHERE location=?",
                 bs(location)) == ST_OK &&
        rows_next(&q)) {
        *ret = (struct glue_dataset){ rows_i64(&q, 0), location, rows_str(&q, a, 1),
                                      rows_str(&q, a, 2) };
        any = true;
    }
    enum status st = rows_end(&q);
    return st != ST_OK ? st : any ? ST_OK : ST_NOT_FOUND;
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
    bool any = false;
    if (db_query(
            db, &q,
            "SELECT version, rows, first_key, last_key FROM glue_part WHERE dataset=? AND key=?",
            bi(dataset), bs(key)) == ST_OK &&
        rows_next(&q)) {
        *ret = (struct glue_part_row){ key, rows_str(&q, a, 0), rows_i64(&q, 1), rows_str(&q, a, 2),
                                       rows_str(&q, a, 3) };
        any = true;
    }
    enum status st = rows_end(&q);
    return st != ST_OK ? st : any ? ST_OK : ST_NOT_FOUND;
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
    bool any = false;
    if (db_query(db, &q, "SELECT columns, key, timestamp FROM glue_source WHERE location=?",
                 bs(location)) == ST_OK &&
        rows_next(&q)) {
        *ret_columns = rows_str(&q, a, 0);
        *ret_key = rows_str(&q, a, 1);
        *ret_timestamp = rows_str(&q, a, 2);
        any = true;
    }
    enum status st = rows_end(&q);
    return st != ST_OK ? st : any ? ST_OK : ST_NOT_FOUND;
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
