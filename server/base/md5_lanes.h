/* MD5 of several messages of one length, side by side in the lanes of vector registers: up to five
 * times as many bytes a second as one message after the other. Any thread. */
#ifndef CISTERN_BASE_MD5_LANES_H
#define CISTERN_BASE_MD5_LANES_H

#include <stddef.h>
#include <stdint.h>

#define MD5_LANES 16 /* messages at most; fewer take as long */
#define MD5_BLOCK 64
#define MD5_BYTES 16

struct md5_lanes {
    uint32_t state[4][MD5_LANES]; /* RFC 1321: A, B, C, D */
    size_t n;                     /* messages */
    uint64_t bytes;               /* of each, so far */
};

/* 1 … MD5_LANES messages. */
void md5_lanes_init(struct md5_lanes *l, size_t n);
/* The next `blocks` times MD5_BLOCK bytes of every message: p[i] is message i's. */
void md5_lanes_update(struct md5_lanes *l, const unsigned char *const *p, size_t blocks);
/* The messages end here: l->n results. */
void md5_lanes_final(struct md5_lanes *l, unsigned char (*ret)[MD5_BYTES]);

#endif
