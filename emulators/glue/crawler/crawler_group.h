/* Folders to tables: which files below an include path are one table, and which folders are its
 * partitions (developer guide, "How does a crawler determine when to create partitions?"). Pure;
 * any thread; results live in the arena given. */
#ifndef CISTERN_GLUE_CRAWLER_GROUP_H
#define CISTERN_GLUE_CRAWLER_GROUP_H

#include "emulators/glue/crawler/classify.h"

/* Folders whose columns agree at least so far are partitions of one table. */
#define CRAWLER_SIMILARITY 0.7

struct crawl_file {
    struct str key; /* the object's */
    int64_t size;
    const struct schema *schema; /* NULL: not looked at, takes part as its folder's others */
    int64_t records;             /* counted or estimated */
};

struct crawl_totals {
    int64_t files, bytes, records;
};

struct crawl_partition {
    struct str location;
    const struct str *values; /* as many as the table has keys */
    struct schema schema;
    struct crawl_totals totals;
};

struct crawl_table {
    struct str base;     /* the folder's or file's own name: what the table is named after */
    struct str location; /* "s3://bucket/folder/" or "s3://bucket/file" */
    struct schema schema;
    struct crawl_totals totals;
    struct str *keys; /* names of the partition keys */
    size_t n_keys;
    struct crawl_partition *partitions;
    size_t n_partitions;
};

struct crawl_tables {
    struct crawl_table *v;
    size_t n;
};

/* Where and how. */
struct crawl_grouping {
    struct str bucket, prefix; /* the include path; prefix is empty or ends with '/' */
    bool combine;              /* CombineCompatibleSchemas: any schemas of one format */
    int64_t table_level;       /* TableLevelConfiguration: the bucket is level 1; 0: find out */
};

/* `files` in order of their keys, all below g->prefix. Adds the tables to *ret. */
void crawler_group(struct arena *a, const struct crawl_grouping *g, const struct crawl_file *files,
                   size_t n, struct crawl_tables *ret);
/* An include path that names one object: a table of its own. */
void crawler_group_file(struct arena *a, const struct crawl_grouping *g,
                        const struct crawl_file *file, struct crawl_tables *ret);
/* The catalog's name of a folder or file: lower case, `_` for all but letters, digits and `_`. */
struct str crawler_table_name(struct arena *a, struct str prefix, struct str base);

#endif
