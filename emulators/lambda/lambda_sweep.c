/* Removing code that no function uses any more: renamed out of the way on the core thread, so that
 * nobody can come upon half of it, then deleted by a worker. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "emulators/lambda/lambda_package.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/loop/loop.h"

#define SWEEP_ARENA_MAX (16u << 20)
#define SWEEP_DEPTH 32 /* folders kept open */

/* --- deleting --------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *where)
{
    (void)s;
    (void)kind;
    /* The trash itself stays: the core may be moving the next piece into it. */
    if (where->level > 0 && remove(path) != 0 && errno != ENOENT) {
        log_debug(LAMBDA_TOPIC, "cannot remove %s: %s", path, strerror(errno));
    }
    return 0;
}

static void remove_trash(void *arg)
{
    (void)nftw(arg, remove_one, SWEEP_DEPTH, FTW_DEPTH | FTW_PHYS); /* what stays goes next time */
}

static void empty_trash(struct lambda *l)
{
    work_start(core_loop(l->core), remove_trash, free, xasprintf("%s/.trash", l->dir));
}

/* Out of the way at once. */
static bool to_trash(struct lambda *l, const char *path)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SWEEP_ARENA_MAX);
    struct str id = id_hex(a, 32);
    const char *trash = arena_printf(a, "%s/.trash", l->dir).p;
    const char *to = arena_printf(a, "%s/%.*s", trash, STR_ARG(id)).p;
    (void)mkdir(trash, 0755); /* the rename tells */
    if (rename(path, to) != 0 && errno != ENOENT) {
        log_warn(LAMBDA_TOPIC, "cannot move %s to %s: %s", path, to, strerror(errno));
        return false;
    }
    return true;
}

/* --- finding ---------------------------------------------------------------------------------- */

/* Names in a folder but for "." and ".."; none when it can't be read. */
static struct str *names_in(struct arena *a, const char *dir, size_t *ret_n)
{
    struct str *names = ARENA_ARRAY(a, struct str, 1);
    size_t n = 0, cap = 1;
    DIR *d = opendir(dir);
    struct dirent *e;
    while (d && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        if (n == cap) {
            struct str *more = ARENA_ARRAY(a, struct str, cap * 2);
            memcpy(more, names, n * sizeof(*names));
            names = more;
            cap *= 2;
        }
        names[n++] = arena_strz(a, e->d_name);
    }
    if (d) {
        closedir(d);
    }
    *ret_n = n;
    return names;
}

/* Is it "<digest>" or "<digest>.zip" of a stored function? */
static bool is_used(struct lambda *l, struct str account, struct str name, struct str entry)
{
    struct str dir = str_ends(entry, STR(".zip")) ? str_sub(entry, 0, entry.n - 4) : entry;
    bool used = true;
    enum status st = lambda_store_uses_code(core_db(l->core), account, name, dir, &used);
    return st != ST_OK || used;
}

/* Is any function of this account and name being unpacked? */
static bool is_changing(struct lambda *l, struct str account, struct str name)
{
    size_t it = 0;
    struct str text;
    void *value;
    while (map_each(&l->changing, &it, &text, &value)) {
        struct lambda_key key;
        if (lambda_key_parse(text, &key) == ST_OK && str_eq(key.account, account) &&
            str_eq(key.name, name)) {
            return true;
        }
    }
    return false;
}

static bool sweep_function(struct lambda *l, struct str account, struct str name)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SWEEP_ARENA_MAX);
    bool any = false;
    size_t n;
    const char *folder = arena_printf(a, "%s/%.*s/%.*s", l->dir, STR_ARG(account), STR_ARG(name)).p;
    if (is_changing(l, account, name)) {
        return false;
    }
    struct str *entries = names_in(a, folder, &n);
    for (size_t i = 0; i < n; i++) {
        if (!is_used(l, account, name, entries[i])) {
            any = to_trash(l, arena_printf(a, "%s/%.*s", folder, STR_ARG(entries[i])).p) || any;
        }
    }
    (void)rmdir(folder); /* succeeds when nothing is left in it */
    return any;
}

struct sweep {
    struct lambda *l;
    struct lambda_key key;
};

static void sweep_committed(void *arg, bool committed)
{
    struct sweep *sweep = arg;
    if (committed && sweep_function(sweep->l, sweep->key.account, sweep->key.name)) {
        empty_trash(sweep->l);
    }
}

void lambda_package_sweep(struct lambda *l, const struct lambda_key *key)
{
    struct arena *a = core_pass_arena(l->core);
    struct sweep *sweep = ARENA_NEW(a, struct sweep);
    *sweep = (struct sweep){
        l, { arena_str(a, key->account), arena_str(a, key->region), arena_str(a, key->name) }
    };
    core_after_commit(l->core, sweep_committed, sweep);
}

void lambda_package_sweep_all(struct lambda *l)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(SWEEP_ARENA_MAX);
    size_t n_accounts;
    struct str *accounts = names_in(a, l->dir, &n_accounts);
    for (size_t i = 0; i < n_accounts; i++) {
        if (accounts[i].p[0] == '.') {
            continue; /* ours: the bootstrap, the trash */
        }
        size_t n;
        const char *dir = arena_printf(a, "%s/%.*s", l->dir, STR_ARG(accounts[i])).p;
        struct str *names = names_in(a, dir, &n);
        for (size_t j = 0; j < n; j++) {
            (void)sweep_function(l, accounts[i], names[j]);
        }
        (void)rmdir(dir);
    }
    empty_trash(l);
}

void lambda_package_remove_all(struct lambda *l)
{
    lambda_package_sweep_all(l); /* the tables are empty: nothing is used */
}
