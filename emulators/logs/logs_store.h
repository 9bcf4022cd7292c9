/* Groups, streams and events. The only SQL of the service. Core thread; strings live in the arena
 * given. Times are milliseconds since the epoch. */
#ifndef CISTERN_LOGS_STORE_H
#define CISTERN_LOGS_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "emulators/facade/logs.h"
#include "emulators/logs/logs_model.h"
#include "server/base/arena.h"
#include "server/store/db.h"

extern const char logs_schema_sql[];

struct logs_group_row {
    int64_t id;
    struct str name;
    int64_t created_ms;
    int64_t retention_days; /* 0: for ever */
    int64_t bytes;
};
struct logs_stream_row {
    int64_t id;
    struct str name;
    int64_t created_ms;
    int64_t first_ms, last_ms, ingested_ms; /* 0: no event yet */
    int64_t bytes;                          /* of its events, as the service counts them */
};
/* A place in a stream or group: events are ordered by (time, id). */
struct logs_position {
    int64_t time_ms, id;
};
struct logs_event_row {
    struct logs_position at;
    int64_t ingested_ms;
    struct str stream; /* name */
    struct str message;
};

/* --- groups ----------------------------------------------------------------------------------- */
enum status logs_store_add_group(struct db *db, const struct logs_owner *o, struct str name,
                                 int64_t now_ms, int64_t *ret_id) MUST_CHECK;
enum status logs_store_group(struct db *db, struct arena *a, const struct logs_owner *o,
                             struct str name, struct logs_group_row *ret) MUST_CHECK;
/* Names after `after` with the prefix and, when set, the substring; at most `limit` + 1. */
struct logs_group_query {
    struct str prefix, contains, after;
    int64_t limit;
};
enum status logs_store_groups(struct db *db, struct arena *a, const struct logs_owner *o,
                              const struct logs_group_query *query, struct logs_group_row **ret,
                              size_t *ret_n) MUST_CHECK;
enum status logs_store_set_retention(struct db *db, int64_t group, int64_t days) MUST_CHECK;
enum status logs_store_delete_group(struct db *db, int64_t group) MUST_CHECK;
enum status logs_store_set_tag(struct db *db, int64_t group, struct str key,
                               struct str value) MUST_CHECK;
enum status logs_store_delete_tag(struct db *db, int64_t group, struct str key) MUST_CHECK;
enum status logs_store_tags(struct db *db, struct arena *a, int64_t group,
                            struct logs_tags *ret) MUST_CHECK;

/* --- streams ---------------------------------------------------------------------------------- */
enum status logs_store_add_stream(struct db *db, int64_t group, struct str name, int64_t now_ms,
                                  int64_t *ret_id) MUST_CHECK;
enum status logs_store_stream(struct db *db, struct arena *a, int64_t group, struct str name,
                              struct logs_stream_row *ret) MUST_CHECK;
struct logs_stream_query {
    struct str prefix;
    bool by_time, descending;
    int64_t offset, limit; /* at most limit + 1 are returned */
};
enum status logs_store_streams(struct db *db, struct arena *a, int64_t group,
                               const struct logs_stream_query *query, struct logs_stream_row **ret,
                               size_t *ret_n) MUST_CHECK;
enum status logs_store_delete_stream(struct db *db, int64_t stream) MUST_CHECK;

/* --- events ----------------------------------------------------------------------------------- */
enum status logs_store_add_event(struct db *db, int64_t group, int64_t stream, int64_t time_ms,
                                 int64_t now_ms, struct str message) MUST_CHECK;
/* Events of the group (stream 0) or of one stream with start <= time < end, strictly after `from`
 * (ascending) or strictly before it (descending); at most `limit`. */
struct logs_event_query {
    int64_t group, stream;
    int64_t start_ms, end_ms;
    struct logs_position from;
    bool descending;
    int64_t limit;
};
enum status logs_store_events(struct db *db, struct arena *a, const struct logs_event_query *query,
                              struct logs_event_row **ret, size_t *ret_n) MUST_CHECK;
/* Drops what is older than the group's retention. */
enum status logs_store_expire(struct db *db, const struct logs_group_row *group,
                              int64_t now_ms) MUST_CHECK;

#endif
