/* Digests, CRCs and their combination, HMAC, text encodings. Expected values: published vectors, or
 * computed with other implementations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>

#include "server/base/crc.h"
#include "server/base/digest.h"
#include "server/base/mem.h"

enum { BIG = 100000 };
static unsigned char big[BIG];

static int fill(void **state)
{
    *state = arena_new((size_t)64 << 20);
    for (size_t i = 0; i < BIG; i++) {
        big[i] = (unsigned char)(i * 7 + 3);
    }
    return 0;
}

static int drop(void **state)
{
    arena_free(*state);
    return 0;
}

static void assert_hex(struct arena *a, const unsigned char *p, size_t n, const char *want)
{
    assert_string_equal(hex_encode(a, p, n).p, want);
}

static const struct {
    enum digest_kind kind;
    const char *text, *hex;
} vectors[] = {
    { DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e" },
    { DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
    { DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { DIGEST_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { DIGEST_SHA512, "abc",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
    { DIGEST_CRC32, "", "00000000" },
    { DIGEST_CRC32, "123456789", "cbf43926" },
    { DIGEST_CRC32C, "", "00000000" },
    { DIGEST_CRC32C, "123456789", "e3069283" },
    { DIGEST_CRC64NVME, "", "0000000000000000" },
    { DIGEST_CRC64NVME, "123456789", "ae8b14860a799888" },
};

static void known_vectors(void **state)
{
    unsigned char out[DIGEST_MAX];
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const char *text = vectors[i].text;
        assert_int_equal(digest_size(vectors[i].kind) * 2, strlen(vectors[i].hex));
        digest_bytes(vectors[i].kind, text, strlen(text), out);
        assert_hex(*state, out, digest_size(vectors[i].kind), vectors[i].hex);
        struct digest *d = digest_new(vectors[i].kind);
        for (int round = 0; round < 2; round++) { /* the first final resets */
            for (const char *c = text; *c; c++) {
                digest_update(d, c, 1);
            }
            digest_final(d, out);
            assert_hex(*state, out, digest_size(vectors[i].kind), vectors[i].hex);
        }
        digest_free(d);
    }
    digest_bytes(DIGEST_MD5, NULL, 0, out);
    assert_hex(*state, out, 16, "d41d8cd98f00b204e9800998ecf8427e");
    digest_bytes(DIGEST_CRC32, NULL, 0, out);
    assert_hex(*state, out, 4, "00000000");
    digest_free(NULL);
}

static const char *const big_hex[DIGEST_KINDS] = {
    [DIGEST_MD5] = "59f08777fcd1aa2b8e0c8f892cfaae09",
    [DIGEST_SHA1] = "386d00146341aa3dc6778b701e7eb165911587f5",
    [DIGEST_SHA256] = "d96bab6a55ee326ba206dd4a85a6e95e14360d7fabbf448f03e689c24382b7d0",
    [DIGEST_SHA512] = ("f1fb14527782d69f6cd1aa6129c5f1486e23c4fbf328139e4dc30d41f9d2ca2b"
                       "1d874ee7a969f0f071b8ae46932f7c3e13458ce172800e15cae9b1a5b52c4cea"),
    [DIGEST_CRC32] = "f730caa8",
    [DIGEST_CRC32C] = "96f31dc6",
    [DIGEST_CRC64NVME] = "15aab1273fadf101",
};

/* In pieces of odd sizes, from odd addresses. */
static void long_input_in_pieces(void **state)
{
    static const size_t steps[] = { 1, 7, 8, 9, 63, 64, 65, 1000, BIG };
    unsigned char out[DIGEST_MAX];
    for (unsigned kind = 0; kind < DIGEST_KINDS; kind++) {
        for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
            struct digest *d = digest_new((enum digest_kind)kind);
            for (size_t at = 0; at < BIG; at += steps[s]) {
                digest_update(d, big + at, BIG - at < steps[s] ? BIG - at : steps[s]);
            }
            digest_final(d, out);
            digest_free(d);
            assert_hex(*state, out, digest_size((enum digest_kind)kind), big_hex[kind]);
        }
    }
}

static void crc_ways_agree(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        assert_int_equal(crc_32c(5, big + n % 9, n), crc_32c_table(5, big + n % 9, n));
        assert_int_equal(crc_32(5, big + n % 9, n), crc_32_table(5, big + n % 9, n));
        assert_int_equal(crc_64nvme(5, big + n % 9, n), crc_64nvme_table(5, big + n % 9, n));
    }
}

static void combines(void **state)
{
    (void)state;
    static const enum digest_kind kinds[] = { DIGEST_CRC32, DIGEST_CRC32C, DIGEST_CRC64NVME };
    static const size_t cuts[] = { 0, 1, 8, 255, 4096, 65537, BIG - 1, BIG };
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        size_t size = digest_size(kinds[k]);
        unsigned char whole[DIGEST_MAX], a[DIGEST_MAX], b[DIGEST_MAX];
        digest_bytes(kinds[k], big, BIG, whole);
        for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
            digest_bytes(kinds[k], big, cuts[c], a);
            digest_bytes(kinds[k], big + cuts[c], BIG - cuts[c], b);
            digest_crc_combine(kinds[k], a, b, BIG - cuts[c]);
            assert_memory_equal(a, whole, size);
        }
    }
}

/* FULL_OBJECT checksums of a recorded upload: two equal parts of 5,242,881 bytes and one of 10. */
static void combines_as_s3(void **state)
{
    static const struct {
        enum digest_kind kind;
        const char *part, *last, *whole;
    } cases[] = {
        { DIGEST_CRC32, "NRU+Sw==", "TBHN8A==", "qSEQSA==" },
        { DIGEST_CRC32C, "2/Ckiw==", "5yZkMA==", "eTdAQA==" },
        { DIGEST_CRC64NVME, "Kg7TOs6algM=", "DBqAA21lxVU=", "ZMNX55lZurA=" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str part, last;
        assert_int_equal(base64_decode(*state, str_z(cases[i].part), &part), ST_OK);
        assert_int_equal(base64_decode(*state, str_z(cases[i].last), &last), ST_OK);
        size_t size = digest_size(cases[i].kind);
        assert_int_equal(part.n, size);
        unsigned char crc[8];
        memcpy(crc, part.p, size);
        digest_crc_combine(cases[i].kind, crc, (const unsigned char *)part.p, 5242881);
        digest_crc_combine(cases[i].kind, crc, (const unsigned char *)last.p, 10);
        assert_string_equal(base64_encode(*state, crc, size).p, cases[i].whole);
    }
}

static void hmacs(void **state)
{
    unsigned char out[32];
    /* RFC 4231 case 2, RFC 2202 case 2 */
    hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), out);
    assert_hex(*state, out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_sha1(STR("Jefe"), STR("what do ya want for nothing?"), out);
    assert_hex(*state, out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    /* a key longer than a block; nothing at all */
    char key[100];
    memset(key, 'k', sizeof(key));
    hmac_sha256((struct str){ key, 100 }, STR("msg"), out);
    assert_hex(*state, out, 32, "bd56a1782c2830e8abc6ed866a57a1230661e650b84c62f7ee3accc5fa5af491");
    hmac_sha1((struct str){ key, 100 }, STR("msg"), out);
    assert_hex(*state, out, 20, "a3f6e90d792b6ca5ed3bfc556a4aa73d62d7cae4");
    hmac_sha256(STR_NONE, STR_NONE, out);
    assert_hex(*state, out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    assert_true(digest_equal("same", "same", 4));
    assert_false(digest_equal("same", "samf", 4));
}

static void *digest_in_thread(void *arg)
{
    unsigned char out[DIGEST_MAX];
    for (int i = 0; i < 20; i++) {
        digest_bytes(DIGEST_SHA256, big, BIG, out);
        hmac_sha256(STR("key"), STR("message"), arg);
    }
    memcpy(arg, out, 32);
    return NULL;
}

static void threads_do_not_mix(void **state)
{
    pthread_t threads[4];
    unsigned char out[4][DIGEST_MAX];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, digest_in_thread, out[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_hex(*state, out[i], 32, big_hex[DIGEST_SHA256]);
    }
}

static void hex(void **state)
{
    struct str out;
    assert_string_equal(hex_encode(*state, "\x00\xff\x1a", 3).p, "00ff1a");
    assert_string_equal(hex_encode(*state, NULL, 0).p, "");
    assert_int_equal(hex_decode(*state, STR("00Ff1a"), &out), ST_OK);
    assert_true(str_eq(out, STR("\x00\xff\x1a")));
    assert_int_equal(hex_decode(*state, STR(""), &out), ST_OK);
    assert_int_equal(out.n, 0);
    static const char *const bad[] = { "0", "0g", "g0", " 0", "0x", "000" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(hex_decode(*state, str_z(bad[i]), &out), ST_INVALID);
    }
}

static void base64(void **state)
{
    static const struct {
        const char *plain, *text;
    } cases[] = { /* RFC 4648, section 10 */
                  { "", "" },
                  { "f", "Zg==" },
                  { "fo", "Zm8=" },
                  { "foo", "Zm9v" },
                  { "foob", "Zm9vYg==" },
                  { "fooba", "Zm9vYmE=" },
                  { "foobar", "Zm9vYmFy" },
                  { "\xfb\xff\xbf", "+/+/" }
    };
    CLEANUP(buf_fini) struct buf b = BUF_INIT(100);
    struct str out;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text = str_z(cases[i].text);
        assert_string_equal(base64_encode(*state, cases[i].plain, strlen(cases[i].plain)).p,
                            text.p);
        buf_clear(&b);
        base64_add(&b, cases[i].plain, strlen(cases[i].plain));
        assert_true(str_eq(buf_str(&b), text));
        assert_int_equal(base64_decode(*state, text, &out), ST_OK);
        assert_true(str_eqz(out, cases[i].plain));
        while (str_ends(text, STR("="))) {
            text.n--;
        }
        assert_int_equal(base64_decode(*state, text, &out), ST_OK);
        assert_true(str_eqz(out, cases[i].plain));
    }
    assert_int_equal(base64_decode(*state, STR(" Zm9v\r\n Y g = =\n"), &out), ST_OK);
    assert_true(str_eqz(out, "foob"));
    static const char *const bad[] = {
        "Z",        "Zm9vY", "Zg=",      "Zg===", "Zm8==",   "Zm9v=",
        "Zm9v====", "=",     "Zg==Zg==", "Zm-_",  "Zm9\x80", "Z*=="
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (base64_decode(*state, str_z(bad[i]), &out) != ST_INVALID) {
            fail_msg("\"%s\" was taken for base64", bad[i]);
        }
    }
    struct buf tiny = BUF_INIT(3);
    base64_add(&tiny, "x", 1);
    assert_false(buf_ok(&tiny));
}

static void base64_of_all_lengths(void **state)
{
    struct str out;
    for (size_t n = 0; n < 100; n++) {
        struct str text = base64_encode(*state, big, n);
        assert_int_equal(text.n, (n + 2) / 3 * 4);
        assert_int_equal(base64_decode(*state, text, &out), ST_OK);
        assert_true(str_eq(out, (struct str){ (char *)big, n }));
    }
}

static void urls(void **state)
{
    assert_string_equal(url_encode(*state, STR("a-Z_0.~/ +%\xc3\xa9\n"), false).p,
                        "a-Z_0.~%2F%20%2B%25%C3%A9%0A");
    assert_string_equal(url_encode(*state, STR("a/b c"), true).p, "a/b%20c");
    assert_string_equal(url_encode(*state, STR_NONE, true).p, "");
    assert_string_equal(url_decode(*state, STR("a%2fb%2Fc+d"), false).p, "a/b/c+d");
    assert_string_equal(url_decode(*state, STR("a+b%20c%2B"), true).p, "a b c+");
    assert_string_equal(url_decode(*state, STR("%252F"), false).p, "%2F"); /* once */
    assert_string_equal(url_decode(*state, STR("%"), false).p, "%");
    assert_string_equal(url_decode(*state, STR("%4"), false).p, "%4");
    assert_string_equal(url_decode(*state, STR("%4x%zz%41"), false).p, "%4x%zzA");
    assert_true(str_eq(url_decode(*state, STR("a%00b"), false), STR("a\0b")));
    struct str all = { (char *)big, 256 };
    assert_true(str_eq(url_decode(*state, url_encode(*state, all, false), true), all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors),
        cmocka_unit_test(long_input_in_pieces),
        cmocka_unit_test(crc_ways_agree),
        cmocka_unit_test(combines),
        cmocka_unit_test(combines_as_s3),
        cmocka_unit_test(hmacs),
        cmocka_unit_test(threads_do_not_mix),
        cmocka_unit_test(hex),
        cmocka_unit_test(base64),
        cmocka_unit_test(base64_of_all_lengths),
        cmocka_unit_test(urls),
    };
    return cmocka_run_group_tests(tests, fill, drop);
}
