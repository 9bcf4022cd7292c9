/* Compression of pages: none, or GZIP (one gzip member per page). One thread at a time. */
#ifndef CISTERN_DMS_PARQUET_CODEC_H
#define CISTERN_DMS_PARQUET_CODEC_H

#include <stdbool.h>

#include "server/base/buf.h"

struct parquet_codec {
    bool gzip;
    void *z; /* z_stream, made at the first page */
    struct buf packed;
};

void parquet_codec_init(struct parquet_codec *c, bool gzip);
void parquet_codec_fini(struct parquet_codec *c);
/* *ret: the bytes as the file has them, valid until the next call; `in` itself without gzip.
 * ST_NOMEM: zlib has no memory, or the page is too large. */
enum status parquet_codec_pack(struct parquet_codec *c, struct str in, struct str *ret) MUST_CHECK;

#endif
