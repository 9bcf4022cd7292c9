/* SipHash-1-3 (Aumasson, Bernstein 2012) under a key drawn at start: clients choose many of our
 * map keys, and with a fixed function they could choose ones that all collide. */
#include <pthread.h>

#include "server/base/id.h"
#include "server/base/str.h"

static uint64_t hash_key[2];

static void hash_key_draw(void)
{
    id_random(hash_key, sizeof(hash_key));
}

static uint64_t rotate(uint64_t v, unsigned bits)
{
    return (v << bits) | (v >> (64 - bits));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t str_hash(struct str s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, hash_key_draw);
    uint64_t v[4] = {
        hash_key[0] ^ 0x736f6d6570736575u,
        hash_key[1] ^ 0x646f72616e646f6du,
        hash_key[0] ^ 0x6c7967656e657261u,
        hash_key[1] ^ 0x7465646279746573u,
    };
    size_t whole = s.n & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8) {
        uint64_t m;
        memcpy(&m, s.p + i, sizeof(m));
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = 0;
    if (s.n > whole) {
        memcpy(&last, s.p + whole, s.n - whole);
    }
    last |= (uint64_t)s.n << 56;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
