/* Values of partition keys, compared as their types say. Pure; nothing is allocated. */
#ifndef CISTERN_GLUE_CATALOG_VALUE_H
#define CISTERN_GLUE_CATALOG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/str.h"

enum catalog_type {
    CATALOG_NO_TYPE, /* one that GetPartitions' expressions don't know */
    CATALOG_STRING,
    CATALOG_INTEGER,
    CATALOG_DECIMAL,
    CATALOG_DATE,
    CATALOG_TIMESTAMP,
};
/* Of a Hive type: "decimal(10,2)" is CATALOG_DECIMAL, "varchar(5)" CATALOG_STRING. */
enum catalog_type catalog_type_of(struct str hive_type);
/* As error messages name it: "an integer", "a date". */
const char *catalog_type_article(enum catalog_type type);

#define CATALOG_DIGITS_MAX 80 /* of a number, without leading and trailing zeros */
/* What Hive calls the partition of rows without a value. */
#define CATALOG_NULL "__HIVE_DEFAULT_PARTITION__"

struct catalog_value {
    enum catalog_type type;
    bool null;
    struct str text; /* STRING: borrowed; DATE, TIMESTAMP: the day, "2020-02-29" */
    /* TIMESTAMP: "12:34:56" in nanoseconds of the day. Numbers: 0.DIGITS times ten to the power of
     * `exponent`; zero has no digits. */
    int64_t time_ns;
    bool negative;
    int64_t exponent;
    uint8_t n_digits;
    char digits[CATALOG_DIGITS_MAX];
};

/* ST_INVALID: the text is no value of the type. `text` must outlive *ret. */
enum status catalog_value_read(enum catalog_type type, struct str text,
                               struct catalog_value *ret) MUST_CHECK;
/* Both of one type, none null. < 0, 0, > 0. */
int catalog_value_cmp(const struct catalog_value *a, const struct catalog_value *b);

#endif
