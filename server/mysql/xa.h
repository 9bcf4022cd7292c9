/* XA transactions of a binlog stream. Their rows are logged at XA PREPARE, and whether they count
 * is only known at XA COMMIT or XA ROLLBACK, maybe much later. Until then their events are kept
 * here: small ones in memory, others in an unnamed file. They are gone when the stream ends, so
 * reading must begin again early enough: that is what the places below are about.
 *
 * One thread, the stream's; it may outlive streams, but only one uses it at a time. */
#ifndef CISTERN_MYSQL_XA_H
#define CISTERN_MYSQL_XA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/str.h"
#include "server/mysql/err.h"
#include "server/mysql/position.h"

struct mysql_xa;

/* `spool_dir` (copied): where the file is made when one is needed; NULL: none is, and what doesn't
 * fit in memory is refused. */
struct mysql_xa *mysql_xa_new(const char *spool_dir) __attribute__((returns_nonnull));
void mysql_xa_free(struct mysql_xa *x); /* NULL is fine */

/* A stream is to read everything from *at on. Lowers *at to where it must begin for that: to the
 * start of the earliest XA transaction that is prepared before and ends at or after it. Forgets
 * everything: that stream reads it again. */
void mysql_xa_rewind(struct mysql_xa *x, struct mysql_position *at);
/* Lowers *at in the same way, for a place that is stored. These places must not go back from call
 * to call: what ended before the last one is forgotten. */
void mysql_xa_hold(struct mysql_xa *x, struct mysql_position *at);

/* --- the stream's side: binlog_xa.c ----------------------------------------------------------- */
#define MYSQL_XA_ID_MAX 128u /* both parts of the name together */

struct mysql_xa_id {
    int32_t format;
    uint32_t global_n,
        branch_n; /* bytes of both parts in p, one behind the other; at most 64 each */
    uint8_t p[MYSQL_XA_ID_MAX];
};
struct mysql_xa_tx; /* one transaction; valid until it has ended */

/* A new one at this place, to which events are added; an earlier one that isn't prepared is
 * dropped.
 */
void mysql_xa_open(struct mysql_xa *x, const struct mysql_position *start);
/* MYSQL_ERR_LOST: the file can't be written. */
enum status mysql_xa_add(struct mysql_xa *x, uint8_t type, const void *p, size_t n,
                         struct mysql_err *err) MUST_CHECK;
/* The open one is complete: found by its name from now on. */
enum status mysql_xa_prepared(struct mysql_xa *x, const struct mysql_xa_id *id,
                              struct mysql_err *err) MUST_CHECK;
void mysql_xa_drop_open(struct mysql_xa *x);
struct mysql_xa_tx *mysql_xa_at_hand(struct mysql_xa *x); /* the open one, or NULL */
bool mysql_xa_has_events(const struct mysql_xa_tx *t);    /* NULL: none */
struct mysql_xa_tx *mysql_xa_find(struct mysql_xa *x, const struct mysql_xa_id *id); /* or NULL */
/* The event at *cursor (0 at first), which moves on; its bytes stay valid until the next call.
 * ST_NOT_FOUND at the end. */
enum status mysql_xa_read(struct mysql_xa *x, const struct mysql_xa_tx *t, uint64_t *cursor,
                          uint8_t *ret_type, struct str *ret, struct mysql_err *err) MUST_CHECK;
/* It was committed or rolled back by the transaction that begins there. */
void mysql_xa_ended(struct mysql_xa *x, struct mysql_xa_tx *t, const struct mysql_position *at);

#endif
