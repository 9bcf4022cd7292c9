#include "emulators/s3/s3_event.h"

#include "emulators/bus.h"
#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/wire/json.h"

#define EVENT_MAX_BYTES (64u << 10)
#define SEQUENCE_AHEAD_US 1000000 /* how far numbers are put on record in advance */

struct s3_cause s3_cause_of(const struct call *c)
{
    struct str who = str_set(c->caller.user_id) ? c->caller.user_id : c->caller.account;
    return (struct s3_cause){
        .request_id = c->request_id,
        .host_id = c->host_id,
        .principal = arena_printf(c->arena, "AWS:%.*s", STR_ARG(who)),
        .source_ip = c->source_ip,
        .access_key = c->caller.access_key,
    };
}

/* Rises for every event of the process and, through the number on record, across restarts. */
static enum status next_sequence(struct s3 *s3, int64_t *ret)
{
    struct db *db = core_db(s3->core);
    int64_t limit = 0;
    enum status st = s3_store_sequence(db, &limit);
    int64_t us = clock_now_us();
    *ret = us > s3->seq_last ? us : s3->seq_last + 1;
    s3->seq_last = *ret;
    if (st == ST_OK && *ret > limit) {
        st = s3_store_set_sequence(db, *ret + SEQUENCE_AHEAD_US);
    }
    return st;
}

/* The short id that events show for a bucket's owner. */
static struct str owner_principal(struct arena *a, struct str account)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned char out[DIGEST_MAX];
    struct str text = arena_printf(a, "s3 principal %.*s", STR_ARG(account));
    digest_bytes(DIGEST_SHA256, text.p, text.n, out);
    char id[14] = "A";
    for (size_t i = 1; i < sizeof(id); i++) {
        id[i] = letters[out[i] & 31];
    }
    return arena_str(a, (struct str){ id, sizeof(id) });
}

static struct str or_else(struct str s, struct str otherwise)
{
    return str_set(s) ? s : otherwise;
}

/* What is told to the targets: the event, who caused it, its place in the order of its key. */
struct incident {
    const struct s3_bucket_row *bucket;
    const struct s3_event *ev;
    const struct s3_cause *cause;
    int64_t sequence;
};

static void write_source(struct json_out *o, struct arena *a, const struct incident *in)
{
    const struct s3_event *ev = in->ev;
    const struct s3_cause *cause = in->cause;
    json_pair(o, "eventVersion", ev->shape == S3_EVENT_TAGGED ? STR("2.3") : STR("2.1"));
    json_pair(o, "eventSource", STR("aws:s3"));
    json_pair(o, "awsRegion", in->bucket->region);
    json_pair(o, "eventTime", clock_iso_ms(a, ev->time_ms));
    json_pair(o, "eventName", str_z(ev->name + strlen("s3:")));
    json_keyz(o, "userIdentity");
    json_open(o, '{');
    json_pair(o, "principalId",
              or_else(cause->principal, arena_printf(a, "AWS:%.*s", STR_ARG(in->bucket->account))));
    json_close(o, '}');
    json_keyz(o, "requestParameters");
    json_open(o, '{');
    json_pair(o, "sourceIPAddress", or_else(cause->source_ip, STR("127.0.0.1")));
    json_close(o, '}');
    json_keyz(o, "responseElements");
    json_open(o, '{');
    json_pair(o, "x-amz-request-id", cause->request_id);
    json_pair(o, "x-amz-id-2", cause->host_id);
    json_close(o, '}');
}

static void write_subject(struct json_out *o, struct arena *a, const struct incident *in)
{
    const struct s3_event *ev = in->ev;
    json_keyz(o, "bucket");
    json_open(o, '{');
    json_pair(o, "name", in->bucket->name);
    json_keyz(o, "ownerIdentity");
    json_open(o, '{');
    json_pair(o, "principalId", owner_principal(a, in->bucket->account));
    json_close(o, '}');
    json_pair(o, "arn", arena_printf(a, "arn:aws:s3:::%.*s", STR_ARG(in->bucket->name)));
    json_close(o, '}');
    json_keyz(o, "object");
    json_open(o, '{');
    json_pair(o, "key", s3_form_encode(a, ev->key));
    if (ev->shape == S3_EVENT_CREATED) {
        json_keyz(o, "size");
        json_i64(o, ev->size);
    }
    if (ev->shape != S3_EVENT_REMOVED) {
        json_pair(o, "eTag", ev->etag);
    }
    if (ev->shape != S3_EVENT_TAGGED) {
        json_pair(o, "sequencer", s3_sequencer(a, in->sequence));
    }
    json_close(o, '}');
}

static void write_records(struct buf *b, struct arena *a, const struct incident *in,
                          struct str rule_id)
{
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_keyz(&o, "Records");
    json_open(&o, '[');
    json_open(&o, '{');
    write_source(&o, a, in);
    json_keyz(&o, "s3");
    json_open(&o, '{');
    json_pair(&o, "s3SchemaVersion", STR("1.0"));
    json_pair(&o, "configurationId", rule_id);
    write_subject(&o, a, in);
    json_close(&o, '}');
    json_close(&o, '}');
    json_close(&o, ']');
    json_close(&o, '}');
}

/* EventBridge has words of its own for the same things. */
static void write_bridge_detail(struct json_out *o, struct arena *a, const struct incident *in)
{
    const struct s3_event *ev = in->ev;
    struct str reason = str_z(strrchr(ev->name, ':') + 1);
    json_pair(o, "version", STR("0"));
    json_keyz(o, "bucket");
    json_open(o, '{');
    json_pair(o, "name", in->bucket->name);
    json_close(o, '}');
    json_keyz(o, "object");
    json_open(o, '{');
    json_pair(o, "key", ev->key);
    if (ev->shape == S3_EVENT_CREATED) {
        json_keyz(o, "size");
        json_i64(o, ev->size);
    }
    if (ev->shape != S3_EVENT_REMOVED) {
        json_pair(o, "etag", ev->etag);
    }
    if (ev->shape != S3_EVENT_TAGGED) {
        json_pair(o, "sequencer", s3_sequencer(a, in->sequence));
    }
    json_close(o, '}');
    json_pair(o, "request-id", in->cause->request_id);
    json_pair(o, "requester", in->bucket->account);
    json_pair(o, "source-ip-address", or_else(in->cause->source_ip, STR("127.0.0.1")));
    if (ev->shape == S3_EVENT_CREATED) {
        json_pair(o, "reason",
                  str_eqz(reason, "Put")    ? STR("PutObject")
                  : str_eqz(reason, "Copy") ? STR("CopyObject")
                                            : reason);
    } else if (ev->shape == S3_EVENT_REMOVED) {
        json_pair(o, "reason", STR("DeleteObject"));
        json_pair(o, "deletion-type", STR("Permanently Deleted"));
    }
}

static struct str bridge_type(const struct s3_event *ev)
{
    switch (ev->shape) {
    case S3_EVENT_CREATED:
        return STR("Object Created");
    case S3_EVENT_REMOVED:
        return STR("Object Deleted");
    default:
        return strstr(ev->name, "Delete") ? STR("Object Tags Deleted") : STR("Object Tags Added");
    }
}

static void write_bridge(struct buf *b, struct arena *a, const struct incident *in)
{
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_pair(&o, "version", STR("0"));
    json_pair(&o, "id", id_uuid(a));
    json_pair(&o, "detail-type", bridge_type(in->ev));
    json_pair(&o, "source", STR("aws.s3"));
    json_pair(&o, "account", in->bucket->account);
    json_pair(&o, "time", clock_iso(a, in->ev->time_ms));
    json_pair(&o, "region", in->bucket->region);
    json_keyz(&o, "resources");
    json_open(&o, '[');
    json_str(&o, arena_printf(a, "arn:aws:s3:::%.*s", STR_ARG(in->bucket->name)));
    json_close(&o, ']');
    json_keyz(&o, "detail");
    json_open(&o, '{');
    write_bridge_detail(&o, a, in);
    json_close(&o, '}');
    json_close(&o, '}');
}

struct str s3_event_bus_arn(struct arena *a, const struct s3_bucket_row *bucket)
{
    return arena_printf(a, "arn:aws:events:%.*s:%.*s:event-bus/default", STR_ARG(bucket->region),
                        STR_ARG(bucket->account));
}

void s3_event_source(struct arena *a, const struct s3_bucket_row *bucket, struct str target_arn,
                     struct str request_id, struct bus_event *ret)
{
    *ret = (struct bus_event){
        .target_arn = target_arn,
        .source_service = STR("s3.amazonaws.com"),
        .source_arn = arena_printf(a, "arn:aws:s3:::%.*s", STR_ARG(bucket->name)),
        .source_account = bucket->account,
        .request_id = request_id,
    };
}

/* A target that is gone, or took its permission back, loses the event. */
static enum status hand_over(struct s3 *s3, const struct bus_event *out)
{
    enum status st = bus_deliver(s3->core, out);
    if (st == ST_NOT_FOUND || st == ST_CONFLICT) {
        log_info("s3", "event of %.*s is lost: %.*s %s", STR_ARG(out->source_arn),
                 STR_ARG(out->target_arn),
                 st == ST_NOT_FOUND ? "does not exist (any more)" : "does not permit S3 to send");
        return ST_OK;
    }
    return st;
}

static enum status deliver(struct s3 *s3, struct arena *a, const struct s3_bucket_row *bucket,
                           const struct s3_event *ev, const struct s3_cause *cause,
                           const struct s3_rule *rule)
{
    struct incident in = { bucket, ev, cause, 0 };
    enum status st = next_sequence(s3, &in.sequence);
    if (st != ST_OK) {
        return st;
    }
    CLEANUP(buf_fini) struct buf b = BUF_INIT(EVENT_MAX_BYTES);
    struct bus_event out;
    bool bridge = rule->kind == S3_RULE_EVENTBRIDGE;
    s3_event_source(a, bucket, bridge ? s3_event_bus_arn(a, bucket) : rule->arn, cause->request_id,
                    &out);
    if (bridge) {
        write_bridge(&b, a, &in);
    } else {
        write_records(&b, a, &in, rule->id);
    }
    out.payload = buf_str(&b);
    return buf_ok(&b) ? hand_over(s3, &out) : ST_NOMEM;
}

enum status s3_event_fire(struct s3 *s3, struct arena *a, const struct s3_bucket_row *bucket,
                          const struct s3_event *ev, const struct s3_cause *cause)
{
    struct s3_rule *rules = NULL;
    size_t n = 0;
    enum status st = s3_store_rules(core_db(s3->core), a, bucket->name, &rules, &n);
    if (st != ST_OK || n == 0) {
        return st;
    }
    struct s3_cause full = *cause;
    full.request_id = or_else(cause->request_id, id_hex_upper(a, 16));
    if (!str_set(full.host_id)) {
        unsigned char random[48];
        id_random(random, sizeof(random));
        full.host_id = base64_encode(a, random, sizeof(random));
    }
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        if (s3_rule_matches(&rules[i], str_z(ev->name), ev->key)) {
            st = deliver(s3, a, bucket, ev, &full, &rules[i]);
        }
    }
    return st;
}

enum status s3_event_test(struct s3 *s3, struct arena *a, const struct s3_bucket_row *bucket,
                          const struct s3_rule *rule, const struct s3_cause *cause)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(EVENT_MAX_BYTES);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "Service", STR("Amazon S3"));
    json_pair(&o, "Event", STR("s3:TestEvent"));
    json_pair(&o, "Time", clock_iso_ms(a, clock_now_ms()));
    json_pair(&o, "Bucket", bucket->name);
    json_pair(&o, "RequestId", cause->request_id);
    json_pair(&o, "HostId", cause->host_id);
    json_close(&o, '}');
    struct bus_event out;
    s3_event_source(a, bucket, rule->arn, cause->request_id, &out);
    out.payload = buf_str(&b);
    return buf_ok(&b) ? hand_over(s3, &out) : ST_NOMEM;
}
