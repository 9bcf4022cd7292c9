/* The column types of a TABLE_MAP event and its optional metadata, as they are in the bytes. */
#ifndef CISTERN_MYSQL_TABLEMAP_META_H
#define CISTERN_MYSQL_TABLEMAP_META_H

#include "server/mysql/tablemap.h"

struct tablemap_column {
    uint8_t wire;  /* the real type: ENUM and SET hide in STRING */
    uint16_t meta; /* VARCHAR, STRING: maximum bytes; DECIMAL: precision | scale << 8; BIT: bits |
                    * bytes << 8; ENUM, SET, BLOB: bytes of value or length; *2: fraction digits */
    bool is_unsigned;
    bool is_unsigned_old; /* if YEAR has no bit: the log does not say which of both holds */
    struct str name;   /* absent unless binlog_row_metadata is FULL */
    struct str labels; /* ENUM, SET: count and labels, each length-encoded; absent likewise */
};

struct tablemap_meta {
    struct tablemap_column *columns; /* in the map's arena */
    bool has_signs;
};

/* false: malformed. */
bool tablemap_meta(struct tablemap *m, bool mariadb, struct tablemap_meta *ret);

#endif
