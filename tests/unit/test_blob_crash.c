/* Kills a process that stores, overwrites, clashes, joins and removes objects before each of its
 * writes to the disk in turn (database, log, renames, folders, deletions), starts a new one on what
 * is left, and compares with what the dead one had acknowledged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/loop/loop.h"
#include "server/service.h"
#include "server/store/blob.h"
#include "server/store/db.h"
#include "server/store/tree.h"
#include "tests/support/core_fixture.h"

#define KILLED 99
#define BUCKET STR("b")

extern char **environ;

/* --- the fault: calls that change the disk are counted, and one of them never happens --------- */

static long calls_left = -1; /* negative: no fault */

static void tick(void)
{
    if (__atomic_load_n(&calls_left, __ATOMIC_SEQ_CST) >= 0 &&
        __atomic_fetch_sub(&calls_left, 1, __ATOMIC_SEQ_CST) == 0) {
        _exit(KILLED);
    }
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t off)
{
    tick();
    return syscall(SYS_pwrite64, fd, p, n, off);
}
int ftruncate64(int fd, off64_t n)
{
    tick();
    return (int)syscall(SYS_ftruncate, fd, n);
}
int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    tick();
    return (int)syscall(SYS_renameat, from_fd, from, to_fd, to);
}
int mkdirat(int fd, const char *path, mode_t mode)
{
    tick();
    return (int)syscall(SYS_mkdirat, fd, path, mode);
}
int unlinkat(int fd, const char *path, int flags)
{
    tick();
    return (int)syscall(SYS_unlinkat, fd, path, flags);
}
int remove(const char *path)
{
    tick();
    int rc = (int)syscall(SYS_unlink, path);
    return rc != 0 && errno == EISDIR ? (int)syscall(SYS_rmdir, path) : rc;
}
int rename(const char *from, const char *to)
{
    tick();
    return (int)syscall(SYS_rename, from, to);
}
int mkdir(const char *path, mode_t mode)
{
    tick();
    return (int)syscall(SYS_mkdir, path, mode);
}
int futimens(int fd, const struct timespec times[2])
{
    tick();
    return (int)syscall(SYS_utimensat, fd, NULL, times, 0);
}

/* --- the objects ------------------------------------------------------------------------------ */

static void moved(void *arg, const struct blob_ref *ref, struct str new_path)
{
    struct core *core = arg;
    assert_int_equal(db_exec(core_db(core), "UPDATE object SET path=? WHERE id=? AND mtime=?",
                             bs(new_path), bi(ref->id), bi(ref->mtime_ns)),
                     ST_OK);
}

static enum status store_init(struct core *core, void **ret_state)
{
    *ret_state = core;
    blobs_on_moved(core_blobs(core), moved, core);
    return ST_OK;
}

static const struct service store = {
    .name = "store",
    .schema_sql = "CREATE TABLE IF NOT EXISTS object(key TEXT PRIMARY KEY, path TEXT, text TEXT,"
                  " id INTEGER, size INTEGER, mtime INTEGER)",
    .init = store_init,
};
static const struct service *const stores[] = { &store, NULL };

static bool find(struct core *core, struct arena *a, const char *key, struct blob_ref *ret_ref,
                 struct str *ret_path, struct str *ret_text)
{
    struct rows q;
    bool found = false;
    assert_int_equal(db_query(core_db(core), &q,
                              "SELECT id,size,mtime,path,text FROM object WHERE key=?", bz(key)),
                     ST_OK);
    if (rows_next(&q)) {
        *ret_ref = (struct blob_ref){ rows_i64(&q, 0), rows_i64(&q, 1), rows_i64(&q, 2) };
        *ret_path = rows_str(&q, a, 3);
        *ret_text = rows_str(&q, a, 4);
        found = true;
    }
    assert_int_equal(rows_end(&q), ST_OK);
    return found;
}

static struct blob_ref stage(struct core *core, const char *text)
{
    int fd;
    int64_t id;
    struct blob_ref ref;
    assert_int_equal(blob_stage(core_blobs(core), &fd, &id), ST_OK);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(blob_stage_end(core_blobs(core), fd, id, &ref), ST_OK);
    return ref;
}

/* As an object store does it: the new row with its intent, the old file's removal, together. */
static void put(struct core *core, const char *key, const char *text)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    struct blob_ref ref = stage(core, text), old;
    struct str path = blob_path(a, BUCKET, str_z(key)), old_path, old_text;
    if (find(core, a, key, &old, &old_path, &old_text)) {
        assert_int_equal(blob_intend_removal(core, &old, old_path), ST_OK);
    }
    assert_int_equal(db_exec(core_db(core), "INSERT OR REPLACE INTO object VALUES(?,?,?,?,?,?)",
                             bz(key), bs(path), bz(text), bi(ref.id), bi(ref.size),
                             bi(ref.mtime_ns)),
                     ST_OK);
    assert_int_equal(blob_intend(core, &ref, path, BUCKET, str_z(key)), ST_OK);
}

static void del(struct core *core, const char *key)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    struct blob_ref old;
    struct str path, text;
    if (find(core, a, key, &old, &path, &text)) {
        assert_int_equal(blob_intend_removal(core, &old, path), ST_OK);
        assert_int_equal(db_exec(core_db(core), "DELETE FROM object WHERE key=?", bz(key)), ST_OK);
    }
}

/* One pass of the victim; text NULL: delete; key NULL: everything. */
struct step {
    const char *key, *text;
};
static const struct step steps[] = {
    { "x/y/one", "1" },
    { "x/y/one", "one again" },
    { "a", "file" },
    { "a/b", "clash" },
    { "a/b", "clash again" },
    { "x/y/two", "2" },
    { "x/y/one", NULL },
    { "../up", "hostile" },
    { "a", NULL },
    { "a/b", "moved in" },
    { "x/y/two", NULL },
    { NULL, NULL },
    { "a/b", "new life" },
    { "last", "z" },
};

static void do_step(struct core *core, const struct step *s)
{
    if (!s->key) {
        assert_int_equal(db_exec(core_db(core), "DELETE FROM object"), ST_OK);
        assert_int_equal(blobs_reset(core_blobs(core)), ST_OK);
    } else if (s->text) {
        put(core, s->key, s->text);
    } else {
        del(core, s->key);
    }
}

/* Does the steps from `from` on; notes each that was committed in the file "acked". */
static int victim(const char *dir, long fault, int from)
{
    status_ignore(log_configure("error"));
    calls_left = fault;
    struct core_fixture f = { 0 };
    core_fixture_open_in(&f, dir, stores);
    CLEANUP(free_ptr) char *path = xasprintf("%s/acked", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    for (int i = from; i < (int)ARRAY_LEN(steps); i++) {
        do_step(f.core, &steps[i]);
        core_fixture_pass(&f); /* commits; answers would leave here */
        assert_int_equal(write(fd, "+", 1), 1);
        core_fixture_settle(&f);
    }
    close(fd);
    assert_true(core_stop(f.core));
    core_free(f.core);
    return 0;
}

static int acked(const char *dir)
{
    CLEANUP(free_ptr) char *path = xasprintf("%s/acked", dir);
    struct stat s;
    return stat(path, &s) == 0 ? (int)s.st_size : 0;
}

/* --- the verdict ------------------------------------------------------------------------------ */

/* The state after the first n steps. */
static const char *expected_text(const char *key, int n)
{
    const char *text = NULL;
    for (int i = 0; i < n; i++) {
        if (!steps[i].key || strcmp(steps[i].key, key) == 0) {
            text = steps[i].text;
        }
    }
    return text;
}

static bool has_state(struct core *core, int n)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (!steps[i].key) {
            continue;
        }
        struct blob_ref ref;
        struct str path, text;
        const char *want = expected_text(steps[i].key, n);
        bool there = find(core, a, steps[i].key, &ref, &path, &text);
        if (there != (want != NULL) || (there && !str_eqz(text, want))) {
            return false;
        }
    }
    return true;
}

/* Every row is readable and says the truth; there is no file without a row. */
static int check_files(struct core_fixture *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    struct rows q;
    int n = 0;
    assert_int_equal(db_query(core_db(f->core), &q, "SELECT id,size,mtime,path,text FROM object"),
                     ST_OK);
    while (rows_next(&q)) {
        struct blob_ref ref = { rows_i64(&q, 0), rows_i64(&q, 1), rows_i64(&q, 2) };
        struct str text = rows_str(&q, a, 4);
        int fd;
        char got[32] = "";
        assert_int_equal(blob_open(core_blobs(f->core), &ref, rows_str(&q, a, 3), &fd), ST_OK);
        assert_int_equal(read(fd, got, sizeof(got) - 1), (ssize_t)text.n);
        assert_true(str_eqz(text, got));
        close(fd);
        n++;
    }
    assert_int_equal(rows_end(&q), ST_OK);
    assert_int_equal(core_fixture_count_files(f, "buckets"), n);
    assert_int_equal(core_fixture_count_files(f, "tmp"), 0);
    return n;
}

/* Returns the number of steps that were kept. */
static int recover_and_check(const char *dir)
{
    struct core_fixture f = { 0 };
    int n = acked(dir);
    core_fixture_open_in(&f, dir, stores);
    core_fixture_settle(&f);
    /* What was acknowledged is there; the step under way is there as a whole, or not at all. */
    if (!has_state(f.core, n)) {
        assert_true(n < (int)ARRAY_LEN(steps));
        n++;
        assert_true(has_state(f.core, n));
    }
    check_files(&f);
    assert_true(core_stop(f.core));
    core_free(f.core);
    return n;
}

static int run_victim(const char *dir, long fault, int from)
{
    char fault_text[24], from_text[24];
    snprintf(fault_text, sizeof(fault_text), "%ld", fault);
    snprintf(from_text, sizeof(from_text), "%d", from);
    const char *const argv[] = { "victim", dir, fault_text, from_text, NULL };
    pid_t pid;
    int how;
    assert_int_equal(
        posix_spawn(&pid, "/proc/self/exe", NULL, NULL, (char *const *)(uintptr_t)argv, environ),
        0);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static void killed_before_every_write(void **state)
{
    (void)state;
    int rc = KILLED;
    long fault = 0;
    for (; rc == KILLED; fault++) {
        char dir[] = "/tmp/cistern-test-XXXXXX";
        assert_non_null(mkdtemp(dir));
        rc = run_victim(dir, fault, 0);
        assert_true(rc == KILLED || rc == 0);
        int kept = recover_and_check(dir);
        /* The recovery may be killed as well, and life goes on after it. */
        if (rc == KILLED && fault % 4 == 0) {
            int second = run_victim(dir, fault % 61, kept);
            assert_true(second == KILLED || second == 0);
            struct core_fixture f = { 0 };
            core_fixture_open_in(&f, dir, stores);
            core_fixture_settle(&f);
            check_files(&f);
            assert_true(core_stop(f.core));
            core_free(f.core);
        }
        assert_int_equal(tree_remove(dir), ST_OK);
    }
    print_message("killed at %ld points\n", fault - 1);
    assert_true(fault > 50);
}

int main(int argc, char **argv)
{
    if (argc == 4) {
        return victim(argv[1], strtol(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10));
    }
    status_ignore(log_configure("error"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_before_every_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
