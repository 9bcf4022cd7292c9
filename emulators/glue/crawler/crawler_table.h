/* Found tables in the catalog's terms: columns, formats, parameters. Pure; strings live in the
 * arena given. */
#ifndef CISTERN_GLUE_CRAWLER_TABLE_H
#define CISTERN_GLUE_CRAWLER_TABLE_H

#include "emulators/glue/crawler/crawler_internal.h"

/* The storage descriptor of a table or partition, its Parameters included. */
struct glue_storage_descriptor *crawler_storage(struct arena *a, struct str crawler,
                                                const struct schema *s,
                                                const struct crawl_totals *totals,
                                                struct str location);
/* A new table. */
struct glue_table *crawler_table(struct arena *a, const struct crawl *crawl,
                                 const struct crawl_table *found, struct str name);

/* Same names and types in the same order? */
bool crawler_same_columns(const struct glue_column_list *x, const struct glue_column_list *y);
/* Would readers read the same: columns, formats and SerDe? */
bool crawler_same_storage(const struct glue_storage_descriptor *x,
                          const struct glue_storage_descriptor *y);
/* MergeNewColumns: the old columns, and behind them those that are only in `more`. */
struct glue_column_list crawler_merge_columns(struct arena *a, const struct glue_column_list *old,
                                              const struct glue_column_list *more);

/* Value of a parameter; absent when there is none. */
struct str crawler_parameter(const struct glue_parameters_map *map, const char *key);
/* Replaces in place, or adds in a new array: maps that share the old one stay as they are. */
void crawler_set_parameter(struct arena *a, struct glue_parameters_map *map, const char *key,
                           struct str value);
/* `fresh`, and of `old` what isn't the crawler's own. */
struct glue_parameters_map crawler_keep_parameters(struct arena *a,
                                                   const struct glue_parameters_map *old,
                                                   const struct glue_parameters_map *fresh);

#endif
