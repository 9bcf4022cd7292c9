/* One column value of a row, in the same normal form whether it came from a SELECT in the binary
 * protocol (snapshot.h) or from the binlog (binlog.h): a formatter prints the same bytes for both.
 * Text is UTF-8, whatever the column's character set is. Borrowed: everything behind a value is
 * valid until the next row. */
#ifndef CISTERN_MYSQL_VALUE_H
#define CISTERN_MYSQL_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/buf.h"
#include "server/base/str.h"

enum mysql_value_kind {
    MYSQL_V_ABSENT,    /* not in this row image (binlog_row_image MINIMAL or NOBLOB) */
    MYSQL_V_NULL,      /* SQL NULL */
    MYSQL_V_INT,       /* i: TINYINT … BIGINT */
    MYSQL_V_UINT,      /* u: the same, UNSIGNED (also ZEROFILL; no padding) */
    MYSQL_V_FLOAT,     /* f: FLOAT */
    MYSQL_V_DOUBLE,    /* d: DOUBLE */
    MYSQL_V_DECIMAL,   /* s: "-12.50", exactly `digits` digits after the point, one before it */
    MYSQL_V_TEXT,      /* s: CHAR, VARCHAR, TEXT (UTF-8), UUID, INET4, INET6 */
    MYSQL_V_BYTES,     /* s: BINARY (padded to its length), VARBINARY, BLOB */
    MYSQL_V_DATE,      /* t: year, month, day; all may be 0 */
    MYSQL_V_DATETIME,  /* t: as stored */
    MYSQL_V_TIMESTAMP, /* t: in UTC; all 0 for '0000-00-00 00:00:00' */
    MYSQL_V_TIME,      /* t: negative, hour (to 838), minute, second, micros */
    MYSQL_V_YEAR,      /* u: 1901 … 2155, or 0 */
    MYSQL_V_BIT,       /* u: `bits` bits */
    MYSQL_V_ENUM,      /* s: the label; "" for index 0; u does not apply */
    MYSQL_V_SET,       /* s: labels joined with ',' */
    MYSQL_V_JSON,      /* s: as the server prints it */
    MYSQL_V_GEOMETRY,  /* s: 4 bytes little-endian SRID, then WKB */
};

struct mysql_time {
    uint32_t hour; /* the widest: TIME goes to 838 */
    uint32_t micros;
    uint16_t year;
    uint8_t month, day, minute, second;
    bool negative; /* TIME only */
};

struct mysql_value {
    uint8_t kind;   /* enum mysql_value_kind */
    uint8_t digits; /* temporal: declared fraction digits 0–6; decimal: scale */
    uint8_t bits;   /* BIT(n): n, 1–64 */
    union {
        int64_t i;
        uint64_t u;
        double d;
        float f;
        struct str s;
        struct mysql_time t;
    };
};

static inline bool mysql_value_null(const struct mysql_value *v)
{
    return v->kind <= MYSQL_V_NULL;
}
/* Is a temporal value a "zero date" (month or day 0, or wholly 0)? */
bool mysql_value_zero_date(const struct mysql_value *v);
/* Same kind and same value? Floats are compared by their bits. */
bool mysql_value_equal(const struct mysql_value *a, const struct mysql_value *b);
/* Appends the text that MySQL itself would show: "NULL", "2024-01-02 03:04:05.600", BIT as a
 * decimal number, BYTES and GEOMETRY raw. FLOAT and DOUBLE: the shortest digits that read back to
 * the same bits, in MySQL's layout (MySQL itself rounds a FLOAT to 6 digits). ABSENT: nothing. */
void mysql_value_print(const struct mysql_value *v, struct buf *out);

#endif
