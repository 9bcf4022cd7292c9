#include "tests/support/core_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>

#include "server/base/mem.h"
#include "server/loop/loop.h"
#include "server/loop/proc.h"
#include "server/store/tree.h"

void core_fixture_open_in(struct core_fixture *f, const char *dir,
                          const struct service *const *services)
{
    if (dir != f->dir) {
        snprintf(f->dir, sizeof(f->dir), "%s", dir);
    }
    f->services = services;
    f->config = (struct config){ .data_dir = f->dir,
                                 .account = "000000000000",
                                 .region = "us-east-1",
                                 .clock_scale = 1,
                                 .workers = 2 };
    assert_int_equal(core_new(&f->config, services, &f->core), ST_OK);
    assert_int_equal(core_start(f->core), ST_OK);
}

void core_fixture_open(struct core_fixture *f, const struct service *const *services)
{
    snprintf(f->dir, sizeof(f->dir), "/tmp/cistern-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    core_fixture_open_in(f, f->dir, services);
}

static void end(struct core_fixture *f)
{
    assert_true(core_stop(f->core));
    core_free(f->core);
    f->core = NULL;
}

void core_fixture_restart(struct core_fixture *f)
{
    end(f);
    core_fixture_open_in(f, f->dir, f->services);
}

void core_fixture_close(struct core_fixture *f)
{
    end(f);
    assert_int_equal(tree_remove(f->dir), ST_OK);
}

void core_fixture_until(struct core_fixture *f, bool (*done)(void *arg), void *arg)
{
    assert_true(core_wait(f->core, done, arg, 20000));
}

static bool at_once(void *arg)
{
    (void)arg;
    return true;
}

void core_fixture_pass(struct core_fixture *f)
{
    core_fixture_until(f, at_once, NULL);
}

static bool quiet(void *arg)
{
    struct core_fixture *f = arg;
    return loop_pending(core_loop(f->core)) == 0 && proc_count(core_loop(f->core)) == 0;
}

void core_fixture_settle(struct core_fixture *f)
{
    core_fixture_until(f, quiet, f);
}

static int n_files;

static int count_file(const char *path, const struct stat *s, int type, struct FTW *where)
{
    (void)path;
    (void)s;
    (void)where;
    n_files += type == FTW_F ? 1 : 0;
    return 0;
}

int core_fixture_count_files(const struct core_fixture *f, const char *sub)
{
    CLEANUP(free_ptr) char *path = xasprintf("%s/%s", f->dir, sub);
    n_files = 0;
    assert_int_equal(nftw(path, count_file, 16, FTW_PHYS), 0);
    return n_files;
}
