/* A data set of CSV parts in a local folder, for `cistern merge`: what is in it and known of it,
 * one writer at a time, new parts under hidden names, and a switch from the old set to the new that
 * a killed process leaves undone or finished by the next.
 *
 * Files in the folder:
 *   part-NNNNN-UUID-cMMM.csv   parts, as Spark names them; order by name is order by key
 *   .cistern-merge.json        the manifest: parts with their ranges, columns, merged files
 *   .cistern-merge.next.json   the manifest that is being switched to; its presence is the decision
 *   .cistern-merge.lock        locked while a merge runs
 *   .cistern-merge-…tmp        parts being written
 * Other plain files whose names begin with neither '.' nor '_' are parts, too, that somebody else
 * wrote. One thread, but for the sink. */
#ifndef CISTERN_GLUE_MERGE_DIR_H
#define CISTERN_GLUE_MERGE_DIR_H

#include "emulators/glue/merge/merge.h"
#include "server/base/arena.h"

#define MERGE_DIR_MANIFEST ".cistern-merge.json"
#define MERGE_DIR_NEXT ".cistern-merge.next.json"
#define MERGE_DIR_LOCK ".cistern-merge.lock"
#define MERGE_DIR_HIDDEN ".cistern-merge-"

/* A file of the data set. */
struct merge_dir_part {
    struct str name;
    int64_t bytes;
    int64_t mtime_ns;
    int64_t rows; /* -1: its range is not known */
    struct str first_key;
    struct str last_key;
};

struct merge_dir {
    struct arena *arena; /* of all texts here */
    const char *path;
    int fd;
    int lock_fd;
    bool sync; /* every file is on the disk before the switch */
    struct merge_dir_part *part;
    size_t n_parts;
    struct str uuid;       /* of the parts that this run writes */
    _Atomic unsigned next; /* hidden name */
    /* From the manifest: */
    bool known;     /* there is one */
    struct str key; /* the columns as they were given, joined by commas */
    char delimiter;
    bool header; /* parts begin with the column names */
    struct str *columns;
    size_t n_columns;
    struct str *merged; /* files that were merged, see merge_dir_file_id() */
    size_t n_merged;
    struct map *merged_set;
    char error[1024]; /* after a failure: what, where, what to do */
};

/* Opens (or makes) the folder, takes its lock, finishes or clears away what a killed run left, and
 * looks at what is there. ST_CONFLICT: another merge is at work. Close in any case. */
enum status merge_dir_open(struct merge_dir *d, const char *path, bool sync) MUST_CHECK;
void merge_dir_close(struct merge_dir *d);

/* Names one version of an input file: path, size, time of change. In the arena. */
enum status merge_dir_file_id(struct merge_dir *d, const char *path, struct str *ret) MUST_CHECK;
bool merge_dir_was_merged(const struct merge_dir *d, struct str file_id);

/* The parts as merge_run() takes them; ranges only if `ranges`. In the arena. */
const struct merge_part *merge_dir_parts(struct merge_dir *d, bool ranges);
/* Where its new parts go. */
struct merge_sink merge_dir_sink(struct merge_dir *d);
/* Drops the parts of a result that will not be published. */
void merge_dir_discard(struct merge_dir *d, struct merge_result *result);

/* What the manifest says after the run besides the parts. */
struct merge_dir_outcome {
    struct str key;
    char delimiter;
    bool header;
    bool forget;          /* the load replaced everything: earlier files are not merged any more */
    const struct str *id; /* of the files merged now */
    size_t n_ids;
};
/* Switches to the result. ST_CONFLICT: somebody changed a part meanwhile, nothing was published. */
enum status merge_dir_publish(struct merge_dir *d, struct merge_result *result,
                              const struct merge_dir_outcome *outcome) MUST_CHECK;

/* --- between merge_dir.c and merge_dir_publish.c ---------------------------------------------- */

/* A part in the manifest, and under which name it is now if that is another. */
struct merge_dir_entry {
    struct merge_dir_part part;
    struct str from;
};

enum status merge_dir_fail(struct merge_dir *d, enum status st, const char *fmt, ...)
    __attribute__((format(printf, 3, 4))) MUST_CHECK;
/* Renames and deletes what .cistern-merge.next.json says, and makes it the manifest; does nothing
 * when there is none. May be repeated at any point. */
enum status merge_dir_switch(struct merge_dir *d) MUST_CHECK;

#endif
