/* Rows as DMS writes them into CSV objects: [Op][timestamp] columns…, from normalized values of
 * either path (snapshot or binlog), so that both give the same bytes. Pure; any thread. No
 * allocation besides the growth of the output buffer. */
#ifndef CISTERN_DMS_CSV_H
#define CISTERN_DMS_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/zone.h"
#include "server/mysql/schema.h"
#include "server/mysql/value.h"

#define DMS_CSV_DELIMITER_MAX 16

/* How an endpoint wants its files. Filled by the caller, then dms_csv_prepare(). */
struct dms_csv_format {
    struct str delimiter;      /* 1 … DMS_CSV_DELIMITER_MAX bytes */
    struct str row_end;        /* likewise */
    struct str null_text;      /* printed for NULL, never quoted */
    struct str no_value_text;  /* for columns that the row image lacks; absent: null_text */
    struct str timestamp_name; /* header of the timestamp column; absent: no such column */
    const struct zone *zone;   /* TIMESTAMP is printed as its local time; NULL: UTC */
    bool rfc4180;
    bool header;
    bool pad; /* CHAR(n) is filled up with blanks to n characters */

    /* made by dms_csv_prepare() */
    bool scan_all; /* the delimiter may occur in numbers and dates too */
    char first;    /* first byte of the delimiter */
};
void dms_csv_prepare(struct dms_csv_format *f);

struct dms_data_type;

#define DMS_CSV_NO_SOURCE UINT32_MAX
/* Which columns of a table are printed, and how long their values may be. */
struct dms_csv_column {
    uint32_t index;     /* of the value in a row: the table's columns, then what rules add */
    uint32_t max_bytes; /* LOB limit; 0: none */
    uint32_t chars;     /* CHAR(n): n, for padding; 0: other types */
    bool text;          /* cut at a character, not in one */
    uint32_t source;    /* in the table's columns; DMS_CSV_NO_SOURCE: a rule has added it */
    uint32_t like;      /* the table's column whose type it has, when `type` is NULL */
    struct str name;    /* in headers */
    struct str gone;    /* the source's name of a column that it has no more; absent: it has it */
    const struct dms_data_type *type; /* given by a rule; NULL: the table column's */
};
struct dms_csv_plan {
    const struct dms_csv_column *columns;
    size_t n;
};
/* Names of columns, in the order in which they are printed. */
struct dms_csv_order {
    const struct str *names;
    size_t n;
};
/* `support_lobs` false leaves LOB columns out; else they are cut at lob_max_bytes. Columns that
 * `order` names come first, in its order, the others after them in the table's. */
void dms_csv_plan(struct arena *a, const struct mysql_table *t, bool support_lobs,
                  uint32_t lob_max_bytes, struct dms_csv_order order, struct dms_csv_plan *ret);
/* The order that a plan has; the names are the table's. */
struct dms_csv_order dms_csv_plan_order(struct arena *a, const struct dms_csv_plan *plan,
                                        const struct mysql_table *t);
/* Is this one of the types that DMS treats as LOB (CLOB, NCLOB, BLOB)? */
bool dms_csv_is_lob(const struct mysql_column *c);

/* What stands before the columns. */
struct dms_csv_lead {
    char op;         /* 'I', 'U', 'D'; 0: no Op column */
    bool timestamp;  /* print time_us */
    int64_t time_us; /* since 1970, UTC */
    /* Rows of several tables in one object (PreserveTransactions): printed after the operation. */
    struct str table, schema; /* absent: not printed */
};

/* What is common to the formats. Is the value written as NULL? Dates with a zero month or day have
 * no other form. */
bool dms_csv_null(const struct mysql_value *v);
/* Is it one whose bytes are in `s`? */
bool dms_csv_has_bytes(const struct mysql_value *v);
/* The part of a LOB value that is kept. */
struct str dms_csv_limited(struct str s, const struct dms_csv_column *c);
/* How many blanks are missing to the column's length, if it is to be filled up. */
size_t dms_csv_blanks(const struct dms_csv_format *f, const struct dms_csv_column *c, struct str s);

/* Appends one row. *ret_cut (may be NULL) is increased by the number of values that were cut. */
void dms_csv_row(struct buf *out, const struct dms_csv_format *f, const struct dms_csv_plan *plan,
                 const struct dms_csv_lead *lead, const struct mysql_value *values,
                 uint64_t *ret_cut);

/* Appends the header row: "Op" when with_op, the timestamp's name, the columns' names. */
void dms_csv_header(struct buf *out, const struct dms_csv_format *f,
                    const struct dms_csv_plan *plan, bool with_op);

#endif
