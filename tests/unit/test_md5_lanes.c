/* MD5 in lanes beside OpenSSL's, for every number of messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/base/digest.h"
#include "server/base/md5_lanes.h"

#define BLOCKS_MAX 40
#define MESSAGE_MAX ((size_t)BLOCKS_MAX * MD5_BLOCK)

static unsigned char bytes[MD5_LANES * MESSAGE_MAX + MD5_LANES];

static int fill(void **state)
{
    (void)state;
    srandom(5);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)random();
    }
    return 0;
}

/* Messages at odd addresses, in pieces of random size. */
static void check(size_t n, size_t blocks)
{
    struct md5_lanes l;
    unsigned char got[MD5_LANES][MD5_BYTES], expected[DIGEST_MAX];
    md5_lanes_init(&l, n);
    for (size_t done = 0; done < blocks;) {
        size_t some = 1 + (size_t)random() % (blocks - done);
        const unsigned char *p[MD5_LANES];
        for (size_t i = 0; i < n; i++) {
            p[i] = bytes + i * (MESSAGE_MAX + 1) + done * MD5_BLOCK;
        }
        md5_lanes_update(&l, p, some);
        done += some;
    }
    assert_int_equal(l.bytes, blocks * MD5_BLOCK);
    md5_lanes_final(&l, got);
    for (size_t i = 0; i < n; i++) {
        digest_bytes(DIGEST_MD5, bytes + i * (MESSAGE_MAX + 1), blocks * MD5_BLOCK, expected);
        assert_memory_equal(got[i], expected, MD5_BYTES);
    }
}

static void every_number_of_lanes(void **state)
{
    (void)state;
    for (size_t n = 1; n <= MD5_LANES; n++) {
        for (int round = 0; round < 20; round++) {
            check(n, (size_t)random() % (BLOCKS_MAX + 1));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_lanes),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
