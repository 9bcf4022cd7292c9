/* Reading what a client says about an object in request headers, and saying it back. */
#ifndef CISTERN_S3_HEADERS_H
#define CISTERN_S3_HEADERS_H

#include "emulators/s3/s3_store.h"
#include "server/http/call.h"

#define S3_META_MAX 2048 /* bytes of all names and values */

/* Refuses headers that ask for what isn't done here (keys of the client or KMS, locks, appends,
 * ACLs other than the owner's) and checks the storage class. */
enum status s3_headers_check(struct call *c) MUST_CHECK;
/* Fills *ret from the request (calls s3_headers_check first). */
enum status s3_headers_read(struct call *c, struct s3_headers *ret) MUST_CHECK;
/* The response headers of GET and HEAD that come from the row, without length and range. */
void s3_headers_reply(struct call *c, const struct s3_object_row *row);
/* x-amz-checksum-… and x-amz-checksum-type; nothing when the row has none. */
void s3_checksum_reply(struct call *c, enum s3_alg alg, struct str value, bool composite);
/* May this canned ACL and these grant headers be? They say what holds anyway, or are refused. */
enum status s3_acl_headers_check(struct call *c) MUST_CHECK;
/* Storage class as listings show it ("STANDARD" when the row has none). */
struct str s3_storage_class(const struct s3_headers *head);

#endif
