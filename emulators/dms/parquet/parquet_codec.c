#include "emulators/dms/parquet/parquet_codec.h"

#include <zlib.h>

#include "server/base/mem.h"

#define GZIP_LEVEL 6
#define GZIP_WINDOW (15 + 16) /* 16: with a gzip header */
#define PACKED_MAX ((size_t)INT32_MAX)
#define PACKED_KEEP ((size_t)4 << 20) /* more memory than this isn't kept for the next page */

void parquet_codec_init(struct parquet_codec *c, bool gzip)
{
    *c = (struct parquet_codec){ .gzip = gzip };
    buf_init(&c->packed, PACKED_MAX);
}

void parquet_codec_fini(struct parquet_codec *c)
{
    if (c->z) {
        deflateEnd(c->z);
        free(c->z);
        c->z = NULL;
    }
    buf_fini(&c->packed);
}

static enum status ready(struct parquet_codec *c)
{
    if (c->z) {
        return deflateReset(c->z) == Z_OK ? ST_OK : ST_NOMEM;
    }
    z_stream *z = xcalloc(1, sizeof(*z));
    if (deflateInit2(z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        return ST_NOMEM;
    }
    c->z = z;
    return ST_OK;
}

enum status parquet_codec_pack(struct parquet_codec *c, struct str in, struct str *ret)
{
    if (!c->gzip) {
        *ret = in;
        return ST_OK;
    }
    enum status st = ready(c);
    if (st != ST_OK) {
        return st;
    }
    if (c->packed.cap > PACKED_KEEP) {
        buf_fini(&c->packed);
        buf_init(&c->packed, PACKED_MAX);
    }
    buf_clear(&c->packed);
    z_stream *z = c->z;
    size_t room = deflateBound(z, in.n);
    char *out = room <= PACKED_MAX ? buf_reserve(&c->packed, room) : NULL;
    if (!out) {
        return ST_NOMEM;
    }
    z->next_in = (unsigned char *)(uintptr_t)in.p;
    z->avail_in = (unsigned)in.n;
    z->next_out = (unsigned char *)out;
    z->avail_out = (unsigned)room;
    if (deflate(z, Z_FINISH) != Z_STREAM_END) {
        return ST_NOMEM;
    }
    buf_commit(&c->packed, room - z->avail_out);
    *ret = buf_str(&c->packed);
    return ST_OK;
}
