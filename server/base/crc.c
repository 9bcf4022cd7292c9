/* Tables "by eight": table[k][b] is the CRC of byte b followed by k zero bytes, so eight bytes take
 * eight independent look-ups (Kounavis, Berry 2005). The tables are computed at first use. */
#include "server/base/crc.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

static uint32_t table_32c[8][256];
static uint64_t table_64[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;
static bool has_crc32c; /* the processor's own instruction */

static uint64_t crc_of_byte(uint64_t poly, unsigned byte)
{
    uint64_t c = byte;
    for (int bit = 0; bit < 8; bit++) {
        c = (c >> 1) ^ (c & 1 ? poly : 0);
    }
    return c;
}

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

uint32_t crc_32(uint32_t crc, const void *p, size_t n)
{
    return (uint32_t)crc32_z(crc, p, n);
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

uint64_t crc_64nvme(uint64_t crc, const void *bytes, size_t n)
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
