/* Reading one table into files: in one piece, or in the segments that its settings ask for, which
 * several connections with the same snapshot read at the same time. Loader threads. */
#ifndef CISTERN_DMS_LOAD_READ_H
#define CISTERN_DMS_LOAD_READ_H

#include "emulators/dms/mapping/segment.h"
#include "emulators/dms/worker/worker_impl.h"

/* Connections that no loader uses, for tables in segments. */
struct dms_conn_pool {
    pthread_mutex_t lock;
    struct mysql_conn *conns[DMS_LOADERS_MAX];
    size_t n;
};
/* Any thread. NULL is not taken. */
void dms_conn_pool_add(struct dms_conn_pool *p, struct mysql_conn *c);

/* A finished file. */
struct dms_loaded {
    struct dms_piece piece;
    size_t segment;
    size_t number; /* within it */
};

struct dms_load_read {
    struct dms_worker *w;
    struct dms_table *t;
    const _Atomic bool *broken; /* set: stop soon */
    struct dms_conn_pool *pool;
    struct mysql_conn *conns[MYSQL_SNAPSHOT_CONNS]; /* the first is the loader's, and connected; the
                                                     * others come from the pool and go back */
    struct mysql_conn *guard; /* of the snapshot; connected where changes are captured */

    /* what was read */
    struct arena *arena; /* of the segments */
    const struct dms_segment *segments;
    size_t segments_n;
    struct dms_loaded *pieces; /* by segment, in order within it */
    size_t pieces_n, pieces_cap;
    int64_t rows;
    uint64_t cut, failures;
    int64_t left_out; /* rows that ErrorBehavior ignores */
    char why[400];    /* of the first failure */
    struct mysql_position at;
};

/* Describes the table and reads it. On failure nothing is kept. ST_CONFLICT: stopped. */
enum status dms_load_read(struct dms_load_read *r, struct mysql_err *err) MUST_CHECK;
/* The keys and pieces, taken out of `r`. */
struct dms_put *dms_load_read_puts(struct dms_load_read *r, struct arena *a, size_t *ret_n);
/* Throws away what was read; frees. Safe twice. */
void dms_load_read_drop(struct dms_load_read *r);

#endif
