#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/loop/loop.h"
#include "server/store/blob.h"
#include "server/store/db.h"
#include "tests/support/core_fixture.h"

static const struct service *const no_services[] = { NULL };

struct fixture {
    struct core_fixture c;
    struct arena *a;
    struct blobs *b;
    int moved;
    char moved_to[128];
};

static void on_moved(void *arg, const struct blob_ref *ref, struct str new_path)
{
    struct fixture *f = arg;
    assert_true(ref->id > 0);
    f->moved++;
    snprintf(f->moved_to, sizeof(f->moved_to), "%.*s", STR_ARG(new_path));
}

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .a = arena_new(16 << 20) };
    core_fixture_open(&f.c, no_services);
    f.b = core_blobs(f.c.core);
    blobs_on_moved(f.b, on_moved, &f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    core_fixture_close(&f->c);
    arena_free(f->a);
    return 0;
}

static struct blob_ref stage(struct fixture *f, const char *text)
{
    int fd;
    int64_t id;
    struct blob_ref ref;
    assert_int_equal(blob_stage(f->b, &fd, &id), ST_OK);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(blob_stage_end(f->b, fd, id, &ref), ST_OK);
    assert_int_equal(ref.size, strlen(text));
    return ref;
}

static struct str path_of(struct fixture *f, const char *key)
{
    return blob_path(f->a, STR("bucket"), str_z(key));
}

static void intend(struct fixture *f, const struct blob_ref *ref, const char *key)
{
    assert_int_equal(blob_intend(f->c.core, ref, path_of(f, key), STR("bucket"), str_z(key)),
                     ST_OK);
}

static void expect_text(struct fixture *f, const struct blob_ref *ref, struct str path,
                        const char *text)
{
    int fd;
    char got[64] = "";
    assert_int_equal(blob_open(f->b, ref, path, &fd), ST_OK);
    assert_int_equal(read(fd, got, sizeof(got) - 1), (ssize_t)strlen(text));
    assert_string_equal(got, text);
    close(fd);
}

static bool on_disk(struct fixture *f, const char *below)
{
    CLEANUP(free_ptr) char *path = xasprintf("%s/%s", f->c.dir, below);
    return access(path, F_OK) == 0;
}

/* --- paths ------------------------------------------------------------------------------------ */

static void keys_that_are_paths_stay_as_they_are(void **state)
{
    struct fixture *f = *state;
    static const char *const keys[] = { "a",          "a/b/c.csv", "with blank & ümläut",
                                        "...",        ".a",        "a\nb",
                                        "x/.cistern", "-",         "a=b/c=d/part-0000.csv",
                                        ".cisterns/x" };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct str path = path_of(f, keys[i]);
        assert_true(str_eq(path, arena_printf(f->a, "bucket/%s", keys[i])));
    }
}

static void hostile_keys_get_a_harmless_name(void **state)
{
    struct fixture *f = *state;
    static const char *const keys[] = { "",          ".",           "..",    "../x",
                                        "a/../../x", "/etc/passwd", "a//b",  "a/",
                                        "/",         "a/.",         "a/./b", "..//..",
                                        ".cistern",  ".cistern/x" };
    struct str seen[ARRAY_LEN(keys)];
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct str path = seen[i] = path_of(f, keys[i]);
        assert_true(str_starts(path, STR("bucket/.cistern/")));
        assert_int_equal(path.n, strlen("bucket/.cistern/") + 40);
        for (size_t j = 0; j < i; j++) {
            assert_false(str_eq(path, seen[j]));
        }
        struct blob_ref ref = stage(f, keys[i]);
        intend(f, &ref, keys[i]);
        core_fixture_pass(&f->c);
        expect_text(f, &ref, path, keys[i]);
    }
    assert_int_equal(core_fixture_count_files(&f->c, "buckets/bucket/.cistern"), ARRAY_LEN(keys));
    /* Lengths: of a part, and of the whole. */
    char *long_key = arena_alloc(f->a, 5000);
    memset(long_key, 'x', 256);
    assert_true(str_starts(path_of(f, long_key), STR("bucket/.cistern/")));
    long_key[255] = '\0';
    assert_true(str_starts(path_of(f, long_key), STR("bucket/xxx")));
    for (int i = 0; i < 3600; i++) {
        long_key[i] = i % 2 ? '/' : 'd';
    }
    assert_true(str_starts(path_of(f, long_key), STR("bucket/.cistern/")));
    struct str nul = { "a\0b", 3 };
    assert_true(str_starts(blob_path(f->a, STR("bucket"), nul), STR("bucket/.cistern/")));
}

/* Whatever the bytes are, the path has no part that leads upwards. */
static void random_keys_stay_inside(void **state)
{
    (void)state;
    static const char alphabet[] = "./a\0\xff.";
    for (int round = 0; round < 20000; round++) {
        unsigned char bytes[12];
        char key[12];
        id_random(bytes, sizeof(bytes));
        size_t n = bytes[0] % sizeof(key);
        for (size_t i = 0; i < n; i++) {
            key[i] = alphabet[bytes[i + 1 < sizeof(bytes) ? i + 1 : 0] % (sizeof(alphabet) - 1)];
        }
        CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
        struct str path = blob_path(a, STR("b"), (struct str){ key, n });
        assert_true(str_starts(path, STR("b/")) && path.n == strlen(path.p));
        struct str rest = path, part;
        while (str_next(&rest, '/', &part)) {
            assert_true(part.n > 0 && !str_eqz(part, ".") && !str_eqz(part, ".."));
        }
        assert_true(path.p[path.n - 1] != '/');
    }
}

/* --- life of a file --------------------------------------------------------------------------- */

static void readable_before_and_after_placing(void **state)
{
    struct fixture *f = *state;
    struct blob_ref ref = stage(f, "hello");
    struct str path = path_of(f, "x/y/z.txt");
    expect_text(f, &ref, path, "hello");
    intend(f, &ref, "x/y/z.txt");
    expect_text(f, &ref, path, "hello");
    core_fixture_pass(&f->c);
    expect_text(f, &ref, path, "hello");
    assert_true(on_disk(f, "buckets/bucket/x/y/z.txt"));
    assert_int_equal(core_fixture_count_files(&f->c, "tmp"), 0);

    /* Overwritten: the old ref is stale, the new one readable. */
    struct blob_ref next = stage(f, "HELLO"); /* same size */
    assert_true(next.mtime_ns > ref.mtime_ns);
    intend(f, &next, "x/y/z.txt");
    core_fixture_pass(&f->c);
    int fd;
    assert_int_equal(blob_open(f->b, &ref, path, &fd), ST_NOT_FOUND);
    expect_text(f, &next, path, "HELLO");

    /* A removal of the old one doesn't touch the new one. */
    assert_int_equal(blob_intend_removal(f->c.core, &ref, path), ST_OK);
    core_fixture_settle(&f->c);
    expect_text(f, &next, path, "HELLO");
    assert_int_equal(blob_intend_removal(f->c.core, &next, path), ST_OK);
    core_fixture_settle(&f->c);
    assert_int_equal(blob_open(f->b, &next, path, &fd), ST_NOT_FOUND);
    assert_false(on_disk(f, "buckets/bucket/x")); /* pruned */
    assert_true(on_disk(f, "buckets/bucket"));
    assert_int_equal(core_fixture_count_files(&f->c, "tmp"), 0);
    assert_int_equal(blob_intend_top_removal(f->c.core, STR("bucket")), ST_OK);
    core_fixture_settle(&f->c);
    assert_false(on_disk(f, "buckets/bucket"));
}

static void a_rolled_back_intent_moves_nothing(void **state)
{
    struct fixture *f = *state;
    struct blob_ref ref = stage(f, "no");
    struct core_mark mark;
    assert_int_equal(core_mark(f->c.core, &mark), ST_OK);
    intend(f, &ref, "k");
    core_mark_undo(f->c.core, mark);
    core_fixture_pass(&f->c);
    assert_false(on_disk(f, "buckets/bucket/k"));
    blob_discard(f->b, -1, ref.id);
    assert_int_equal(core_fixture_count_files(&f->c, "tmp"), 0);
}

static void clashes_move_aside(void **state)
{
    struct fixture *f = *state;
    struct blob_ref file = stage(f, "file"), below = stage(f, "below"), above = stage(f, "above"),
                    deep = stage(f, "deep");
    intend(f, &file, "a");
    core_fixture_pass(&f->c);
    intend(f, &below, "a/b"); /* `a` is a file */
    core_fixture_pass(&f->c);
    assert_int_equal(f->moved, 1);
    struct str escaped = blob_path_escaped(f->a, STR("bucket"), STR("a/b"));
    assert_string_equal(f->moved_to, escaped.p);
    expect_text(f, &below, escaped, "below");
    expect_text(f, &below, path_of(f, "a/b"), "below"); /* for who read the row just before */
    expect_text(f, &file, path_of(f, "a"), "file");
    intend(f, &deep, "d/e");
    intend(f, &above, "d"); /* `d` is a folder */
    core_fixture_pass(&f->c);
    assert_int_equal(f->moved, 2);
    expect_text(f, &above, blob_path_escaped(f->a, STR("bucket"), STR("d")), "above");
    expect_text(f, &deep, path_of(f, "d/e"), "deep");
}

static void foreign_files_are_noticed(void **state)
{
    struct fixture *f = *state;
    struct blob_ref ref = stage(f, "mine");
    intend(f, &ref, "k");
    core_fixture_pass(&f->c);
    CLEANUP(free_ptr) char *path = xasprintf("%s/buckets/bucket/k", f->c.dir);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "hers", 4), 4);
    close(fd);
    assert_int_equal(blob_open(f->b, &ref, path_of(f, "k"), &fd), ST_NOT_FOUND);
    assert_int_equal(blob_intend_removal(f->c.core, &ref, path_of(f, "k")), ST_OK);
    core_fixture_settle(&f->c);
    assert_true(on_disk(f, "buckets/bucket/k")); /* not ours any more */
    /* A link that leads out of the folder is not followed. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    struct stat s;
    assert_int_equal(stat("/etc/passwd", &s), 0);
    struct blob_ref outside = { .id = 1,
                                .size = s.st_size,
                                .mtime_ns =
                                    (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec };
    assert_int_equal(blob_open(f->b, &outside, path_of(f, "k"), &fd), ST_NOT_FOUND);
}

static void paths_that_lead_out_are_refused(void **state)
{
    struct fixture *f = *state;
    struct blob_ref ref = stage(f, "x");
    static const char *const paths[] = { "../x", "/x", "bucket/../../x", "", "bucket//x" };
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        assert_int_equal(
            blob_intend(f->c.core, &ref, str_z(paths[i]), STR("bucket"), str_z(paths[i])),
            ST_INVALID);
        assert_int_equal(blob_intend_removal(f->c.core, &ref, str_z(paths[i])), ST_INVALID);
    }
    assert_int_equal(blob_intend_top_removal(f->c.core, STR("..")), ST_INVALID);
    assert_int_equal(blob_intend_top_removal(f->c.core, STR("a/b")), ST_INVALID);
}

static void kept_in_tmp_over_a_restart(void **state)
{
    struct fixture *f = *state;
    struct blob_ref part = stage(f, "part"), lost = stage(f, "cut off");
    assert_int_equal(blob_intend_staged(f->c.core, &part), ST_OK);
    core_fixture_restart(&f->c);
    f->b = core_blobs(f->c.core);
    expect_text(f, &part, STR_NONE, "part");
    int fd;
    assert_int_equal(blob_open(f->b, &lost, STR_NONE, &fd), ST_NOT_FOUND);
    assert_int_equal(blob_intend_removal(f->c.core, &part, STR_NONE), ST_OK);
    core_fixture_settle(&f->c);
    assert_int_equal(core_fixture_count_files(&f->c, "tmp"), 0);
    int64_t n;
    assert_int_equal(
        db_get_i64(core_db(f->c.core), &n, "SELECT count(*) FROM blob_intent WHERE kind=3"), ST_OK);
    assert_int_equal(n, 0);
}

static void done_intents_do_not_pile_up(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 1000; i++) {
        struct blob_ref ref = stage(f, "x");
        intend(f, &ref, "same");
        core_fixture_pass(&f->c);
    }
    int64_t n;
    assert_int_equal(db_get_i64(core_db(f->c.core), &n, "SELECT count(*) FROM blob_intent"), ST_OK);
    assert_true(n <= 65);
    assert_int_equal(core_fixture_count_files(&f->c, "buckets"), 1);
}

static void removals_beyond_a_batch(void **state)
{
    struct fixture *f = *state;
    struct blob_ref refs[300];
    char key[32];
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof(key), "p/%d/x", i % 7 == 0 ? i : 1000 + i);
        refs[i] = stage(f, key);
        intend(f, &refs[i], key);
    }
    core_fixture_pass(&f->c);
    assert_int_equal(core_fixture_count_files(&f->c, "buckets"), 300);
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof(key), "p/%d/x", i % 7 == 0 ? i : 1000 + i);
        assert_int_equal(blob_intend_removal(f->c.core, &refs[i], path_of(f, key)), ST_OK);
    }
    assert_int_equal(blob_intend_top_removal(f->c.core, STR("bucket")), ST_OK);
    core_fixture_settle(&f->c);
    assert_int_equal(core_fixture_count_files(&f->c, "tmp"), 0);
    assert_false(on_disk(f, "buckets/bucket"));
}

/* --- kept until a release --------------------------------------------------------------------- */

static void kept_files_go_when_released(void **state)
{
    struct fixture *f = *state;
    struct blob_ref old = stage(f, "old"), new = stage(f, "new");
    int64_t kept = 0;
    intend(f, &old, "p/k");
    core_fixture_pass(&f->c);
    assert_int_equal(blob_intend_kept(f->c.core, &old, path_of(f, "p/k"), &kept), ST_OK);
    intend(f, &new, "p/k");
    expect_text(f, &old, path_of(f, "p/k"), "old");
    core_fixture_settle(&f->c);
    expect_text(f, &old, path_of(f, "p/k"), "old");
    expect_text(f, &new, path_of(f, "p/k"), "new");
    blob_intend_release(f->c.core, &old, path_of(f, "p/k"), kept);
    core_fixture_settle(&f->c);
    expect_text(f, &new, path_of(f, "p/k"), "new");
    assert_int_equal(core_fixture_count_files(&f->c, "tmp"), 0);
}

static void kept_and_released_in_one_pass(void **state)
{
    struct fixture *f = *state;
    struct blob_ref ref = stage(f, "text");
    int64_t kept = 0;
    intend(f, &ref, "p/k");
    assert_int_equal(blob_intend_kept(f->c.core, &ref, path_of(f, "p/k"), &kept), ST_OK);
    blob_intend_release(f->c.core, &ref, path_of(f, "p/k"), kept);
    core_fixture_settle(&f->c);
    assert_int_equal(core_fixture_count_files(&f->c, "tmp"), 0);
    assert_false(on_disk(f, "buckets/bucket/p"));
}

static void kept_files_go_at_the_next_start(void **state)
{
    struct fixture *f = *state;
    struct blob_ref ref = stage(f, "text");
    int64_t kept = 0;
    intend(f, &ref, "p/k");
    core_fixture_pass(&f->c);
    assert_int_equal(blob_intend_kept(f->c.core, &ref, path_of(f, "p/k"), &kept), ST_OK);
    core_fixture_pass(&f->c);
    assert_false(on_disk(f, "buckets/bucket/p"));
    assert_int_equal(core_fixture_count_files(&f->c, "tmp"), 1);
    core_fixture_restart(&f->c);
    f->b = core_blobs(f->c.core);
    assert_int_equal(core_fixture_count_files(&f->c, "tmp"), 0);
}

/* --- symbolic links --------------------------------------------------------------------------- */

/* A folder beside buckets/ that a link of a local user leads to. */
static void link_out(struct fixture *f, const char *where)
{
    CLEANUP(free_ptr) char *outside = xasprintf("%s/outside", f->c.dir);
    CLEANUP(free_ptr) char *bucket = xasprintf("%s/buckets/bucket", f->c.dir);
    CLEANUP(free_ptr) char *link = xasprintf("%s/buckets/%s", f->c.dir, where);
    assert_true(mkdir(outside, 0755) == 0 || errno == EEXIST);
    assert_true(strcmp(where, "bucket") == 0 || mkdir(bucket, 0755) == 0 || errno == EEXIST);
    assert_int_equal(symlink(outside, link), 0);
}

static void links_are_not_followed_when_placing(void **state)
{
    struct fixture *f = *state;
    link_out(f, "bucket/p");
    struct blob_ref ref = stage(f, "text"), deep = stage(f, "deep");
    intend(f, &ref, "p/k");
    intend(f, &deep, "p/q/r/k");
    core_fixture_settle(&f->c);
    assert_int_equal(core_fixture_count_files(&f->c, "outside"), 0);
    assert_false(on_disk(f, "outside/q"));
    assert_int_equal(f->moved, 2);
    expect_text(f, &ref, path_of(f, "p/k"), "text");
    expect_text(f, &deep, path_of(f, "p/q/r/k"), "deep");
}

static void links_are_not_followed_when_reading_or_removing(void **state)
{
    struct fixture *f = *state;
    int fd, kept_fd;
    int64_t kept = 0;
    struct blob_ref ref = stage(f, "text");
    intend(f, &ref, "p/k");
    core_fixture_settle(&f->c);
    /* the user moves the folder away and leaves a link */
    CLEANUP(free_ptr) char *from = xasprintf("%s/buckets/bucket/p", f->c.dir);
    CLEANUP(free_ptr) char *to = xasprintf("%s/outside", f->c.dir);
    assert_int_equal(rename(from, to), 0);
    link_out(f, "bucket/p");
    assert_int_equal(blob_open(f->b, &ref, path_of(f, "p/k"), &fd), ST_NOT_FOUND);
    assert_int_equal(blob_intend_kept(f->c.core, &ref, path_of(f, "p/k"), &kept), ST_OK);
    core_fixture_settle(&f->c);
    assert_int_equal(blob_open(f->b, &ref, path_of(f, "p/k"), &kept_fd), ST_NOT_FOUND);
    assert_int_equal(blob_intend_removal(f->c.core, &ref, path_of(f, "p/k")), ST_OK);
    core_fixture_settle(&f->c);
    assert_true(on_disk(f, "outside/k"));
}

static void a_link_as_bucket_is_refused(void **state)
{
    struct fixture *f = *state;
    link_out(f, "bucket");
    struct blob_ref ref = stage(f, "text");
    intend(f, &ref, "k");
    assert_int_equal(blob_intend_top_removal(f->c.core, STR("bucket")), ST_OK);
    core_fixture_settle(&f->c);
    assert_int_equal(core_fixture_count_files(&f->c, "outside"), 0);
    expect_text(f, &ref, path_of(f, "k"), "text"); /* from tmp/ */
}

/* --- readers beside a writer ------------------------------------------------------------------ */

struct reading {
    struct blobs *b;
    struct blob_ref ref;
    struct str path;
    int rounds, misses;
    bool ended;
};

static void read_often(void *arg)
{
    struct reading *r = arg;
    for (int i = 0; i < r->rounds; i++) {
        int fd;
        if (blob_open(r->b, &r->ref, r->path, &fd) == ST_OK) {
            close(fd);
        } else {
            r->misses++;
        }
    }
}

static void reading_ended(void *arg)
{
    struct reading *r = arg;
    r->ended = true;
}

static bool reader_is_done(void *arg)
{
    const struct reading *r = arg;
    return r->ended;
}

/* While a file moves from tmp/ to its place it is never missing. */
static void readers_never_miss_a_moving_file(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 50; i++) {
        struct reading r = { .b = f->b, .ref = stage(f, "moving"), .rounds = 300 };
        char key[32];
        snprintf(key, sizeof(key), "m%d", i);
        r.path = path_of(f, key);
        assert_int_equal(
            thread_start(core_loop(f->c.core), "reader", read_often, reading_ended, &r), ST_OK);
        intend(f, &r.ref, key);
        core_fixture_until(&f->c, reader_is_done, &r);
        assert_int_equal(r.misses, 0);
    }
}

/* --- kernels without openat2 ------------------------------------------------------------------ */

/* From now on this thread, and those that it starts, get ENOSYS. */
static void forbid_openat2(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { ARRAY_LEN(code), code };
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    assert_int_equal(syscall(SYS_openat2, -1, "", NULL, 0), -1);
    assert_int_equal(errno, ENOSYS);
}

int main(void)
{
    status_ignore(log_configure("error"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_that_are_paths_stay_as_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(hostile_keys_get_a_harmless_name, setup, teardown),
        cmocka_unit_test_setup_teardown(random_keys_stay_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(readable_before_and_after_placing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rolled_back_intent_moves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(clashes_move_aside, setup, teardown),
        cmocka_unit_test_setup_teardown(foreign_files_are_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(paths_that_lead_out_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(kept_in_tmp_over_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(done_intents_do_not_pile_up, setup, teardown),
        cmocka_unit_test_setup_teardown(removals_beyond_a_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(kept_files_go_when_released, setup, teardown),
        cmocka_unit_test_setup_teardown(kept_and_released_in_one_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(kept_files_go_at_the_next_start, setup, teardown),
        cmocka_unit_test_setup_teardown(links_are_not_followed_when_placing, setup, teardown),
        cmocka_unit_test_setup_teardown(links_are_not_followed_when_reading_or_removing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_link_as_bucket_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_never_miss_a_moving_file, setup, teardown),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    forbid_openat2();
    return failed + cmocka_run_group_tests_name("without openat2", tests, NULL, NULL);
}
