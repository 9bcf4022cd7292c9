/* Bytes of a local file from its start, gunzipped when it is gzip (also several members). The only
 * place of the merge that sees zlib. One thread at a time. */
#ifndef CISTERN_GLUE_BYTE_SOURCE_H
#define CISTERN_GLUE_BYTE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/status.h"

struct byte_source {
    int fd;              /* -1: closed */
    struct gunzip *gz;   /* NULL: plain file */
    uint64_t file_bytes; /* its size when it was opened */
    uint64_t file_read;  /* bytes taken from the file so far */
    uint64_t read;       /* bytes given to the caller so far */
    const char *reason;  /* after a failure: a static text */
};

/* Opens `path`. `must_gzip`: anything else is ST_INVALID; otherwise its first bytes decide. On
 * failure nothing is left open and s->reason tells why. */
enum status byte_source_open(struct byte_source *s, const char *path, bool must_gzip) MUST_CHECK;
/* Up to n bytes; *ret_n == 0 is the end. A truncated or broken gzip file is ST_INVALID. */
enum status byte_source_read(struct byte_source *s, void *p, size_t n, size_t *ret_n) MUST_CHECK;
/* Safe on a closed one. */
void byte_source_close(struct byte_source *s);

#endif
