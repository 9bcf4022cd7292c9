/* Receives a request body piece by piece: undoes aws-chunked, hashes, and keeps the bytes in
 * memory or in a staged file. Never answers: it remembers what went wrong and goes on swallowing,
 * so that the client can read the answer. HTTP thread. */
#ifndef CISTERN_HTTP_BODY_H
#define CISTERN_HTTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/digest.h"
#include "server/http/aws_chunked.h"
#include "server/store/blob.h"

struct call_body;

enum body_mode {
    BODY_DRAIN, /* count and forget */
    BODY_MEMORY,
    BODY_FILE,
};

enum body_fault {
    BODY_OK,
    BODY_TOO_LARGE, /* passed the limit of its kind */
    BODY_CHUNKED,   /* aws_chunked_fault() tells */
    BODY_LENGTH,    /* decoded size differs from x-amz-decoded-content-length */
    BODY_GZIP,      /* not gzip, or cut */
    BODY_IO,        /* the staged file could not be written: error_number */
};

struct http_body {
    struct arena *arena;
    enum body_mode mode;
    enum body_fault fault;
    int error_number;
    int64_t received; /* bytes as they came */
    int64_t decoded;  /* without chunk frames */
    int64_t declared; /* x-amz-decoded-content-length, -1: not given */
    size_t max;       /* of memory */
    struct buf bytes;
    struct blobs *blobs;
    int fd;
    int64_t staged_id;
    bool staged; /* a file of ours exists */
    unsigned want;
    struct digest *digest[DIGEST_KINDS];
    struct aws_chunked *chunked;
};

void body_init(struct http_body *b, struct arena *a); /* BODY_DRAIN */
void body_fini(struct http_body *b);                  /* discards a staged file that nobody took */
/* Keep up to `max` bytes in memory; `expected` (-1: unknown) bytes are reserved at once. */
void body_to_memory(struct http_body *b, size_t max, int64_t expected);
/* Into a staged file; running digests for the kinds in `want`. ST_IO: it could not be made. */
enum status body_to_file(struct http_body *b, struct blobs *blobs, unsigned want) MUST_CHECK;
/* Undo aws-chunked; before the first piece. `declared` -1: unknown. */
void body_dechunk(struct http_body *b, const struct aws_chunked_options *options, int64_t declared);
/* From now on count and forget. */
void body_drop(struct http_body *b);
void body_feed(struct http_body *b, const char *p, size_t n);
/* The body is complete: closes the file, computes digests and hands everything over to *ret.
 * ST_INVALID: b->fault says what was wrong; *ret is untouched. */
enum status body_end(struct http_body *b, struct call_body *ret) MUST_CHECK;
/* Unpacks a gzip body in memory, up to `max` bytes; ST_INVALID: b->fault. */
enum status body_gunzip(struct http_body *b, size_t max, struct str *ret) MUST_CHECK;
/* Headers after the last chunk; NULL when there can be none. */
const struct http_headers *body_trailers(const struct http_body *b);

#endif
