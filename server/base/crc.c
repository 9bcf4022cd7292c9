/* Tables "by eight": table[k][b] is the CRC of byte b followed by k zero bytes, so eight bytes take
 * eight independent look-ups (Kounavis, Berry 2005). The tables are computed at first use.
 *
 * Where the processor multiplies polynomials (PCLMULQDQ), long inputs are folded first: 16 bytes
 * are a polynomial L·x^64 + H, and moving it D bits ahead gives L·(x^(64+D) mod P) + H·(x^D mod P),
 * which is added to the 16 bytes there. In the end 16 bytes with the same remainder are left for
 * the table. All is bit-reflected, where a product comes out multiplied by x: hence the exponents
 * less one (Gopal et al. 2009). */
#include "server/base/crc.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static uint32_t table_32c[8][256];
static uint64_t table_64[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;
#if defined(__x86_64__)
#define FOLD_MIN 64 /* bytes: shorter inputs go by the table */
struct fold {
    uint64_t by_64[2], by_16[2]; /* for L and for H, moving on by so many bytes */
};
static struct fold fold_32, fold_64;
static bool has_crc32c; /* the processor's own instructions */
static bool has_clmul;
#endif

static uint64_t crc_of_byte(uint64_t poly, unsigned byte)
{
    uint64_t c = byte;
    for (int bit = 0; bit < 8; bit++) {
        c = (c >> 1) ^ (c & 1 ? poly : 0);
    }
    return c;
}

#if defined(__x86_64__)
/* x^n modulo the polynomial; the top bit is x^0, also where the polynomial is shorter. */
static uint64_t power_of_x(uint64_t poly, unsigned n)
{
    uint64_t v = (uint64_t)1 << 63;
    while (n-- > 0) {
        v = (v >> 1) ^ (v & 1 ? poly : 0);
    }
    return v;
}

static struct fold fold_of(uint64_t poly)
{
    return (struct fold){ { power_of_x(poly, 64 + 512 - 1), power_of_x(poly, 512 - 1) },
                          { power_of_x(poly, 64 + 128 - 1), power_of_x(poly, 128 - 1) } };
}
#endif

static void tables_fill(void)
{
    for (unsigned b = 0; b < 256; b++) {
        table_32c[0][b] = (uint32_t)crc_of_byte(CRC_POLY_32C, b);
        table_64[0][b] = crc_of_byte(CRC_POLY_64NVME, b);
    }
    for (unsigned k = 1; k < 8; k++) {
        for (unsigned b = 0; b < 256; b++) {
            uint32_t c = table_32c[k - 1][b];
            table_32c[k][b] = (c >> 8) ^ table_32c[0][c & 255];
            uint64_t w = table_64[k - 1][b];
            table_64[k][b] = (w >> 8) ^ table_64[0][w & 255];
        }
    }
#if defined(__x86_64__)
    has_crc32c = __builtin_cpu_supports("sse4.2") != 0;
    has_clmul = __builtin_cpu_supports("pclmul") != 0;
    fold_64 = fold_of(CRC_POLY_64NVME);
    fold_32 = fold_of(CRC_POLY_32); /* in effect P·x^32, of which P is a factor */
#endif
}

static uint64_t load_le64(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

#if defined(__x86_64__)
__attribute__((target("pclmul,sse4.1"))) static inline __m128i move_on(__m128i v, __m128i by,
                                                                       __m128i next)
{
    __m128i low = _mm_clmulepi64_si128(v, by, 0x00);
    __m128i high = _mm_clmulepi64_si128(v, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) static inline __m128i load_16(const unsigned char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Folds all but the last n mod 16 bytes (n >= FOLD_MIN) into 16 bytes that leave the same remainder
 * when they are processed from state 0. `state` is the state before, without its inversion. Returns
 * the bytes taken. */
__attribute__((target("pclmul,sse4.1"))) static size_t fold_bytes(const struct fold *fold,
                                                                  uint64_t state,
                                                                  const unsigned char *p, size_t n,
                                                                  unsigned char out[16])
{
    const unsigned char *begin = p;
    __m128i by_64 = _mm_set_epi64x((long long)fold->by_64[1], (long long)fold->by_64[0]);
    __m128i by_16 = _mm_set_epi64x((long long)fold->by_16[1], (long long)fold->by_16[0]);
    __m128i a = _mm_xor_si128(load_16(p), _mm_set_epi64x(0, (long long)state));
    __m128i b = load_16(p + 16);
    __m128i c = load_16(p + 32);
    __m128i d = load_16(p + 48);
    for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
        a = move_on(a, by_64, load_16(p));
        b = move_on(b, by_64, load_16(p + 16));
        c = move_on(c, by_64, load_16(p + 32));
        d = move_on(d, by_64, load_16(p + 48));
    }
    a = move_on(move_on(move_on(a, by_16, b), by_16, c), by_16, d);
    for (; n >= 16; p += 16, n -= 16) {
        a = move_on(a, by_16, load_16(p));
    }
    _mm_storeu_si128((__m128i *)(void *)out, a);
    return (size_t)(p - begin);
}
#endif

uint32_t crc_32_table(uint32_t crc, const void *p, size_t n)
{
    return (uint32_t)crc32_z(crc, p, n);
}

uint32_t crc_32(uint32_t crc, const void *p, size_t n)
{
#if defined(__x86_64__)
    pthread_once(&tables_once, tables_fill);
    if (has_clmul && n >= FOLD_MIN) {
        unsigned char left[16];
        size_t done = fold_bytes(&fold_32, ~crc, p, n, left);
        crc = crc_32_table(UINT32_MAX, left, sizeof(left)); /* zlib inverts: the state is 0 */
        p = (const unsigned char *)p + done;
        n -= done;
    }
#endif
    return n > 0 ? crc_32_table(crc, p, n) : crc;
}

uint32_t crc_32c_table(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    pthread_once(&tables_once, tables_fill);
    uint32_t c = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v = load_le64(p) ^ c;
        c = table_32c[7][v & 255] ^ table_32c[6][(v >> 8) & 255] ^ table_32c[5][(v >> 16) & 255] ^
            table_32c[4][(v >> 24) & 255] ^ table_32c[3][(v >> 32) & 255] ^
            table_32c[2][(v >> 40) & 255] ^ table_32c[1][(v >> 48) & 255] ^ table_32c[0][v >> 56];
    }
    for (; n > 0; n--, p++) {
        c = (c >> 8) ^ table_32c[0][(c ^ *p) & 255];
    }
    return ~c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_32c_sse42(uint32_t crc,
                                                                const unsigned char *p, size_t n)
{
    uint64_t c = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        c = _mm_crc32_u64(c, load_le64(p));
    }
    uint32_t last = (uint32_t)c;
    for (; n > 0; n--, p++) {
        last = _mm_crc32_u8(last, *p);
    }
    return ~last;
}
#endif

uint32_t crc_32c(uint32_t crc, const void *p, size_t n)
{
    pthread_once(&tables_once, tables_fill);
#if defined(__x86_64__)
    if (has_crc32c) {
        return crc_32c_sse42(crc, p, n);
    }
#endif
    return crc_32c_table(crc, p, n);
}

uint64_t crc_64nvme(uint64_t crc, const void *p, size_t n)
{
#if defined(__x86_64__)
    pthread_once(&tables_once, tables_fill);
    if (has_clmul && n >= FOLD_MIN) {
        unsigned char left[16];
        size_t done = fold_bytes(&fold_64, ~crc, p, n, left);
        crc = crc_64nvme_table(UINT64_MAX, left, sizeof(left)); /* inverted: the state is 0 */
        p = (const unsigned char *)p + done;
        n -= done;
    }
#endif
    return crc_64nvme_table(crc, p, n);
}

uint64_t crc_64nvme_table(uint64_t crc, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    pthread_once(&tables_once, tables_fill);
    uint64_t c = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v = load_le64(p) ^ c;
        c = table_64[7][v & 255] ^ table_64[6][(v >> 8) & 255] ^ table_64[5][(v >> 16) & 255] ^
            table_64[4][(v >> 24) & 255] ^ table_64[3][(v >> 32) & 255] ^
            table_64[2][(v >> 40) & 255] ^ table_64[1][(v >> 48) & 255] ^ table_64[0][v >> 56];
    }
    for (; n > 0; n--, p++) {
        c = (c >> 8) ^ table_64[0][(c ^ *p) & 255];
    }
    return ~c;
}

/* a × b modulo the polynomial over GF(2), all reflected: the top bit is x^0. */
static uint64_t multiply(uint64_t poly, unsigned bits, uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (unsigned i = bits; i-- > 0;) {
        if ((a >> i) & 1) {
            product ^= b;
        }
        b = (b >> 1) ^ (b & 1 ? poly : 0);
    }
    return product;
}

/* Appending n bytes multiplies A's remainder by x^(8n); the ones before and after cancel out. */
uint64_t crc_combine(uint64_t poly, unsigned bits, uint64_t a, uint64_t b, uint64_t b_bytes)
{
    uint64_t power = (uint64_t)1 << (bits - 1 - 8); /* x^8, then its squares */
    for (uint64_t n = b_bytes; n > 0; n >>= 1) {
        if (n & 1) {
            a = multiply(poly, bits, a, power);
        }
        power = multiply(poly, bits, power, power);
    }
    return a ^ b;
}
