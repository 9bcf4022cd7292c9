/* The native merge: applies DMS files (full load and I/U/D changes) to a data set of CSV parts.
 *
 * A pure library on local files: no network, no database, no process state. merge_run() is one
 * blocking call for a worker thread; any number may run at once on different inputs. It starts
 * `threads` - 1 threads of its own and ends them before it returns; what comes out, errors too,
 * does not depend on their number. Inputs are only read. Outputs go through the caller's `struct
 * merge_sink`; nothing is published here, so a caller that publishes only after ST_OK and keeps a
 * ledger of merged files merges exactly once.
 *
 * Order and equality of keys: a key field is compared by its value (quoted equals unquoted, bytes,
 * case counts). Canonical integers ("7", "-3"; not "007") come first, numerically; everything else
 * follows in byte order. Parts are written in that order, without overlap. Parts that are not in
 * order (written by another program) are sorted once, on disk when they are big.
 *
 * Columns: the data set has the table's columns only; Op, timestamp and before-image columns are
 * dropped. When names are known for the set and for a file (header), columns map by name: names
 * that are new are appended to the set, missing ones are filled with null_text. Otherwise columns
 * map by position: a file with more columns widens the set at its end, one with fewer is filled.
 * A wider set rewrites every part. Inside one file all rows have as many fields as the first.
 *
 * CSV: RFC 4180, UTF-8, LF or CRLF in, LF out; field bytes stay as they were. Blank lines are
 * skipped. A byte order mark at the start of a file is skipped. */
#ifndef CISTERN_GLUE_MERGE_H
#define CISTERN_GLUE_MERGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/status.h"
#include "server/base/str.h"

#define MERGE_PART_BYTES (8u << 20)         /* default target size of a part */
#define MERGE_PART_BYTES_MIN 4096u          /* smaller targets are raised to this */
#define MERGE_PART_BYTES_MAX (1u << 30)     /* larger ones are cut to this */
#define MERGE_MEMORY_BYTES (192u << 20)     /* default memory for changes before they go to disk */
#define MERGE_MAX_RECORD_BYTES (256u << 20) /* one CSV record */
#define MERGE_MAX_COLUMNS 4096u             /* of the data set, as MySQL */
#define MERGE_MAX_FIELDS 8200u              /* of one record: columns, before image, Op, time */
#define MERGE_MAX_KEY_COLUMNS 16u           /* as MySQL */
#define MERGE_MAX_KEY_BYTES 65536u          /* all key fields of a row together */
#define MERGE_MAX_FILES 1000000u            /* inputs and parts of one run */

enum merge_tri {
    MERGE_AUTO,
    MERGE_YES,
    MERGE_NO,
};

/* What a load does with the rows that are there. */
enum merge_load {
    MERGE_LOAD_REPLACE, /* the load files are the whole table: every existing part goes */
    MERGE_LOAD_ADD,     /* a further LOAD file: its rows are added, or replace those of their key */
};

/* The same key twice, with different rows, within the load files or within the data set. */
enum merge_duplicates {
    MERGE_DUPLICATES_FAIL, /* ST_INVALID: most likely the primary key is named wrongly */
    MERGE_DUPLICATES_LAST, /* the later row stays, counted */
};

/* What to do with a change that doesn't fit: U or D for a key that isn't there, I for one that is,
 * at the moment of that change. Always counted. An update that moved its row to another key (before
 * images) counts as an update of the old key; its new row is put even when the old key was missing
 * and that is ignored. */
enum merge_misfit {
    MERGE_MISFIT_APPLY,  /* U inserts, I replaces, D does nothing */
    MERGE_MISFIT_IGNORE, /* the change is dropped */
    MERGE_MISFIT_FAIL,   /* ST_INVALID, naming file, line and key */
};

/* Before-image columns (DMS rule add-before-image-columns), with which a changed primary key also
 * removes the row under its old key. Files without header are taken to have them unless their
 * number of columns is exactly the set's; ALL without header needs the set's columns in order. */
enum merge_before {
    MERGE_BEFORE_NONE,
    MERGE_BEFORE_KEY, /* one per key column, in key order, after all other columns */
    MERGE_BEFORE_ALL, /* one per column of the set, in its order, after all other columns */
};

/* A load or change file. The caller owns everything. */
struct merge_input {
    const char *path; /* readable local file */
    struct str name;  /* for messages: s3://bucket/key; absent: the path */
    bool gzip;        /* true: must be gzip. false: found out by its first two bytes */
    /* What the file's data fields are, in order, when the caller knows better than a header or
     * `spec.columns` do (the table was altered since); an absent name: the field is passed over.
     * n_columns 0: not known. */
    const struct str *columns;
    size_t n_columns;
};

/* An existing part of the data set (never compressed). Keys are texts that an earlier run gave to
 * the sink; pass them back unchanged with `rows`, or leave them absent (rows = -1) when the part
 * was not written by this engine or may have changed: then the part is scanned. */
struct merge_part {
    const char *path;
    struct str name; /* for messages; absent: the path */
    uint64_t id;     /* the caller's, not looked at */
    struct str first_key;
    struct str last_key;
    int64_t rows;
};

/* What is known of a part. `first_key`/`last_key`: the key fields as one CSV record, both absent
 * when rows == 0. Borrowed during a callback, else valid until merge_result_fini(). */
struct merge_part_info {
    uint64_t rows;
    uint64_t bytes;
    struct str first_key;
    struct str last_key;
};

/* Where parts go. The functions are called by the threads of the run, at once; each part is opened,
 * observed and finished by one of them, and at most `threads` parts are open at a time. In which
 * order parts come is not said: `result.written` is in key order. Discarding may also happen on
 * merge_run()'s thread. A status other than ST_OK ends the run with it. */
struct merge_sink {
    void *ctx;
    /* Creates an empty file: *ret_fd is open for writing and stays the caller's to close;
     * *ret_handle names it from now on. */
    enum status (*open_part)(void *ctx, int *ret_fd, void **ret_handle);
    /* All bytes are written. The caller closes the descriptor; it must not publish yet. */
    enum status (*finish_part)(void *ctx, void *handle, const struct merge_part_info *info);
    /* The part, finished or not, is not wanted: close and delete it. Called for every open handle
     * when a run fails, and when the engine starts again because inputs were out of order. */
    void (*discard_part)(void *ctx, void *handle);
    /* May be NULL: sees the bytes in order as they are written, for a checksum. */
    void (*observe)(void *ctx, void *handle, const void *p, size_t n);
};

enum merge_log_level {
    MERGE_LOG_INFO,
    MERGE_LOG_WARN,
};

struct merge_progress {
    uint64_t rows;        /* input rows read */
    uint64_t bytes_read;  /* of all inputs and parts looked at */
    uint64_t bytes_total; /* an estimate that only grows */
    unsigned percent;     /* 0..100, never falls during one attempt */
};

/* All zero is the documented default. The caller owns everything behind the pointers. */
struct merge_spec {
    /* Key columns: a name of the data set (case does not count if that is unique), or `_cN` / `N`,
     * counted from 0 without Op and timestamp. None: the first column. */
    const struct str *key;
    size_t n_key;
    /* Names of the data set's columns: `result.columns` of the last run, else the catalog's. A
     * header in the parts goes before them. May be empty: then names come from the first file with
     * a header, or stay unknown. */
    const struct str *columns;
    size_t n_columns;
    /* NULL, or for each of `columns` its name from now on: a column that was renamed, or (absent)
     * dropped. Every part is rewritten when that changes anything. */
    const struct str *columns_now;
    char delimiter; /* 0: comma; not a quote, CR, LF or NUL */

    enum merge_tri header;    /* load and change files start with a header; AUTO: when the first
                                 record has `op_name` first, or names every key column and the names
                                 are known */
    enum merge_tri load_op;   /* Op column in load files (IncludeOpForFullLoad); AUTO: by header, by
                                 number of columns, by a leading `I` */
    enum merge_tri change_op; /* Op column in change files; AUTO: by header; else first column,
                                 unless it is no I/U/D and the count is exactly the set's. Files
                                 without Op (CdcInsertsOnly, …) are read as inserts */
    struct str op_name;       /* absent: "Op" */
    struct str timestamp_name; /* TimestampColumnName; absent: no such column */
    enum merge_before before;
    struct str before_prefix; /* of before-image names in headers */
    struct str before_suffix;

    bool output_header;   /* parts begin with the column names; existing parts do too */
    struct str null_text; /* fills columns that a row lacks; absent: empty */
    enum merge_load load;
    enum merge_duplicates duplicates;
    enum merge_misfit update_missing, delete_missing, insert_present;
    unsigned threads;      /* 0: one per processor; 1: only the caller's */
    uint64_t part_bytes;   /* 0: MERGE_PART_BYTES; parts end up between half of and
                              twice this; the last one may be smaller, and one that lost rows */
    uint64_t memory_bytes; /* 0: MERGE_MEMORY_BYTES; changes beyond it are sorted on disk */
    const char *tmp_dir;   /* where that happens (unlinked files); NULL: "/tmp" */

    const atomic_bool *cancel; /* may be NULL; set from any thread: the run ends within a few ms */
    /* Both may be NULL. Called by any thread of the run, never two at once. */
    void (*progress)(void *ctx, const struct merge_progress *p); /* every few MB */
    void (*log)(void *ctx, enum merge_log_level level, struct str line);
    void *callback_ctx; /* of these two */
};

struct merge_job {
    struct merge_spec spec;
    const struct merge_input *loads; /* full load, in LOAD number order */
    size_t n_loads;
    const struct merge_input *changes; /* in commit order */
    size_t n_changes;
    const struct merge_part *parts; /* the data set, any order */
    size_t n_parts;
    struct merge_sink sink;
};

/* Row counters are net per key: a key that is changed five times counts once. */
struct merge_counters {
    uint64_t load_rows;        /* rows read from load files */
    uint64_t change_rows;      /* rows read from change files */
    uint64_t inserted;         /* keys that were not there; rows of a load that replaces all count
                                  here, and changes to them in the same run on top */
    uint64_t updated;          /* keys that were there and got the new row */
    uint64_t deleted;          /* keys that were there and went */
    uint64_t unchanged;        /* keys whose new row is the old one, byte for byte */
    uint64_t upserted_missing; /* U for a key that was not there: inserted (not in `inserted`), or
                                  ignored by update_missing */
    uint64_t deleted_missing;  /* D for a key that was not there: ignored */
    uint64_t inserted_present; /* I for a key that was there (also in updated/unchanged) */
    uint64_t duplicates;       /* load or part rows dropped because a later one has their key */
    uint64_t rows_total;       /* rows of the data set now */
    uint64_t bytes_total;      /* bytes of the data set now */
    uint64_t bytes_rewritten;  /* bytes of new parts */
    uint64_t bytes_copied;     /* of those, taken over unparsed or as whole rows from old parts */
    uint64_t bytes_kept;       /* bytes of parts that stay as they are */
};

struct merge_written {
    void *handle; /* from open_part */
    struct merge_part_info info;
};

/* Zeroed by merge_run(), also on failure; free with merge_result_fini(). */
struct merge_result {
    bool *kept; /* one per job.parts: true = still part of the data set, false = replaced */
    struct merge_part_info *part_info; /* one per job.parts; meaningful where kept */
    size_t n_parts;
    struct merge_written *written; /* new parts in key order */
    size_t n_written;
    struct str *columns; /* names of the data set after the run; NULL when unknown */
    size_t n_columns;    /* number of columns; 0 when the set has never had a row */
    struct merge_counters counters;
    bool cancelled;
    char error[1024];    /* on failure: what, where, what to do; UTF-8, NUL-terminated */
    uint64_t error_line; /* physical line where the bad record starts, else 0 */
};

/* Runs one merge. When the set ends without rows and something was changed, one part without rows
 * is written, so that readers of the folder find an empty table.
 * ST_OK; ST_INVALID: a file, part or the specification is not as it must be; ST_IO: the operating
 * system refused; ST_NOMEM: a limit named above; ST_CONFLICT with `cancelled`: the flag was set;
 * else what the sink returned. On failure every handle was discarded and `written` is empty. */
enum status merge_run(const struct merge_job *job, struct merge_result *ret) MUST_CHECK;

/* Frees what merge_run() allocated; safe on a zeroed one and twice. */
void merge_result_fini(struct merge_result *r);

/* Compares two keys as given in `struct merge_part_info` (`,` is the delimiter): <0, 0, >0; for
 * callers that look a row up by its key. ST_INVALID when one is no such text. */
enum status merge_key_compare(struct str a, struct str b, char delimiter, int *ret) MUST_CHECK;

#endif
