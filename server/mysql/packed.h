/* Values as storage engines pack them: the forms in row events and in binary JSON. */
#ifndef CISTERN_MYSQL_PACKED_H
#define CISTERN_MYSQL_PACKED_H

#include "server/mysql/value.h"
#include "server/mysql/value_parts.h"

#define PACKED_DECIMAL_TEXT 88 /* sign, 65 digits, point, leading zero; generous */

/* NEWDECIMAL of this precision (1–65) and scale (0–30): its size in bytes; 0 for impossible ones.
 */
size_t packed_decimal_size(unsigned precision, unsigned scale);
/* Its text into to[PACKED_DECIMAL_TEXT]; returns the length. */
size_t packed_decimal(const uint8_t *p, unsigned precision, unsigned scale, char *to);

/* Big-endian forms since MySQL 5.6 with `digits` fraction digits. */
void packed_datetime2(struct rd *r, unsigned digits, struct mysql_time *t);
void packed_timestamp2(struct rd *r, unsigned digits, struct mysql_time *t);
void packed_time2(struct rd *r, unsigned digits, struct mysql_time *t);
/* Seconds since 1970 (0: the zero date) as UTC. */
void packed_epoch(uint32_t seconds, struct mysql_time *t);
/* The 64-bit forms of binary JSON. */
void packed_datetime64(int64_t packed, struct mysql_time *t);
void packed_time64(int64_t packed, struct mysql_time *t);

#endif
