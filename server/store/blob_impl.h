/* Inside of the blob store: blob.c (folders, staging, reading), blob_path.c (names), blob_beneath.c
 * (opening), blob_place.c (moving files), blob_intent.c (what shall happen to them, and recovery).
 */
#ifndef CISTERN_STORE_BLOB_IMPL_H
#define CISTERN_STORE_BLOB_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "server/base/list.h"
#include "server/store/blob.h"

/* Limits by name. */
#define BLOB_SEGMENT_MAX 255                         /* bytes of a name in common file systems */
#define BLOB_PATH_MAX 3500                           /* leaves room for DIR within PATH_MAX */
#define BLOB_ESCAPED_MAX ((size_t)BLOB_PATH_MAX * 2) /* memory for making an escaped path */
#define BLOB_HIDDEN ".cistern"
#define BLOB_CLEAR_BATCH 64  /* done intents that are deleted from the table together */
#define BLOB_REMOVE_BATCH 64 /* removals that are carried out before other work gets its turn */

struct blobs {
    char *tmp_dir, *root_dir;
    int tmp_fd, root_fd;
    bool durable;
    atomic_llong next_id;
    atomic_llong last_mtime_ns;
    int64_t first_id; /* of this process: smaller ones are from before */

    /* Core thread. */
    struct core *core;
    blob_moved_fn moved;
    void *moved_arg;
    int64_t next_intent;
    bool any_staged; /* there may be intents to keep a file in tmp/ */
    int64_t *done;   /* intents whose rows can go */
    size_t n_done, cap_done;
    struct link removals; /* struct removal: not carried out yet */
    bool removing;        /* a post that carries them out is under way */
};

/* Name in tmp/. */
struct blob_name {
    char z[24];
};
struct blob_name blob_name(int64_t id);
/* The number in "<id>" or "x<id>" (waiting for its deletion); 0 for any other name. */
int64_t blob_id_of_name(const char *name);
/* Is the file `name` of this folder exactly this ref? */
bool blob_is(int dir_fd, const char *name, const struct blob_ref *ref);
/* The same for a path below buckets/. */
bool blob_is_at(struct blobs *b, const char *path, const struct blob_ref *ref);
bool blob_path_legal(struct str path);

/* open() below root_fd that follows no symbolic link, neither in the folders of the path nor at its
 * end: ELOOP or ENOTDIR where there is one. */
int blob_open_beneath(int root_fd, const char *path, int flags);
/* The folder above `path` (O_PATH, to be closed), made with those above it if `make`; -1 and errno.
 * *ret_name: the last segment, within `path`. */
int blob_parent(struct blobs *b, const char *path, bool make, const char **ret_name);

/* CLASH: a folder or file is in the way, or the file system refuses the name. GONE: the file isn't
 * in tmp/. FAILED: anything else (logged). */
enum place_result { PLACE_DONE, PLACE_CLASH, PLACE_GONE, PLACE_FAILED };
/* Renames tmp/<id> to its path, making the folders above it. */
enum place_result blob_place(struct blobs *b, int64_t id, const char *path);
/* If the file at `path` (NULL: only in tmp/) still is this ref, renames it to tmp/x<id>, where
 * deleting it is nobody's hurry, and removes the folders that got empty. */
bool blob_take_away(struct blobs *b, const struct blob_ref *ref, const char *path);
/* If the file at `path` still is this ref, renames it back to tmp/<id>. */
void blob_take_back(struct blobs *b, const struct blob_ref *ref, const char *path);
/* Removes the folder `top` below buckets/ if nothing is in it. */
void blob_remove_top(struct blobs *b, const char *top);

void blob_intents_fini(struct blobs *b);

#endif
