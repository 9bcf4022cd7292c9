/* What the files of the crawlers share. Core thread unless noted.
 *
 * A crawl: its row says RUNNING; after the commit its targets are listed on the core, page by page;
 * a thread of its own reads the heads of the objects, classifies them and groups the folders; back
 * on the core the catalog is written and the crawl ended, in one transaction. A restart begins
 * crawls that were under way again: writing the catalog twice changes nothing. */
#ifndef CISTERN_GLUE_CRAWLER_INTERNAL_H
#define CISTERN_GLUE_CRAWLER_INTERNAL_H

#include <stdatomic.h>

#include "emulators/facade/s3.h"
#include "emulators/glue/crawler/classify.h"
#include "emulators/glue/crawler/crawler_group.h"
#include "emulators/glue/crawler/crawler_store.h"
#include "emulators/glue/glue_internal.h"

/* Limits by name. */
#define CRAWL_ARENA_MAX ((size_t)2 << 30)
#define CRAWL_LIST_PAGE 2000 /* objects that are listed before other work gets its turn */

/* What the Configuration text of a crawler says. */
struct crawler_config {
    bool combine;            /* Grouping.TableGroupingPolicy = CombineCompatibleSchemas */
    int64_t table_level;     /* Grouping.TableLevelConfiguration; 0: none */
    int64_t table_threshold; /* CrawlerOutput.Tables.TableThreshold; 0: none */
    bool merge_new_columns;  /* CrawlerOutput.Tables.AddOrUpdateBehavior = MergeNewColumns */
    bool inherit;            /* CrawlerOutput.Partitions.AddOrUpdateBehavior = InheritFromTable */
    bool partition_index;    /* CreatePartitionIndex */
};

/* An include path and what was found there. */
struct crawl_target {
    struct str bucket;
    struct str prefix;      /* empty or with a slash at its end */
    struct str object;      /* the path is this one object's; else absent */
    struct str *exclusions; /* expanded */
    size_t n_exclusions;
    int64_t sample_size; /* files per folder; 0: all */
    struct s3_object *objects;
    size_t n;
};

/* Lines that the thread leaves for the log. */
struct crawl_lines {
    struct str *v;
    size_t n;
};

enum crawl_stop { CRAWL_STOP_NONE, CRAWL_STOP_USER, CRAWL_STOP_SERVER };

/* A crawl under way; made and freed by crawler_run.c. The arena is the core's while it lists, then
 * the thread's, then the core's again. */
struct crawl {
    struct link link;
    struct glue_state *glue;
    struct arena *arena;
    struct glue_owner owner;
    struct glue_crawler *crawler; /* as it was when the crawl began */
    struct crawler_config config;
    struct str id;
    int64_t started_ms;
    enum crawl_stop stop;
    atomic_bool cancel; /* any thread: end soon */
    struct crawl_target *targets;
    size_t n_targets, listing; /* the target that is being listed */
    struct classifier *classifiers;
    size_t n_classifiers;
    struct crawl_tables tables;
    struct crawl_lines lines;
};

/* --- definitions (crawler_check.c) --- */
/* Is the definition whole and possible? Else the call fails. Fills in what AWS fills in. */
enum status crawler_check(struct call *c, struct glue_crawler *crawler) MUST_CHECK;
/* An include path's bucket and key, the rest zeroed; ST_INVALID: it is no s3:// path. */
enum status crawler_parse_path(struct str path, struct str *ret_bucket,
                               struct str *ret_key) MUST_CHECK;
/* ST_INVALID: *ret_why says what is wrong with it. An absent text gives the defaults. */
enum status crawler_parse_config(struct arena *a, struct str text, struct crawler_config *ret,
                                 struct str *ret_why) MUST_CHECK;

/* --- schedules (crawler_schedule.c) --- */
/* Plans the next scheduled crawl as row->crawler->Schedule says, instead of the one planned before,
 * and sets row->schedule; the caller stores the row. */
enum status crawler_plan(struct glue_state *g, struct crawler_row *row) MUST_CHECK;
void crawler_schedule_init(struct glue_state *g);

/* --- life of crawls (crawler_run.c); glue_crawler_start() begins one --- */
/* Asks the crawl of a RUNNING crawler to end; the caller stores the row's new state. */
void crawler_cancel(struct glue_state *g, const struct crawler_row *row);

/* --- reading (crawler_read.c); any thread --- */
/* Reads, classifies and groups everything listed; fills tables and lines. Ends early when asked to.
 */
void crawler_read(struct crawl *crawl);

/* --- results (crawler_catalog.c) --- */
/* What a crawl did to the catalog. */
struct crawl_changes {
    struct str *added, *updated, *deleted; /* names of tables */
    size_t n_added, n_updated, n_deleted;
    int64_t partitions_added, partitions_updated, partitions_deleted;
};
/* Writes the tables into the catalog as the crawler's policies ask, in the current transaction.
 * ST_INVALID: *ret_why tells why nothing was written. */
enum status crawler_write(struct crawl *crawl, struct crawl_changes *ret,
                          struct str *ret_why) MUST_CHECK;

/* --- logs (crawler_log.c) --- */
/* One line to /aws-glue/crawlers, stream = name of the crawler: "[id] LEVEL : text". */
void crawler_log(struct crawl *crawl, const char *level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The thread's: kept until the core writes them. */
void crawler_note(struct crawl *crawl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- classifiers (classifier.c) --- */
/* The custom classifiers of a crawler, ready for use. Those deleted since are left out. */
enum status crawler_classifiers(struct db *db, struct arena *a, const struct glue_owner *o,
                                const struct glue_crawler *crawler, struct classifier **ret,
                                size_t *ret_n) MUST_CHECK;

#endif
