/* Every step of RFC 1321 works on a vector that holds the same word of eight messages. A step waits
 * for the one before, so two such vectors take turns and fill each other's gaps. Compilers make of
 * a vector what the processor has, be it two registers of SSE2 or NEON. */
#include "server/base/md5_lanes.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#define WIDTH 8
#define VECTORS 2
#define QUAD 4

typedef uint32_t vector __attribute__((vector_size(4 * WIDTH)));
typedef uint32_t quad __attribute__((vector_size(4 * QUAD)));

#define INLINED static inline __attribute__((always_inline))

_Static_assert(MD5_LANES == WIDTH * VECTORS, "all lanes have a place");

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

/* a = b + rotate(a + fn(b, c, d) + word + sine, by). Everything is spelled out, without loops:
 * only then the vectors stay in registers. */
#define TURN(fn, a, b, c, d, word, step, by, v)                           \
    (a)[v] += fn((b)[v], (c)[v], (d)[v]) + x[v][(word)&15] + sines[step]; \
    (a)[v] = (b)[v] + ((a)[v] << (by) | (a)[v] >> (32 - (by)));
#define STEP(fn, a, b, c, d, word, step, by) \
    TURN(fn, a, b, c, d, word, step, by, 0)  \
    TURN(fn, a, b, c, d, word, step, by, 1)
#define ADD(to, what)     \
    (to)[0] += (what)[0]; \
    (to)[1] += (what)[1];
#define STEPS(fn, step, word, stride, by0, by1, by2, by3)        \
    STEP(fn, a, b, c, d, word, step, by0)                        \
    STEP(fn, d, a, b, c, (word) + (stride), (step) + 1, by1)     \
    STEP(fn, c, d, a, b, (word) + 2 * (stride), (step) + 2, by2) \
    STEP(fn, b, c, d, a, (word) + 3 * (stride), (step) + 3, by3)
#define ROUND(fn, step, word, stride, ...)                            \
    STEPS(fn, step, word, stride, __VA_ARGS__)                        \
    STEPS(fn, (step) + 4, (word) + 4 * (stride), stride, __VA_ARGS__) \
    STEPS(fn, (step) + 8, (word) + 8 * (stride), stride, __VA_ARGS__) \
    STEPS(fn, (step) + 12, (word) + 12 * (stride), stride, __VA_ARGS__)

INLINED quad load(const unsigned char *p)
{
    quad v;
    memcpy(&v, p, sizeof(v));
    return htole32(1) == 1 ? v : v << 24 | (v << 8 & 0xff0000) | (v >> 8 & 0xff00) | v >> 24;
}

INLINED void store(vector *words, size_t half, quad v)
{
    memcpy((char *)words + half * sizeof(v), &v, sizeof(v));
}

/* The block of four messages at p[0 … 3] + at: words[i] gets word i of all, in its half `half`. */
INLINED void spread(const unsigned char *const *p, size_t at, vector *words, size_t half)
{
    for (size_t i = 0; i < 16; i += QUAD, at += sizeof(quad)) {
        quad m0 = load(p[0] + at), m1 = load(p[1] + at);
        quad m2 = load(p[2] + at), m3 = load(p[3] + at);
        quad low01 = __builtin_shufflevector(m0, m1, 0, 4, 1, 5);
        quad low23 = __builtin_shufflevector(m2, m3, 0, 4, 1, 5);
        quad high01 = __builtin_shufflevector(m0, m1, 2, 6, 3, 7);
        quad high23 = __builtin_shufflevector(m2, m3, 2, 6, 3, 7);
        store(&words[i], half, __builtin_shufflevector(low01, low23, 0, 1, 4, 5));
        store(&words[i + 1], half, __builtin_shufflevector(low01, low23, 2, 3, 6, 7));
        store(&words[i + 2], half, __builtin_shufflevector(high01, high23, 0, 1, 4, 5));
        store(&words[i + 3], half, __builtin_shufflevector(high01, high23, 2, 3, 6, 7));
    }
}

/* The size is that of what the macros spell out: NOLINTNEXTLINE(readability-function-size) */
INLINED void digest_blocks(struct md5_lanes *l, const unsigned char *const *p, size_t blocks)
{
    vector sum[4][VECTORS];
    memcpy(sum, l->state, sizeof(sum));
    for (size_t at = 0; at < blocks * MD5_BLOCK; at += MD5_BLOCK) {
        vector x[VECTORS][16];
        for (size_t lane = 0; lane < MD5_LANES; lane += QUAD) {
            spread(p + lane, at, x[lane / WIDTH], lane % WIDTH / QUAD);
        }
        vector a[VECTORS] = { sum[0][0], sum[0][1] }, b[VECTORS] = { sum[1][0], sum[1][1] };
        vector c[VECTORS] = { sum[2][0], sum[2][1] }, d[VECTORS] = { sum[3][0], sum[3][1] };
        ROUND(F, 0, 0, 1, 7, 12, 17, 22)
        ROUND(G, 16, 1, 5, 5, 9, 14, 20)
        ROUND(H, 32, 5, 3, 4, 11, 16, 23)
        ROUND(I, 48, 0, 7, 6, 10, 15, 21)
        ADD(sum[0], a)
        ADD(sum[1], b)
        ADD(sum[2], c)
        ADD(sum[3], d)
    }
    memcpy(l->state, sum, sizeof(sum));
}

static void digest_anywhere(struct md5_lanes *l, const unsigned char *const *p, size_t blocks)
{
    digest_blocks(l, p, blocks);
}

#if defined(__x86_64__)
/* The same with registers that hold a whole vector. */
__attribute__((target("avx2"))) static void
digest_avx2(struct md5_lanes *l, const unsigned char *const *p, size_t blocks)
{
    digest_blocks(l, p, blocks);
}
#define HAS_AVX2 __builtin_cpu_supports("avx2")
#else
#define digest_avx2 digest_anywhere
#define HAS_AVX2 false
#endif

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

void md5_lanes_update(struct md5_lanes *l, const unsigned char *const *p, size_t blocks)
{
    const unsigned char *all[MD5_LANES];
    for (size_t lane = 0; lane < MD5_LANES; lane++) {
        all[lane] = p[lane < l->n ? lane : 0]; /* the idle ones do something harmless */
    }
    (HAS_AVX2 ? digest_avx2 : digest_anywhere)(l, all, blocks);
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
