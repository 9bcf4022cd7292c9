/* Log streams. */
#include "emulators/logs/logs_find.h"
#include "server/base/clock.h"

#define STREAMS_PAGE 50 /* the service's maximum and default */

enum status logs_create_log_stream(struct call *c, const struct logs_create_log_stream_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct logs_group_row group;
    int64_t id;
    struct str name = in->logStreamName;
    if (name.n < 1 || name.n > 512 || str_find(name, ':', 0) >= 0 || str_find(name, '*', 0) >= 0) {
        return call_fail(
            c, &logs_InvalidParameterException,
            "1 validation error detected: Value '%.*s' at 'logStreamName' failed to "
            "satisfy constraint: Member must satisfy regular expression pattern: [^:*]*",
            STR_ARG(name));
    }
    enum status st = logs_find_group(c, in->logGroupName, STR_NONE, &group);
    if (st != ST_OK) {
        return st;
    }
    st = logs_store_add_stream(c->db, group.id, name, clock_now_ms(), &id);
    if (st == ST_EXISTS) {
        return call_fail(c, &logs_ResourceAlreadyExistsException,
                         "The specified log stream already exists");
    }
    return call_status(c, st);
}

static struct opt_i64 unless_zero(int64_t v)
{
    return (struct opt_i64){ v, v != 0 };
}

/* The token is the number of streams that were shown before. */
static enum status page_in(struct call *c, const struct logs_describe_log_streams_request *in,
                           struct logs_stream_query *ret)
{
    bool by_time = str_eqz(in->orderBy, "LastEventTime");
    int64_t limit = in->limit.set && in->limit.v < STREAMS_PAGE ? in->limit.v : STREAMS_PAGE;
    *ret =
        (struct logs_stream_query){ in->logStreamNamePrefix, by_time, in->descending.v, 0, limit };
    if (str_set(in->orderBy) && !by_time && !str_eqz(in->orderBy, "LogStreamName")) {
        return call_fail(c, &logs_InvalidParameterException,
                         "orderBy must be LogStreamName or LastEventTime, not '%.*s'.",
                         STR_ARG(in->orderBy));
    }
    if (by_time && str_set(in->logStreamNamePrefix)) {
        return call_fail(c, &logs_InvalidParameterException,
                         "Cannot order by LastEventTime with a logStreamNamePrefix.");
    }
    if (str_set(in->nextToken) &&
        (str_i64(in->nextToken, &ret->offset) != ST_OK || ret->offset < 0)) {
        return call_fail(c, &logs_InvalidParameterException, "The specified nextToken is invalid.");
    }
    return ST_OK;
}

enum status logs_describe_log_streams(struct call *c,
                                      const struct logs_describe_log_streams_request *in,
                                      struct logs_describe_log_streams_response *ret_out)
{
    struct logs_group_row group;
    struct logs_stream_query query = { 0 };
    struct logs_stream_row *rows;
    size_t n;
    enum status st = logs_find_group(c, in->logGroupName, in->logGroupIdentifier, &group);
    st = st == ST_OK ? page_in(c, in, &query) : st;
    if (st != ST_OK) {
        return st;
    }
    st = logs_store_streams(c->db, c->arena, group.id, &query, &rows, &n);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if ((int64_t)n > query.limit) {
        long long next = query.offset + query.limit;
        n = (size_t)query.limit;
        ret_out->nextToken = arena_printf(c->arena, "%lld", next);
    }
    ret_out->logStreams.n = n;
    ret_out->logStreams.v = ARENA_ARRAY(c->arena, struct logs_log_stream, n + 1);
    for (size_t i = 0; i < n; i++) {
        ret_out->logStreams.v[i] = (struct logs_log_stream){
            .logStreamName = rows[i].name,
            .creationTime = OPT_I64(rows[i].created_ms),
            .firstEventTimestamp = unless_zero(rows[i].first_ms),
            .lastEventTimestamp = unless_zero(rows[i].last_ms),
            .lastIngestionTime = unless_zero(rows[i].ingested_ms),
            .uploadSequenceToken = STR("49039859588563489028"),
            .arn = call_arn(c, "logs", "log-group:%.*s:log-stream:%.*s", STR_ARG(group.name),
                            STR_ARG(rows[i].name)),
            .storedBytes = OPT_I64(0), /* AWS stopped counting per stream in 2019 */
        };
    }
    return ST_OK;
}

enum status logs_delete_log_stream(struct call *c, const struct logs_delete_log_stream_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct logs_group_row group;
    struct logs_stream_row stream;
    enum status st = logs_find_group(c, in->logGroupName, STR_NONE, &group);
    st = st == ST_OK ? logs_find_stream(c, group.id, in->logStreamName, &stream) : st;
    return st == ST_OK ? call_status(c, logs_store_delete_stream(c->db, stream.id)) : st;
}
