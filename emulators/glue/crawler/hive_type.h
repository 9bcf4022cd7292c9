/* Column types as the catalog names them ("struct<a:int,b:array<string>>"): built by the
 * classifiers, merged over rows and files, and printed. Everything lives in the arena given; values
 * are constant once built, so trees may share parts. Pure; any thread. */
#ifndef CISTERN_GLUE_HIVE_TYPE_H
#define CISTERN_GLUE_HIVE_TYPE_H

#include "server/base/arena.h"
#include "server/base/buf.h"

/* Limits by name. */
#define HIVE_DEPTH_MAX 64         /* nested structs, arrays and maps */
#define HIVE_FIELDS_MAX 20000     /* columns of a table, fields of one struct */
#define HIVE_TYPE_TEXT_MAX 131072 /* the catalog's limit on a column's type */

enum hive_kind {
    HIVE_UNKNOWN, /* only empty values were seen; printed as string */
    HIVE_BOOLEAN,
    HIVE_INT,
    HIVE_BIGINT,
    HIVE_DOUBLE,
    HIVE_STRING,
    HIVE_OTHER, /* any further simple type, as `text` says ("decimal(10,2)", "timestamp") */
    HIVE_STRUCT,
    HIVE_ARRAY, /* one field: the element */
    HIVE_MAP,   /* two fields: key and value */
};

struct hive_field;
struct hive_type {
    enum hive_kind kind;
    struct str text; /* HIVE_OTHER */
    struct hive_field *fields;
    size_t n;
};
struct hive_field {
    struct str name; /* absent in arrays and maps */
    struct hive_type type;
};

struct hive_type hive_simple(enum hive_kind kind);
struct hive_type hive_other(struct str text);
struct hive_type hive_array(struct arena *a, struct hive_type element);
struct hive_type hive_map(struct arena *a, struct hive_type key, struct hive_type value);

/* The narrowest type that holds both: numbers widen, structs unite their fields, an unknown yields
 * to the other; what doesn't fit together becomes string. */
struct hive_type hive_merge(struct arena *a, struct hive_type x, struct hive_type y);
/* Could values of both be one column without turning into text? */
bool hive_compatible(struct hive_type x, struct hive_type y);
/* Adds the fields of `more` to *fields: known names (case-insensitive) are merged, new ones come
 * last. Fields beyond HIVE_FIELDS_MAX are dropped. */
void hive_unite(struct arena *a, struct hive_field **fields, size_t *n,
                const struct hive_field *more, size_t n_more);
/* The same, when `more` may go away afterwards: what is kept of it is copied. */
void hive_unite_copy(struct arena *a, struct hive_field **fields, size_t *n,
                     const struct hive_field *more, size_t n_more);
/* Everything anew in the arena. Classifiers build no deeper trees than HIVE_DEPTH_MAX. */
struct hive_field *hive_copy(struct arena *a, const struct hive_field *fields, size_t n);
/* Index of a field by name, ASCII case folded; n when absent. */
size_t hive_find(const struct hive_field *fields, size_t n, struct str name);

/* The catalog's text of the type; "string" when it would be longer than HIVE_TYPE_TEXT_MAX. */
struct str hive_text(struct arena *a, struct hive_type type);

#endif
