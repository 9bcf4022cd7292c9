/* TABLE_MAP events: what a table's rows look like in the log, and the plan to decode them for a
 * described table. */
#ifndef CISTERN_MYSQL_TABLEMAP_H
#define CISTERN_MYSQL_TABLEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/mysql/charset.h"
#include "server/mysql/schema.h"
#include "server/mysql/value.h"
#include "server/mysql/value_parts.h"

#define TABLEMAP_COLUMNS_MAX 4200 /* the server's 4096 and hidden ones */

/* How one column of a row event becomes a value. */
struct rowcol {
    uint8_t wire;   /* enum wire_type, the real one */
    uint8_t kind;   /* enum mysql_value_kind */
    uint8_t digits; /* fraction digits, or a decimal's scale */
    uint8_t bits;
    uint8_t precision;    /* decimals */
    uint8_t length_bytes; /* of what precedes strings and blobs; size of ENUM, SET, BIT, decimals */
    uint8_t special;      /* enum rowcol_special */
    bool hidden;          /* read over it */
    uint8_t size;         /* of each value; 0: its length comes before it, in length_bytes */
    uint32_t pad;         /* BINARY(n): n */
    const struct str *labels;
    size_t labels_n;
    struct charset *charset; /* NULL: bytes as they are */
};
enum rowcol_special { ROWCOL_PLAIN, ROWCOL_COMPRESSED, ROWCOL_UUID, ROWCOL_INET4, ROWCOL_INET6 };

/* Character sets in use, opened once. */
struct charset_cache {
    struct {
        char name[32];
        struct charset *charset;
    } items[48];
    size_t n;
};
/* NULL if unknown. Owned by the cache. */
struct charset *charset_cache_get(struct charset_cache *cache, struct str name);
void charset_cache_fini(struct charset_cache *cache);

struct tablemap {
    struct arena *arena;
    struct str raw;                  /* the event's body after the table id */
    const struct mysql_table *table; /* NULL: rows are not wanted */
    bool skip;                       /* wanted, but does not fit */
    bool no_before;                  /* only the new image of an UPDATE is wanted */
    size_t columns_n;
    struct rowcol *columns;
    struct mysql_value *before, *after; /* table->columns_n each */
    struct str schema, name;
};

/* Copies and splits the event's body (from behind the table id and flags). NULL: malformed. */
struct tablemap *tablemap_new(struct str body);
void tablemap_free(struct tablemap *m);

/* Fits the map to the description and prepares decoding. `mariadb`: which rules the metadata
 * follow. On failure err says what differs: MYSQL_ERR_CHANGED, _UNSUPPORTED or _CORRUPT. */
enum status tablemap_plan(struct tablemap *m, const struct mysql_table *table, bool mariadb,
                          struct charset_cache *charsets, struct mysql_err *err) MUST_CHECK;

#endif
