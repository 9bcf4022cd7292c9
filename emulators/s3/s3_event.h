/* Event notifications: building records and handing them to the bus, one record per event and
 * rule, in the transaction that changes the object. Core thread.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
#ifndef CISTERN_S3_EVENT_H
#define CISTERN_S3_EVENT_H

#include "emulators/s3/s3_service.h"

/* Who caused it, as the record shows it. Absent members get what AWS shows for a service. */
struct s3_cause {
    struct str request_id, host_id;
    struct str principal; /* "AWS:AIDA…" */
    struct str source_ip;
    struct str access_key; /* that signed the request; absent: none did */
};
struct s3_cause s3_cause_of(const struct call *c);

enum s3_event_shape {
    S3_EVENT_CREATED, /* size, eTag, sequencer */
    S3_EVENT_REMOVED, /* sequencer only */
    S3_EVENT_TAGGED,  /* eTag only, version 2.3 */
};
struct s3_event {
    const char *name; /* "s3:ObjectCreated:Put" */
    enum s3_event_shape shape;
    struct str key, etag;
    int64_t size;
    int64_t time_ms;
};
/* Delivers to every rule of the bucket that wants it. A target that is gone or no longer allows it
 * loses the event, as on AWS; other failures fail the caller. */
enum status s3_event_fire(struct s3 *s3, struct arena *a, const struct s3_bucket_row *bucket,
                          const struct s3_event *ev, const struct s3_cause *cause) MUST_CHECK;
/* The message that queues and topics get when they are configured. */
enum status s3_event_test(struct s3 *s3, struct arena *a, const struct s3_bucket_row *bucket,
                          const struct s3_rule *rule, const struct s3_cause *cause) MUST_CHECK;
/* What the bus is told about the source, without payload. */
struct bus_event;
void s3_event_source(struct arena *a, const struct s3_bucket_row *bucket, struct str target_arn,
                     struct str request_id, struct bus_event *ret);
/* ARN of the bucket account's default event bus. */
struct str s3_event_bus_arn(struct arena *a, const struct s3_bucket_row *bucket);

/* Form encoding as events and listings use it: blank is '+', A-Z a-z 0-9 - _ . * / stay. Pure. */
struct str s3_form_encode(struct arena *a, struct str s);
/* "00" and the time in seconds and fraction, 18 hex digits: rises with `us`. Pure. */
struct str s3_sequencer(struct arena *a, int64_t us);

#endif
