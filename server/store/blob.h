/* Bytes on disk. DIR/tmp/ holds staged files under a number, DIR/buckets/ the placed ones under a
 * readable path. Protocol: stage (any thread) → the row that names the blob commits together with
 * blob_intend() (core) → after the commit blob_place() renames. Until the rename a reader finds the
 * bytes in tmp/, so a row that is visible is always readable. A crash between is finished by
 * blobs_recover(). Files are told apart by (size, mtime_ns): each staged file gets a unique mtime.
 *
 * Paths given here are relative to DIR/buckets, '/'-separated, and must come from blob_path().
 * Symbolic links below DIR/buckets are never followed. */
#ifndef CISTERN_STORE_BLOB_H
#define CISTERN_STORE_BLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct blobs;
struct core;
struct db;

/* Names the content of one staged or placed file; a plain value. */
struct blob_ref {
    int64_t id;       /* number in tmp/ */
    int64_t size;     /* bytes */
    int64_t mtime_ns; /* unique per staged file */
};

/* Makes the folders where they are missing. */
enum status blobs_open(const char *data_dir, struct blobs **ret) MUST_CHECK;
void blobs_close(struct blobs *b);
/* Core thread, before the services' schemas: table of intents; `durable`: staged files are synced.
 */
enum status blobs_attach(struct blobs *b, struct core *core, bool durable) MUST_CHECK;
/* Core thread, at start, after the schemas exist: finishes intended placements and removals and
 * deletes files in tmp/ from before that nobody intended to keep. */
enum status blobs_recover(struct blobs *b, struct db *db) MUST_CHECK;
/* In the transaction that empties all tables: everything below buckets/ goes after the commit. */
enum status blobs_reset(struct blobs *b) MUST_CHECK;
/* "DIR/tmp" and "DIR/buckets"; any thread. */
const char *blobs_tmp_dir(const struct blobs *b);
const char *blobs_root_dir(const struct blobs *b);

/* --- staging: any thread --------------------------------------------------------------------- */
/* Creates tmp/<id> for writing; the caller owns *ret_fd and writes to it directly. */
enum status blob_stage(struct blobs *b, int *ret_fd, int64_t *ret_id) MUST_CHECK;
/* Ends writing: takes the size, stamps the unique mtime (fsync when durable), closes fd. */
enum status blob_stage_end(struct blobs *b, int fd, int64_t id, struct blob_ref *ret) MUST_CHECK;
/* Throws a staged file away (also an unfinished one; fd may be -1). */
void blob_discard(struct blobs *b, int fd, int64_t id);

/* --- placing: core thread --------------------------------------------------------------------- */
/* A path for the key within the folder `top` (the bucket): the key itself where that is a legal,
 * safe path, else an escaped name below `.cistern/`. Never leaves `top`. */
struct str blob_path(struct arena *a, struct str top, struct str key);
/* Escaped name for a key whose plain path clashes with another object (`a` beside `a/b`). */
struct str blob_path_escaped(struct arena *a, struct str top, struct str key);

/* In the transaction that writes the row: "ref shall be at `path`". After the commit the core
 * places it (blob_place is called for you). If the plain path turns out to clash with a folder or
 * file on disk, `on_moved(arg, new_path)` is called on the core thread so that the row can be
 * updated; the bytes stay readable meanwhile. */
enum status blob_intend(struct core *core, const struct blob_ref *ref, struct str path,
                        struct str top, struct str key) MUST_CHECK;
/* In the transaction that drops the row: the file at `path` may go after the commit, if it still
 * is this ref; also parent folders that get empty, up to the first segment of the path. An absent
 * path: the file is still in tmp/. Bytes that somebody has open stay readable to him. */
enum status blob_intend_removal(struct core *core, const struct blob_ref *ref,
                                struct str path) MUST_CHECK;
/* Like blob_intend_removal(), but the bytes stay readable by this ref: after the commit the file
 * only gives up its place. It goes by blob_intend_release() with the number that is returned here,
 * at the latest at the next start. */
enum status blob_intend_kept(struct core *core, const struct blob_ref *ref, struct str path,
                             int64_t *ret_kept) MUST_CHECK;
/* In the transaction that forgets a kept file (ref and path as they were given): it goes after the
 * commit. */
void blob_intend_release(struct core *core, const struct blob_ref *ref, struct str path,
                         int64_t kept);

/* In the transaction that writes a row for a file that stays in tmp/ (parts of an upload that is
 * not complete): without it blobs_recover() deletes the file. Ends with blob_intend() or, with an
 * absent path, blob_intend_removal() for the same ref. */
enum status blob_intend_staged(struct core *core, const struct blob_ref *ref) MUST_CHECK;
/* In the transaction that drops the bucket: its empty folder goes after the commit, and after the
 * removals that were intended before. */
enum status blob_intend_top_removal(struct core *core, struct str top) MUST_CHECK;

/* Registers who keeps paths: called on the core thread when a clash moved a file. */
typedef void (*blob_moved_fn)(void *arg, const struct blob_ref *ref, struct str new_path);
void blobs_on_moved(struct blobs *b, blob_moved_fn fn, void *arg);

/* --- reading: any thread ---------------------------------------------------------------------- */
/* Opens the bytes of `ref` at `path` or still in tmp/. ST_NOT_FOUND: neither place has them (the
 * row is stale: read it again; or the file was changed outside of us). The caller owns the fd. */
enum status blob_open(struct blobs *b, const struct blob_ref *ref, struct str path,
                      int *ret_fd) MUST_CHECK;

#endif
