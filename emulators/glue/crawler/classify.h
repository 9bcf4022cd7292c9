/* What is in a file? From the first bytes (and, for Parquet, the end) of an object to format and
 * columns, as the crawlers' classifiers do. Pure: bytes in, schema out, hostile bytes welcome; any
 * thread. Strings live in the arena given or are borrowed from the sample. */
#ifndef CISTERN_GLUE_CLASSIFY_H
#define CISTERN_GLUE_CLASSIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "emulators/glue/crawler/hive_type.h"

/* Limits by name. */
#define CLASSIFY_HEAD_BYTES (1u << 20)    /* of each file, after unpacking */
#define CLASSIFY_FOOTER_BYTES (16u << 20) /* of a Parquet file's footer */
#define CLASSIFY_ROWS 1000                /* rows of text that are looked at */

/* Part of a file. */
struct sample {
    struct str head;        /* its first bytes, unpacked */
    bool whole;             /* there are no more */
    struct str footer;      /* the metadata at a Parquet file's end, without length and magic; else
                               absent */
    struct str compression; /* "none", "gzip" */
};

/* A custom CSV or JSON classifier. */
struct classifier {
    struct str name;
    bool json;
    struct str json_path; /* "$[*]" */
    /* CSV; 0: find out */
    char delimiter;
    char quote;
    enum { CSV_HEADER_UNKNOWN, CSV_HEADER_PRESENT, CSV_HEADER_ABSENT } contains_header;
    const struct str *header; /* column names; n_header 0: none */
    size_t n_header;
    const struct str *types; /* Hive types of the columns; n_types 0: find out */
    size_t n_types;
    bool no_trim;
    bool single_column;
    struct str serde; /* OpenCSVSerDe, LazySimpleSerDe; absent: choose */
};

struct csv_facts {
    char delimiter;
    char quote;
    bool quoted; /* some values are in quotes */
    bool header; /* the first line holds the names */
    bool open_serde;
};

struct schema {
    struct str classification; /* csv, json, parquet, avro, UNKNOWN */
    struct str compression;
    struct hive_field *columns;
    size_t n;
    struct csv_facts csv;
    struct str json_path;   /* of the custom classifier that fitted */
    struct str avro_schema; /* its JSON text */
    int64_t records;        /* rows in the sample, or in the file when `exact` */
    bool exact;
    int64_t sampled_bytes; /* that held those rows; 0 when exact */
    struct str why;        /* UNKNOWN: the reason */
};

/* Custom classifiers first, in their order, then the built-in ones. Always fills *ret; what no
 * classifier knows becomes UNKNOWN with a reason. */
void classify(struct arena *a, const struct sample *s, const struct classifier *custom,
              size_t n_custom, struct schema *ret);
bool schema_known(const struct schema *s);

/* Everything anew in the arena; classification and compression are literals. */
struct schema schema_copy(struct arena *a, const struct schema *s);

/* Single classifiers: false when the bytes aren't theirs; then *ret_why may say why not. */
bool classify_csv(struct arena *a, const struct sample *s, const struct classifier *custom,
                  struct schema *ret);
bool classify_json(struct arena *a, const struct sample *s, struct str json_path,
                   struct schema *ret);
bool classify_parquet(struct arena *a, const struct sample *s, struct schema *ret,
                      struct str *ret_why);
bool classify_avro(struct arena *a, const struct sample *s, struct schema *ret,
                   struct str *ret_why);

/* Is `path` one that classify_json() can follow ("$", "$[*]", "$.a.b[*]")? */
bool classify_json_path_ok(struct str path);

/* --- several files ---------------------------------------------------------------------------- */
/* Same format, read the same way (delimiter, header, compression): may be files of one table. */
bool schema_same_format(const struct schema *x, const struct schema *y);
/* Share of columns, of the wider of both, that agree in name and kind: 0 to 1. */
double schema_similarity(const struct schema *x, const struct schema *y);
/* `x` with the columns of `y`; records are added up. */
struct schema schema_merge(struct arena *a, const struct schema *x, const struct schema *y);

#endif
