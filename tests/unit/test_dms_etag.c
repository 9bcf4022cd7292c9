/* ETags of files that are written piece by piece, beside those that S3 would make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emulators/dms/file/etag.h"
#include "server/base/digest.h"
#include "server/base/mem.h"

#define PART ((size_t)DMS_PART_BYTES)
#define PASSING 7 /* parts that are hashed as they pass */
#define GROUP 16  /* and are read back together */
#define FILE_MAX ((PASSING + GROUP + GROUP / 2) * PART)

static unsigned char *bytes;

static int fill(void **state)
{
    (void)state;
    bytes = xmalloc(FILE_MAX);
    uint64_t x = 1;
    for (size_t i = 0; i + sizeof(x) <= FILE_MAX; i += sizeof(x)) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        memcpy(bytes + i, &x, sizeof(x));
    }
    return 0;
}

static int drop(void **state)
{
    (void)state;
    free(bytes);
    return 0;
}

static void expect(size_t n, unsigned char md5[DIGEST_MAX])
{
    if (n <= PART) {
        digest_bytes(DIGEST_MD5, bytes, n, md5);
        return;
    }
    struct digest *d = digest_new(DIGEST_MD5);
    for (size_t at = 0; at < n; at += PART) {
        digest_bytes(DIGEST_MD5, bytes + at, n - at < PART ? n - at : PART, md5);
        digest_update(d, md5, digest_size(DIGEST_MD5));
    }
    digest_final(d, md5);
    digest_free(d);
}

/* A file of n bytes, in pieces of `step`. */
static void check(size_t n, size_t step)
{
    unsigned char md5[16], expected[DIGEST_MAX];
    int64_t part_bytes = -1;
    int fd = memfd_create("etag", 0);
    assert_true(fd >= 0);
    struct dms_etag *e = dms_etag_new();
    for (size_t at = 0; at < n; at += step) {
        size_t some = n - at < step ? n - at : step;
        assert_int_equal(write(fd, bytes + at, some), some);
        assert_int_equal(dms_etag_add(e, fd, bytes + at, some), ST_OK);
    }
    assert_int_equal(dms_etag_end(e, fd, md5, &part_bytes), ST_OK);
    dms_etag_free(e);
    close(fd);
    expect(n, expected);
    assert_memory_equal(md5, expected, sizeof(md5));
    assert_int_equal(part_bytes, n > PART ? PART : 0);
}

static void up_to_one_part_it_is_the_md5(void **state)
{
    (void)state;
    check(0, 1);
    check(1, 1);
    check(PART - 1, 100000);
    check(PART, PART);
    check(PART, 131072);
}

static void parts_that_pass(void **state)
{
    (void)state;
    check(PART + 1, PART);
    check(2 * PART, 131072);
    check(PASSING * PART, 1000003);
}

static void parts_that_are_read_back(void **state)
{
    (void)state;
    check(PASSING * PART + 1, 131072);
    check((PASSING + 3) * PART + 77, 7 * PART + 5);
    check((PASSING + 4) * PART, 131072);
    check((PASSING + GROUP + 5) * PART + 16385, 131072 + 11);
    check((PASSING + GROUP) * PART, (PASSING + GROUP) * PART);
}

static void a_file_that_was_cut_off(void **state)
{
    (void)state;
    unsigned char md5[16];
    int64_t part_bytes;
    size_t n = (PASSING + 2) * PART;
    int fd = memfd_create("etag", 0);
    assert_int_equal(write(fd, bytes, n), n);
    struct dms_etag *e = dms_etag_new();
    assert_int_equal(dms_etag_add(e, fd, bytes, n), ST_OK);
    assert_int_equal(ftruncate(fd, (off_t)n - 1), 0);
    assert_int_equal(dms_etag_end(e, fd, md5, &part_bytes), ST_IO);
    dms_etag_free(e);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_to_one_part_it_is_the_md5),
        cmocka_unit_test(parts_that_pass),
        cmocka_unit_test(parts_that_are_read_back),
        cmocka_unit_test(a_file_that_was_cut_off),
    };
    return cmocka_run_group_tests(tests, fill, drop);
}
