/* Deriving a signing key takes four HMACs, more than the rest of a signature check together; a
 * client uses the same key all day. So each thread keeps the last few. */
#include "server/base/digest.h"
#include "server/http/sigv4.h"

#define CACHE_SLOTS 16 /* a power of two */
#define CACHE_TEXT_MAX 256

struct cached_key {
    size_t n;
    char text[CACHE_TEXT_MAX]; /* secret, date, region, service, each ended by '\n' */
    unsigned char key[SIGV4_KEY_BYTES];
};

static _Thread_local struct cached_key cache[CACHE_SLOTS];

static struct str key_str(const unsigned char key[32])
{
    return (struct str){ (const char *)key, 32 };
}

static void derive(struct str secret, struct str date, struct str region, struct str service,
                   unsigned char out[SIGV4_KEY_BYTES])
{
    char first[4 + CACHE_TEXT_MAX];
    unsigned char key[32];
    /* longer secrets do not exist; a cut one simply does not match */
    size_t n = secret.n < CACHE_TEXT_MAX ? secret.n : CACHE_TEXT_MAX;
    struct str prefix = STR("AWS4");
    memcpy(first, prefix.p, prefix.n);
    if (n > 0) {
        memcpy(first + prefix.n, secret.p, n);
    }
    hmac_sha256((struct str){ first, prefix.n + n }, date, key);
    hmac_sha256(key_str(key), region, key);
    hmac_sha256(key_str(key), service, key);
    hmac_sha256(key_str(key), STR("aws4_request"), out);
}

static bool add(char *text, size_t *n, struct str part)
{
    if (part.n >= CACHE_TEXT_MAX - *n) {
        return false;
    }
    if (part.n > 0) {
        memcpy(text + *n, part.p, part.n);
    }
    text[*n + part.n] = '\n';
    *n += part.n + 1;
    return true;
}

void sigv4_key(struct str secret, struct str date, struct str region, struct str service,
               unsigned char out[SIGV4_KEY_BYTES])
{
    char text[CACHE_TEXT_MAX];
    size_t n = 0;
    if (!add(text, &n, secret) || !add(text, &n, date) || !add(text, &n, region) ||
        !add(text, &n, service)) {
        derive(secret, date, region, service, out);
        return;
    }
    struct cached_key *slot = &cache[str_hash((struct str){ text, n }) & (CACHE_SLOTS - 1)];
    if (slot->n != n || memcmp(slot->text, text, n) != 0) {
        derive(secret, date, region, service, slot->key);
        memcpy(slot->text, text, n);
        slot->n = n;
    }
    memcpy(out, slot->key, SIGV4_KEY_BYTES);
}
