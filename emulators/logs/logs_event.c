/* PutLogEvents and GetLogEvents. */
#include "emulators/logs/logs_find.h"
#include "emulators/logs/logs_token.h"
#include "server/base/clock.h"

/* Limits of PutLogEvents in the API reference. */
#define BATCH_MAX 10000
#define BATCH_BYTES_MAX ((size_t)1024 * 1024)
#define EVENT_OVERHEAD 26
#define TOO_NEW_MS (2LL * 3600 * 1000)
#define TOO_OLD_MS (14LL * 24 * 3600 * 1000)
#define PAGE_MAX 10000

static enum status check_batch(struct call *c, const struct logs_input_log_events *events)
{
    size_t bytes = 0;
    if (events->n < 1 || events->n > BATCH_MAX) {
        return call_fail(c, &logs_InvalidParameterException,
                         "Log events in a single PutLogEvents request must be 1 to %d, not %zu.",
                         BATCH_MAX, events->n);
    }
    for (size_t i = 0; i < events->n; i++) {
        bytes += events->v[i].message.n + EVENT_OVERHEAD;
        if (i && events->v[i].timestamp.v < events->v[i - 1].timestamp.v) {
            return call_fail(c, &logs_InvalidParameterException,
                             "Log events in a single PutLogEvents request must be in chronological "
                             "order.");
        }
    }
    if (bytes > BATCH_BYTES_MAX) {
        return call_fail(c, &logs_InvalidParameterException,
                         "Upload too large: %zu bytes exceeds limit of %zu", bytes,
                         BATCH_BYTES_MAX);
    }
    return ST_OK;
}

/* Which events of the batch are stored: [first, end). The others are told to the client. */
static void accept_range(struct call *c, const struct logs_input_log_events *events,
                         const struct logs_group_row *group,
                         struct logs_put_log_events_response *ret_out, size_t range[2])
{
    struct logs_rejected_log_events_info info = { .tooNewLogEventStartIndex = { 0, false } };
    int64_t now = clock_now_ms();
    int64_t expired = group->retention_days ? now - group->retention_days * 24 * 3600 * 1000 : 0;
    size_t first = 0, end = events->n;
    while (first < end && events->v[first].timestamp.v < now - TOO_OLD_MS) {
        info.tooOldLogEventEndIndex = OPT_I64(++first);
    }
    while (first < end && events->v[first].timestamp.v < expired) {
        info.expiredLogEventEndIndex = OPT_I64(++first);
    }
    while (end > first && events->v[end - 1].timestamp.v > now + TOO_NEW_MS) {
        info.tooNewLogEventStartIndex = OPT_I64(--end);
    }
    if (first > 0 || end < events->n) {
        ret_out->rejectedLogEventsInfo = ARENA_NEW(c->arena, struct logs_rejected_log_events_info);
        *ret_out->rejectedLogEventsInfo = info;
    }
    range[0] = first;
    range[1] = end;
}

enum status logs_put_log_events(struct call *c, const struct logs_put_log_events_request *in,
                                struct logs_put_log_events_response *ret_out)
{
    struct logs_group_row group;
    struct logs_stream_row stream;
    size_t range[2];
    enum status st = check_batch(c, &in->logEvents);
    st = st == ST_OK ? logs_find_group(c, in->logGroupName, STR_NONE, &group) : st;
    st = st == ST_OK ? logs_find_stream(c, group.id, in->logStreamName, &stream) : st;
    if (st != ST_OK) {
        return st;
    }
    accept_range(c, &in->logEvents, &group, ret_out, range);
    int64_t now = clock_now_ms();
    for (size_t i = range[0]; st == ST_OK && i < range[1]; i++) {
        const struct logs_input_log_event *e = &in->logEvents.v[i];
        st = logs_store_add_event(c->db, group.id, stream.id, e->timestamp.v, now, e->message);
    }
    st = st == ST_OK ? logs_store_expire(c->db, &group, now) : st;
    ret_out->nextSequenceToken = STR("49039859588563489028");
    return call_status(c, st);
}

/* The query for a page; *ret_forward tells which way the events come out of the store. */
static enum status page_in(struct call *c, const struct logs_get_log_events_request *in,
                           struct logs_event_query *q)
{
    q->start_ms = in->startTime.set ? in->startTime.v : 0;
    q->end_ms = in->endTime.set ? in->endTime.v : INT64_MAX;
    q->limit = in->limit.set && in->limit.v < PAGE_MAX ? in->limit.v : PAGE_MAX;
    if (!str_set(in->nextToken)) {
        q->descending = !in->startFromHead.v;
        q->from = q->descending ? (struct logs_position){ INT64_MAX, INT64_MAX }
                                : (struct logs_position){ INT64_MIN, 0 };
        return ST_OK;
    }
    char direction;
    if (logs_token_parse(in->nextToken, &direction, &q->from) != ST_OK) {
        return call_fail(c, &logs_InvalidParameterException, "The specified nextToken is invalid.");
    }
    q->descending = direction == 'b';
    return ST_OK;
}

enum status logs_get_log_events(struct call *c, const struct logs_get_log_events_request *in,
                                struct logs_get_log_events_response *ret_out)
{
    struct logs_group_row group;
    struct logs_stream_row stream;
    struct logs_event_query query = { 0 };
    struct logs_event_row *rows;
    size_t n;
    enum status st = logs_find_group(c, in->logGroupName, in->logGroupIdentifier, &group);
    st = st == ST_OK ? logs_find_stream(c, group.id, in->logStreamName, &stream) : st;
    st = st == ST_OK ? page_in(c, in, &query) : st;
    if (st != ST_OK) {
        return st;
    }
    query.stream = stream.id;
    st = logs_store_events(c->db, c->arena, &query, &rows, &n);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    ret_out->events.n = n;
    ret_out->events.v = ARENA_ARRAY(c->arena, struct logs_output_log_event, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct logs_event_row *e = &rows[query.descending ? n - 1 - i : i];
        ret_out->events.v[i] = (struct logs_output_log_event){ OPT_I64(e->at.time_ms), e->message,
                                                               OPT_I64(e->ingested_ms) };
    }
    /* At an end the same token comes back: that is how clients notice it. */
    struct logs_position first = query.from, last = query.from;
    if (n) {
        first = rows[query.descending ? n - 1 : 0].at;
        last = rows[query.descending ? 0 : n - 1].at;
    }
    ret_out->nextForwardToken = logs_token(c->arena, 'f', last);
    ret_out->nextBackwardToken = logs_token(c->arena, 'b', first);
    return ST_OK;
}
