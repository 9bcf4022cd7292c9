/* What HTTP threads remember of buckets, since nearly every request begins with the question
 * whether its bucket exists. Each thread has a memory of its own, all of which ends when the
 * generation changes: after the commit of any change to the table of buckets and before that is
 * answered. So a thread never answers from older rows than its own query would see: the generation
 * is read before the query that fills a slot. */
#include "emulators/s3/s3_known.h"

#include <stdatomic.h>

#include "server/core.h"

#define KNOWN_SLOTS 8
#define KNOWN_TEXT_MAX 160 /* name, account and region together; longer ones are not remembered */

struct known {
    const struct core *core;
    uint64_t generation; /* 0: an empty slot */
    size_t name_n, account_n, region_n;
    int64_t created_ms;
    char text[KNOWN_TEXT_MAX];
};

static _Thread_local struct known slots[KNOWN_SLOTS];
static _Thread_local unsigned next_slot;
static atomic_ullong generation = 1;

void s3_buckets_changed(void)
{
    atomic_fetch_add(&generation, 1);
}

static void after_commit(void *arg, bool committed)
{
    (void)arg;
    (void)committed; /* forgetting too much does no harm */
    s3_buckets_changed();
}

void s3_buckets_will_change(struct core *core)
{
    core_after_commit(core, after_commit, NULL);
}

static const struct known *find(const struct core *core, uint64_t now, struct str name)
{
    for (size_t i = 0; i < KNOWN_SLOTS; i++) {
        const struct known *k = &slots[i];
        if (k->generation == now && k->core == core && k->name_n == name.n &&
            memcmp(k->text, name.p, name.n) == 0) {
            return k;
        }
    }
    return NULL;
}

static void remember(const struct core *core, uint64_t now, const struct s3_bucket_row *row)
{
    if (row->name.n + row->account.n + row->region.n > KNOWN_TEXT_MAX) {
        return;
    }
    struct known *k = &slots[next_slot];
    next_slot = (next_slot + 1) % KNOWN_SLOTS;
    *k = (struct known){ .core = core,
                         .generation = now,
                         .name_n = row->name.n,
                         .account_n = row->account.n,
                         .region_n = row->region.n,
                         .created_ms = row->created_ms };
    char *to = k->text;
    const struct str parts[] = { row->name, row->account, row->region };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
}

enum status s3_known_bucket(const struct core *core, struct db *db, struct arena *a,
                            struct str name, struct s3_bucket_row *ret)
{
    uint64_t now = atomic_load(&generation);
    const struct known *k = str_empty(name) ? NULL : find(core, now, name);
    if (k) {
        /* one copy: the slot may be taken while the call lives */
        const char *text =
            arena_str(a, (struct str){ k->text, k->name_n + k->account_n + k->region_n }).p;
        *ret = (struct s3_bucket_row){
            .name = { text, k->name_n },
            .account = { text + k->name_n, k->account_n },
            .region = { text + k->name_n + k->account_n, k->region_n },
            .created_ms = k->created_ms,
        };
        return ST_OK;
    }
    enum status st = s3_store_bucket(db, a, name, ret);
    if (st == ST_OK) {
        remember(core, now, ret);
    }
    return st;
}
