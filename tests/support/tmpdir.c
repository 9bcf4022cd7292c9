#include "tests/support/tmpdir.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dirent.h>
#include <ftw.h>

#include "server/base/mem.h"

#define OPEN_FOLDERS 16

char *tmpdir_make(void)
{
    const char *base = getenv("TMPDIR");
    char *path = xasprintf("%s/cistern-unit-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void tmpdir_remove(char *path)
{
    if (path) {
        assert_int_equal(nftw(path, drop, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS), 0);
        free(path);
    }
}

size_t tmpdir_count(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;
    while (dir) {
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            closedir(dir);
            break;
        }
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    return n;
}
