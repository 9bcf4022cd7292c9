/* What a handler wants answered, collected by the call_* functions; then rendered by chain.c.
 * Owns: an open file (fd >= 0) and the rendered body; call_reply_fini drops both. */
#ifndef CISTERN_HTTP_REPLY_H
#define CISTERN_HTTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "server/wire/codec.h"

enum reply_body {
    REPLY_SHAPE, /* the output struct in the protocol of the request */
    REPLY_BYTES,
    REPLY_FILE,
};

struct call_reply {
    int http_status;             /* 0: the operation's */
    struct wire_failure failure; /* failure.error set: an error is answered */
    struct wire_extra *extras;
    size_t n_extras;
    struct wire_header *headers;
    size_t n_headers, headers_cap;
    enum reply_body kind;
    struct str content_type, bytes; /* REPLY_BYTES */
    int fd;                         /* REPLY_FILE; -1: none (HEAD) */
    int64_t off, len;
    struct wire_reply wire; /* rendered */
};

void call_reply_init(struct call_reply *r);
void call_reply_fini(struct call_reply *r);
/* Back to "nothing said": forgets error, headers, file and rendered body. */
void call_reply_reset(struct call_reply *r);

#endif
