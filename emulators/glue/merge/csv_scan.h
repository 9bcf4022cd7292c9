/* Finding records and fields in CSV bytes (RFC 4180). Pure functions, any thread.
 *
 * Records are found 64 bytes at a time: a newline ends a record when an even number of quotes
 * stands before it. That is exact for well-formed text; csv_split() then checks the form of each
 * record that is taken apart. */
#ifndef CISTERN_GLUE_CSV_SCAN_H
#define CISTERN_GLUE_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/str.h"

#define CSV_BATCH 2048u           /* records found by one csv_index() */
#define CSV_WINDOW_MAX (1u << 30) /* bytes one csv_index() may look at */

struct csv_mark {
    uint32_t end;   /* offset after the record's newline */
    uint32_t lines; /* newlines in it, the last one included */
    bool quoted;    /* a quote stands somewhere in it */
};

struct csv_index {
    struct csv_mark mark[CSV_BATCH];
    size_t n;
    /* What follows the last complete record, when the window was read to its end (n < CSV_BATCH) */
    uint32_t tail_lines;
    bool tail_quoted;
    bool tail_open; /* ends inside quotes */
};

/* Marks the records of p[0,n), which starts at a record, until CSV_BATCH are found. */
void csv_index(struct csv_index *ix, const char *p, size_t n);

/* Raw bytes of a field, its quotes included. */
struct csv_field {
    uint32_t off;
    uint32_t n;
    bool quoted;
};

/* Why csv_split() refused, as a static text; NULL is success. */
typedef const char *csv_reason;

/* Where csv_split() puts what it finds. */
struct csv_fields {
    struct csv_field *field; /* room for `max` of them */
    size_t max;
    size_t n; /* how many were found */
};

/* Splits a record (no line end) into fields; stops after `want` of them (0: all). `quoted` false
 * promises that there is no quote in it. More than ret->max fields are refused. */
csv_reason csv_split(struct str rec, char delim, bool quoted, size_t want,
                     struct csv_fields *ret) MUST_CHECK;

/* The record's bytes without "\n" or "\r\n" at its end. */
struct str csv_chomp(const char *p, size_t n);

/* The field's value: borrowed from `rec`, or built in `scratch` when quotes had to be undone. */
struct str csv_value(struct str rec, struct csv_field f, struct buf *scratch);

/* Appends a value as a field, quoted when it holds a quote, the delimiter, CR or LF. */
void csv_put(struct buf *b, struct str value, char delim);

#endif
