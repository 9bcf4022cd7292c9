/* What the merge knows about its final data sets: which parts they have and which files are merged.
 * A run changes the ledger in the transaction that publishes its parts, so that the two always
 * agree. A `version` names one content of an object (a replaced object has another one, even with
 * the same bytes). Core thread; strings live in the arena given. */
#ifndef CISTERN_GLUE_LEDGER_H
#define CISTERN_GLUE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/store/db.h"

#define GLUE_NAME_SEPARATOR '\x1f' /* in stored lists of names */

#define GLUE_LEDGER_SCHEMA_SQL                                                                    \
    "CREATE TABLE IF NOT EXISTS glue_dataset("                                                    \
    " id INTEGER PRIMARY KEY, location TEXT NOT NULL UNIQUE, source TEXT NOT NULL,"               \
    " columns TEXT NOT NULL);"                                                                    \
    "CREATE TABLE IF NOT EXISTS glue_part("                                                       \
    " dataset INTEGER NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, rows INTEGER NOT NULL," \
    " first_key BLOB, last_key BLOB, PRIMARY KEY(dataset, key)) WITHOUT ROWID;"                   \
    "CREATE TABLE IF NOT EXISTS glue_source("                                                     \
    " location TEXT NOT NULL PRIMARY KEY, columns TEXT NOT NULL, key TEXT NOT NULL,"              \
    " timestamp TEXT)"                                                                            \
    " WITHOUT ROWID;"                                                                             \
    "CREATE TABLE IF NOT EXISTS glue_source_note("                                                \
    " id INTEGER PRIMARY KEY AUTOINCREMENT, location TEXT NOT NULL, kind INTEGER NOT NULL,"       \
    " after TEXT NOT NULL, columns TEXT NOT NULL, places TEXT NOT NULL,"                          \
    " renamed INTEGER NOT NULL);"                                                                 \
    "CREATE INDEX IF NOT EXISTS glue_source_note_location ON glue_source_note(location, id);"     \
    "CREATE TABLE IF NOT EXISTS glue_merged("                                                     \
    " dataset INTEGER NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, run TEXT NOT NULL,"     \
    " PRIMARY KEY(dataset, key)) WITHOUT ROWID;"

struct glue_dataset {
    int64_t id;          /* 0: not known yet */
    struct str location; /* "s3://bucket/prefix/" */
    struct str source;   /* "s3://bucket/folder/" of the table's LOAD and change files */
    struct str columns;  /* names, separated by the byte 0x1f; empty: unknown */
};
struct glue_part_row {
    struct str key, version;
    int64_t rows;
    struct str first_key, last_key; /* absent when rows == 0 */
};

/* ST_NOT_FOUND: nothing was merged there yet. */
enum status glue_ledger_find(struct db *db, struct arena *a, struct str location,
                             struct glue_dataset *ret) MUST_CHECK;
/* Inserts (d->id == 0, then set) or updates source and columns. */
enum status glue_ledger_save(struct db *db, struct glue_dataset *d) MUST_CHECK;

/* The part, or ST_NOT_FOUND. */
enum status glue_ledger_part(struct db *db, struct arena *a, int64_t dataset, struct str key,
                             struct glue_part_row *ret) MUST_CHECK;
enum status glue_ledger_put_part(struct db *db, int64_t dataset,
                                 const struct glue_part_row *part) MUST_CHECK;
enum status glue_ledger_delete_part(struct db *db, int64_t dataset, struct str key) MUST_CHECK;

/* Was this very version of the object merged? */
enum status glue_ledger_is_merged(struct db *db, int64_t dataset, struct str key,
                                  struct str version, bool *ret) MUST_CHECK;
/* The version of it that was merged; ST_NOT_FOUND: none was. */
enum status glue_ledger_merged_version(struct db *db, struct arena *a, int64_t dataset,
                                       struct str key, struct str *ret) MUST_CHECK;
enum status glue_ledger_add_merged(struct db *db, int64_t dataset, struct str key,
                                   struct str version, struct str run) MUST_CHECK;
/* A new full load begins: nothing is merged any more. */
enum status glue_ledger_forget_merged(struct db *db, int64_t dataset) MUST_CHECK;

/* --- what DMS told about a table's files: see emulators/facade/catalog.h; lists of names ------ */
enum status glue_ledger_note_source(struct db *db, struct str location, struct str columns,
                                    struct str key, struct str timestamp) MUST_CHECK;
enum status glue_ledger_source(struct db *db, struct arena *a, struct str location,
                               struct str *ret_columns, struct str *ret_key,
                               struct str *ret_timestamp) MUST_CHECK;

/* What happened to a source's files, in order of id. Column notes say which columns files have:
 * change files whose name comes behind `after`, and (GLUE_NOTE_LOAD) the LOAD files that are there
 * when the note is made. GLUE_NOTE_EMPTIED: the table and its folder were emptied. */
enum glue_note_kind {
    GLUE_NOTE_COLUMNS,
    GLUE_NOTE_LOAD,
    GLUE_NOTE_EMPTIED,
};
struct glue_note {
    int64_t id;
    enum glue_note_kind kind;
    struct str after;   /* a change file's name without extension; empty: before all of them */
    struct str columns; /* list of names, as in the files */
    struct str places;  /* likewise, as in the table's definition */
    bool renamed;       /* see emulators/facade/catalog.h */
};
/* A GLUE_NOTE_COLUMNS that says what the note before it says is left out. */
enum status glue_ledger_add_note(struct db *db, struct str location,
                                 const struct glue_note *note) MUST_CHECK;
/* Oldest first. */
enum status glue_ledger_notes(struct db *db, struct arena *a, struct str location,
                              struct glue_note **ret, size_t *ret_n) MUST_CHECK;

/* A stored list of names again, and its making: both borrow from the arena. */
struct str glue_ledger_list(struct arena *a, const struct str *names, size_t n);
const struct str *glue_ledger_names(struct arena *a, struct str list, size_t *ret_n);

#endif
