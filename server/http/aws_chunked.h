/* Decoder of S3's `aws-chunked` bodies: frames within the HTTP body that carry sizes, optional
 * signatures (each chained to the one before) and trailing headers. Push style: fed with whatever
 * arrives, it hands the data on at once; a signed chunk is judged when its last byte is there, so
 * the consumer must be able to throw away what it has (a staged file).
 *   size[;chunk-signature=HEX] CRLF data CRLF … 0[;…] CRLF [name:value CRLF]… CRLF
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
#ifndef CISTERN_HTTP_AWS_CHUNKED_H
#define CISTERN_HTTP_AWS_CHUNKED_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/headers.h"
#include "server/http/sigv4.h"

/* Limits by name. */
#define CHUNK_LINE_MAX 2048   /* a chunk's header line, or one trailer line */
#define CHUNK_TRAILERS_MAX 32 /* lines after the last chunk */
#define CHUNK_SIZE_MAX (5LL << 30)

enum chunked_fault {
    CHUNKED_OK,
    CHUNKED_SIZE,      /* no hex number, or too large a one */
    CHUNKED_FRAME,     /* data not followed by CRLF, bytes after the end, endless line */
    CHUNKED_CUT,       /* ended before the last chunk */
    CHUNKED_TRAILER,   /* trailer malformed, or an announced one is missing */
    CHUNKED_SIGNATURE, /* a chunk's or the trailer's signature is missing or wrong */
    CHUNKED_SINK,      /* the consumer refused */
};

struct aws_chunked_options {
    bool signed_chunks;  /* chunk-signature= must be there */
    bool signed_trailer; /* x-amz-trailer-signature must be there */
    bool verify;         /* check signatures; the four below are needed then */
    unsigned char key[SIGV4_KEY_BYTES];
    struct str time; /* "20130524T000000Z" */
    struct str scope;
    struct str seed;      /* the request's own signature */
    struct str announced; /* value of x-amz-trailer, or absent */
};

struct aws_chunked;
typedef enum status (*aws_chunked_sink)(void *arg, const char *p, size_t n);

/* All strings of the options are borrowed; memory is the arena's, but free it with
 * aws_chunked_free (running digests). */
struct aws_chunked *aws_chunked_new(struct arena *a, const struct aws_chunked_options *options,
                                    aws_chunked_sink sink, void *arg);
void aws_chunked_free(struct aws_chunked *d); /* NULL is fine */
/* ST_INVALID once something is wrong (then always); see aws_chunked_fault. */
enum status aws_chunked_feed(struct aws_chunked *d, const char *p, size_t n) MUST_CHECK;
/* The body is over: is it complete? */
enum status aws_chunked_end(struct aws_chunked *d) MUST_CHECK;
enum chunked_fault aws_chunked_fault(const struct aws_chunked *d);
/* Where in the encoded body the fault was seen, for messages. */
int64_t aws_chunked_offset(const struct aws_chunked *d);
/* Headers that followed the last chunk, names as sent; without the signature. */
const struct http_headers *aws_chunked_trailers(const struct aws_chunked *d);

#endif
