/* Every step of RFC 1321 works on a vector that holds the same word of eight messages. A step waits
 * for the one before, so two such vectors take turns and fill each other's gaps. Compilers make
 * of the vectors what the processor has: two registers of SSE2 or NEON each, which is enough. */
#include "server/base/md5_lanes.h"

#include <endian.h>
#include <string.h>

#define WIDTH 8
#define VECTORS (MD5_LANES / WIDTH)

#define QUAD 4

typedef uint32_t vector __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t quad __attribute__((vector_size(4 * QUAD)));

/* Also compiled for processors with wider registers; the first call chooses. */
#if defined(__x86_64__) && defined(__GLIBC__)
#define WIDER __attribute__((target_clones("avx2", "default")))
#else
#define WIDER
#endif
#define INLINED static inline __attribute__((always_inline))

/* 2^32 times the absolute sine of 1, 2, … 64 */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))

/* a = b + rotate(a + fn(b, c, d) + word + sine, by) */
#define STEP(fn, a, b, c, d, word, step, by)                                  \
    for (size_t v = 0; v < vectors; v++) {                                    \
        (a)[v] += fn((b)[v], (c)[v], (d)[v]) + x[v][(word)&15] + sines[step]; \
        (a)[v] = (b)[v] + ((a)[v] << (by) | (a)[v] >> (32 - (by)));           \
    }
#define STEPS(fn, step, word, stride, by0, by1, by2, by3)        \
    STEP(fn, a, b, c, d, word, step, by0)                        \
    STEP(fn, d, a, b, c, (word) + (stride), (step) + 1, by1)     \
    STEP(fn, c, d, a, b, (word) + 2 * (stride), (step) + 2, by2) \
    STEP(fn, b, c, d, a, (word) + 3 * (stride), (step) + 3, by3)
/* Spelled out, since only then the vectors stay in registers. */
#define ROUND(fn, step, word, stride, ...)                            \
    STEPS(fn, step, word, stride, __VA_ARGS__)                        \
    STEPS(fn, (step) + 4, (word) + 4 * (stride), stride, __VA_ARGS__) \
    STEPS(fn, (step) + 8, (word) + 8 * (stride), stride, __VA_ARGS__) \
    STEPS(fn, (step) + 12, (word) + 12 * (stride), stride, __VA_ARGS__)

#define LITTLE_ENDIAN_WORDS(v) \
    (htole32(1) == 1 ? (v) : (v) << 24 | ((v) << 8 & 0xff0000) | ((v) >> 8 & 0xff00) | (v) >> 24)

/* The block of four messages at p[0 … 3] + at: word i of all goes to the quarter or half `to` of
 * words[i]. */
INLINED void spread(const unsigned char *const *p, size_t at, vector *words, size_t to)
{
    for (size_t i = 0; i < 16; i += QUAD) {
        quad m[QUAD], w[QUAD];
        for (size_t k = 0; k < QUAD; k++) {
            memcpy(&m[k], p[k] + at + i * sizeof(uint32_t), sizeof(m[k]));
            m[k] = LITTLE_ENDIAN_WORDS(m[k]);
        }
        quad low01 = __builtin_shufflevector(m[0], m[1], 0, 4, 1, 5);
        quad low23 = __builtin_shufflevector(m[2], m[3], 0, 4, 1, 5);
        quad high01 = __builtin_shufflevector(m[0], m[1], 2, 6, 3, 7);
        quad high23 = __builtin_shufflevector(m[2], m[3], 2, 6, 3, 7);
        w[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
        w[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
        w[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
        w[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
        for (size_t k = 0; k < QUAD; k++) {
            memcpy((char *)&words[i + k] + to * sizeof(w[k]), &w[k], sizeof(w[k]));
        }
    }
}

/* `vectors` is a constant wherever this is inlined, so that the loops over it vanish. The size is
 * that of what the macros spell out: NOLINTNEXTLINE(readability-function-size) */
INLINED void digest_blocks(struct md5_lanes *l, const unsigned char *const *p, size_t blocks,
                           size_t vectors)
{
    vector sum[4][VECTORS];
    memcpy(sum, l->state, sizeof(sum));
    for (size_t at = 0; at < blocks * MD5_BLOCK; at += MD5_BLOCK) {
        vector x[VECTORS][16];
        for (size_t lane = 0; lane < vectors * WIDTH; lane += QUAD) {
            spread(p + lane, at, x[lane / WIDTH], lane % WIDTH / QUAD);
        }
        vector a[VECTORS], b[VECTORS], c[VECTORS], d[VECTORS];
        memcpy(a, sum[0], sizeof(a));
        memcpy(b, sum[1], sizeof(b));
        memcpy(c, sum[2], sizeof(c));
        memcpy(d, sum[3], sizeof(d));
        ROUND(F, 0, 0, 1, 7, 12, 17, 22)
        ROUND(G, 16, 1, 5, 5, 9, 14, 20)
        ROUND(H, 32, 5, 3, 4, 11, 16, 23)
        ROUND(I, 48, 0, 7, 6, 10, 15, 21)
        for (size_t v = 0; v < vectors; v++) {
            sum[0][v] += a[v];
            sum[1][v] += b[v];
            sum[2][v] += c[v];
            sum[3][v] += d[v];
        }
    }
    memcpy(l->state, sum, sizeof(sum));
}

void md5_lanes_init(struct md5_lanes *l, size_t n)
{
    static const uint32_t start[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
    l->n = n;
    l->bytes = 0;
    for (size_t i = 0; i < 4; i++) {
        for (size_t lane = 0; lane < MD5_LANES; lane++) {
            l->state[i][lane] = start[i];
        }
    }
}

WIDER void md5_lanes_update(struct md5_lanes *l, const unsigned char *const *p, size_t blocks)
{
    const unsigned char *all[MD5_LANES];
    for (size_t lane = 0; lane < MD5_LANES; lane++) {
        all[lane] = p[lane < l->n ? lane : 0]; /* the idle ones do something harmless */
    }
    if (l->n <= WIDTH) {
        digest_blocks(l, all, blocks, 1);
    } else {
        digest_blocks(l, all, blocks, VECTORS);
    }
    l->bytes += blocks * MD5_BLOCK;
}

void md5_lanes_final(struct md5_lanes *l, unsigned char (*ret)[MD5_BYTES])
{
    unsigned char last[MD5_BLOCK] = { 0x80 };
    uint64_t bits = htole64(l->bytes * 8);
    memcpy(last + MD5_BLOCK - sizeof(bits), &bits, sizeof(bits));
    const unsigned char *p[MD5_LANES];
    for (size_t lane = 0; lane < MD5_LANES; lane++) {
        p[lane] = last;
    }
    md5_lanes_update(l, p, 1);
    for (size_t lane = 0; lane < l->n; lane++) {
        for (size_t i = 0; i < 4; i++) {
            uint32_t word = htole32(l->state[i][lane]);
            memcpy(ret[lane] + i * sizeof(word), &word, sizeof(word));
        }
    }
}
