/* Records of one local CSV file, one after the other, through a window that grows only for a record
 * that does not fit. Private to emulators/glue/merge/. */
#ifndef CISTERN_GLUE_CSV_READER_H
#define CISTERN_GLUE_CSV_READER_H

#include "emulators/glue/merge/byte_source.h"
#include "emulators/glue/merge/csv_scan.h"
#include "emulators/glue/merge/merge_env.h"

struct csv_row {
    struct str rec;  /* without its line end */
    size_t raw_n;    /* with its line end */
    uint64_t line;   /* physical line where it starts, from 1 */
    uint64_t offset; /* of its first byte in the (decompressed) file */
    bool quoted;
    bool unix_end; /* ends in "\n", not in "\r\n" or nothing */
};

struct csv_reader {
    struct merge_env *env;
    struct str name;
    struct byte_source src;
    char *win;
    size_t cap;
    size_t begin;    /* of the records not yet given out */
    size_t end;      /* of the bytes read */
    uint64_t offset; /* of win[begin] in the file */
    uint64_t line;   /* of win[begin] */
    bool eof;
    bool last;   /* the final record, which has no newline, was given out */
    size_t at;   /* next mark */
    size_t base; /* what the marks count from */
    struct csv_index *ix;
};

/* Opens and skips a byte order mark. A zeroed reader may be closed. */
enum status csv_reader_open(struct csv_reader *r, struct merge_env *env, const char *path,
                            struct str name, bool must_gzip) MUST_CHECK;
/* The next record; blank lines are passed over. ST_NOT_FOUND at the end. *ret borrows from the
 * window: records stay valid while csv_reader_holds() was true before each further call. */
enum status csv_reader_next(struct csv_reader *r, struct csv_row *ret) MUST_CHECK;
/* Will the next csv_reader_next() leave the window as it is? */
bool csv_reader_holds(const struct csv_reader *r);
void csv_reader_close(struct csv_reader *r);

/* An empty reader of no file, to be filled by csv_reader_hand_over(). */
void csv_reader_init(struct csv_reader *r, struct merge_env *env);
/* Gives the next records of `from` (about a window of them) to `to`, which had no more and then
 * reads them as if it had opened the file: so several threads share a file, each its own piece of
 * it. ST_NOT_FOUND at the end of the file. */
enum status csv_reader_hand_over(struct csv_reader *from, struct csv_reader *to) MUST_CHECK;

/* Takes records without looking into them: `n` marked ones, which must be there. */
void csv_reader_pass(struct csv_reader *r, size_t n);

#endif
