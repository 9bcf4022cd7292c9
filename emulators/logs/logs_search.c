/* FilterLogEvents, which is also `aws logs tail`. */
#include "emulators/logs/logs_filter.h"
#include "emulators/logs/logs_find.h"
#include "emulators/logs/logs_token.h"
#include "server/wire/codec.h"

#define PAGE_MAX 10000
#define SCAN_CHUNK 1000 /* rows read at a time while looking for matches */

static bool stream_wanted(const struct logs_filter_log_events_request *in, struct str name)
{
    if (str_set(in->logStreamNamePrefix) && !str_starts(name, in->logStreamNamePrefix)) {
        return false;
    }
    for (size_t i = 0; i < in->logStreamNames.n; i++) {
        if (str_eq(name, in->logStreamNames.v[i])) {
            return true;
        }
    }
    return in->logStreamNames.n == 0;
}

static enum status parse_filter(struct call *c, struct str pattern, struct logs_filter *ret)
{
    enum status st = logs_filter_parse(c->arena, pattern, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(
            c, &wire_NotImplemented,
            "filterPattern '%.*s': JSON, column and regular expression patterns aren't "
            "implemented; words, \"phrases\", ?any and -none are.",
            STR_ARG(pattern));
    }
    if (st != ST_OK) {
        return call_fail(c, &logs_InvalidParameterException,
                         "Invalid character(s) in term '%.*s': a quote isn't closed.",
                         STR_ARG(pattern));
    }
    return ST_OK;
}

static struct logs_filtered_log_event shown(struct arena *a, const struct logs_event_row *e)
{
    return (struct logs_filtered_log_event){
        .logStreamName = e->stream,
        .timestamp = OPT_I64(e->at.time_ms),
        .message = e->message,
        .ingestionTime = OPT_I64(e->ingested_ms),
        .eventId = arena_printf(a, "%024lld%032lld", (long long)e->at.time_ms, (long long)e->at.id),
    };
}

/* Fills the page from the place in `query` on; leaves the place of the last event looked at. */
static enum status collect(struct call *c, const struct logs_filter_log_events_request *in,
                           const struct logs_filter *filter, struct logs_event_query *query,
                           struct logs_filter_log_events_response *ret_out)
{
    size_t limit = in->limit.set && in->limit.v < PAGE_MAX ? (size_t)in->limit.v : PAGE_MAX;
    ret_out->events.v = ARENA_ARRAY(c->arena, struct logs_filtered_log_event, limit + 1);
    query->limit = SCAN_CHUNK;
    for (;;) {
        struct logs_event_row *rows;
        size_t n;
        enum status st = logs_store_events(c->db, c->arena, query, &rows, &n);
        if (st != ST_OK) {
            return call_status(c, st);
        }
        for (size_t i = 0; i < n; i++) {
            if (ret_out->events.n == limit) {
                ret_out->nextToken = logs_token(c->arena, 'f', query->from);
                return ST_OK;
            }
            query->from = rows[i].at;
            if (stream_wanted(in, rows[i].stream) && logs_filter_match(filter, rows[i].message)) {
                ret_out->events.v[ret_out->events.n++] = shown(c->arena, &rows[i]);
            }
        }
        if (n < SCAN_CHUNK || arena_over(c->arena)) {
            return ST_OK;
        }
    }
}

enum status logs_filter_log_events(struct call *c, const struct logs_filter_log_events_request *in,
                                   struct logs_filter_log_events_response *ret_out)
{
    struct logs_group_row group;
    struct logs_filter filter;
    char direction = 'f';
    struct logs_event_query query = { .start_ms = in->startTime.set ? in->startTime.v : 0,
                                      .end_ms = in->endTime.set ? in->endTime.v + 1 : INT64_MAX,
                                      .from = { INT64_MIN, 0 } };
    enum status st = logs_find_group(c, in->logGroupName, in->logGroupIdentifier, &group);
    st = st == ST_OK ? parse_filter(c, in->filterPattern, &filter) : st;
    if (st != ST_OK) {
        return st;
    }
    if (in->logStreamNames.n && str_set(in->logStreamNamePrefix)) {
        return call_fail(
            c, &logs_InvalidParameterException,
            "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.");
    }
    if (str_set(in->nextToken) &&
        (logs_token_parse(in->nextToken, &direction, &query.from) != ST_OK || direction != 'f')) {
        return call_fail(c, &logs_InvalidParameterException, "The specified nextToken is invalid.");
    }
    query.group = group.id;
    ret_out->searchedLogStreams.v = ARENA_NEW(c->arena, struct logs_searched_log_stream);
    return collect(c, in, &filter, &query, ret_out);
}
