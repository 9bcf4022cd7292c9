/* A shard keeps pieces in blocks as they arrive and sorts an array of {prefix, pointer}. On disk
 * the pieces stand one after the other in order; now and then a mark is kept, so that a reader of a
 * range need not begin at the start. */
#include "emulators/glue/merge/merge_sort.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/base/mem.h"

#define HUGE_PAGE (2u << 20)
#define BLOCK_BYTES (HUGE_PAGE - sizeof(struct sort_block))
#define WRITE_BYTES (256u << 10)

struct sort_block {
    struct sort_block *next;
    size_t used;
    size_t cap;
    unsigned char bytes[] __attribute__((aligned(8)));
};

static int compare_entries(const void *va, const void *vb)
{
    const struct sort_entry *a = va;
    const struct sort_entry *b = vb;
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix ? -1 : 1;
    }
    const struct sort_piece *p = a->piece;
    const struct sort_piece *q = b->piece;
    int c = memcmp(sort_piece_key(p), sort_piece_key(q), p->key_n < q->key_n ? p->key_n : q->key_n);
    if (c == 0) {
        c = (p->key_n > q->key_n) - (p->key_n < q->key_n);
    }
    return c ? c : (p->seq > q->seq) - (p->seq < q->seq);
}

void merge_sort_pool_init(struct sort_pool *pool, const struct merge_env *env, size_t n_shards)
{
    uint64_t limit = env->job->spec.memory_bytes;
    pool->limit = limit ? limit : MERGE_MEMORY_BYTES;
    pool->share = pool->limit / (2 * n_shards);
    atomic_init(&pool->used, 0);
}

void merge_sort_init(struct merge_sort *s, struct sort_pool *pool)
{
    *s = (struct merge_sort){ .pool = pool, .fd = -1, .sorted = true };
}

static void free_blocks(struct merge_sort *s)
{
    while (s->blocks) {
        struct sort_block *b = s->blocks;
        s->blocks = b->next;
        free(b);
    }
}

void merge_sort_fini(struct merge_sort *s)
{
    free_blocks(s);
    free(s->entries);
    for (size_t i = 0; i < s->n_runs; i++) {
        free(s->runs[i].mark);
    }
    free(s->runs);
    close_fd(&s->fd);
    *s = (struct merge_sort){ .fd = -1 };
}

enum status merge_sort_disk_failed(struct merge_env *env, const char *what)
{
    const char *why = strerrordesc_np(errno);
    const char *dir = env->job->spec.tmp_dir;
    return merge_fail(env, ST_IO, STR_NONE, 0, "sorting on disk in %s: %s: %s", dir ? dir : "/tmp",
                      what, why ? why : "unknown error");
}

static enum status open_runs(struct merge_sort *s, struct merge_env *env)
{
    const char *dir = env->job->spec.tmp_dir;
    dir = dir ? dir : "/tmp";
    s->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        char *path = xasprintf("%s/merge-XXXXXX", dir);
        s->fd = mkostemp(path, O_CLOEXEC);
        if (s->fd >= 0) {
            unlink(path);
        }
        free(path);
    }
    return s->fd >= 0 ? ST_OK : merge_sort_disk_failed(env, "no temporary file");
}

static enum status write_all(struct merge_sort *s, struct merge_env *env, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t put = pwrite(s->fd, at, n, s->file_end);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return merge_sort_disk_failed(env, "write");
        }
        at += put;
        n -= (size_t)put;
        s->file_end += put;
    }
    return ST_OK;
}

/* Sorts by one byte of the prefix, keeping the order of equals. */
static void radix_pass(const struct sort_entry *from, struct sort_entry *to, size_t n,
                       unsigned shift)
{
    size_t at[256] = { 0 };
    for (size_t i = 0; i < n; i++) {
        at[(from[i].prefix >> shift) & 0xff]++;
    }
    size_t sum = 0;
    for (unsigned b = 0; b < 256; b++) {
        size_t count = at[b];
        at[b] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++) {
        to[at[(from[i].prefix >> shift) & 0xff]++] = from[i];
    }
}

/* Longer keys with one prefix, which are in order of arrival, into full order. */
static void sort_ties(struct sort_entry *e, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t to = i + 1;
        bool whole = e[i].piece->key_n <= sizeof e[i].prefix;
        for (; to < n && e[to].prefix == e[i].prefix; to++) {
            whole = whole && e[to].piece->key_n == e[i].piece->key_n;
        }
        if (!whole && to - i > 1) {
            qsort(e + i, to - i, sizeof *e, compare_entries);
        }
        i = to;
    }
}

/* A shard's rows arrive in the order of their seq, which a stable sort keeps among equal keys. */
static void sort_entries(struct merge_sort *s)
{
    uint64_t differ = 0;
    for (size_t i = 1; i < s->n && !s->sorted; i++) {
        differ |= s->entries[i].prefix ^ s->entries[0].prefix;
    }
    if (s->sorted) {
        return;
    }
    struct sort_entry *from = s->entries;
    struct sort_entry *to = xmalloc(s->n * sizeof *to);
    s->cap = s->n;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if ((differ >> shift) & 0xff) {
            radix_pass(from, to, s->n, shift);
            struct sort_entry *t = from;
            from = to;
            to = t;
        }
    }
    free(to);
    s->entries = from;
    sort_ties(s->entries, s->n);
    s->sorted = true;
}

static void mark_run(struct sort_run *run, uint64_t prefix, off_t at)
{
    if (run->n_marks == run->cap_marks) {
        run->cap_marks = run->cap_marks ? run->cap_marks * 2 : 64;
        run->mark = xrealloc(run->mark, run->cap_marks * sizeof *run->mark);
    }
    run->mark[run->n_marks++] = (struct sort_mark){ prefix, at };
}

static enum status write_entries(struct merge_sort *s, struct merge_env *env, struct sort_run *run)
{
    char *out = xmalloc(WRITE_BYTES);
    size_t n = 0;
    enum status st = ST_OK;
    for (size_t i = 0; i < s->n && st == ST_OK; i++) {
        const struct sort_piece *p = s->entries[i].piece;
        if (n + p->total > WRITE_BYTES) {
            st = write_all(s, env, out, n);
            n = 0;
        }
        if (n == 0 && st == ST_OK) {
            mark_run(run, s->entries[i].prefix, s->file_end);
        }
        if (st == ST_OK && p->total > WRITE_BYTES) {
            st = write_all(s, env, p, p->total);
        } else {
            memcpy(out + n, p, p->total);
            n += p->total;
        }
    }
    if (st == ST_OK) {
        st = write_all(s, env, out, n);
    }
    free(out);
    return st;
}

/* Writes what is in memory as one run and forgets it. */
static enum status spill(struct merge_sort *s, struct merge_env *env)
{
    enum status st = s->fd >= 0 ? ST_OK : open_runs(s, env);
    if (st != ST_OK) {
        return st;
    }
    sort_entries(s);
    if (s->n_runs == s->cap_runs) {
        s->cap_runs = s->cap_runs ? s->cap_runs * 2 : 16;
        s->runs = xrealloc(s->runs, s->cap_runs * sizeof *s->runs);
    }
    struct sort_run *run = &s->runs[s->n_runs++];
    *run = (struct sort_run){ .begin = s->file_end };
    st = write_entries(s, env, run);
    run->end = s->file_end;
    if (st != ST_OK) {
        return st;
    }
    free_blocks(s);
    atomic_fetch_sub(&s->pool->used, s->used);
    s->n = 0;
    s->used = s->row_bytes = 0;
    return ST_OK;
}

/* Pieces are read in another order than that in which they lie: with huge pages, if the system has
 * any to spare, that costs far fewer misses of the address cache. */
static struct sort_block *new_block(size_t bytes)
{
    void *p = aligned_alloc(HUGE_PAGE, (bytes + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1));
    if (!p) {
        return xmalloc(bytes);
    }
    if (madvise(p, bytes, MADV_HUGEPAGE) != 0) {
        errno = 0; /* no matter */
    }
    return p;
}

static struct sort_piece *new_piece(struct merge_sort *s, size_t total)
{
    struct sort_block *b = s->blocks;
    if (!b || b->cap - b->used < total) {
        size_t cap = total > BLOCK_BYTES ? total : BLOCK_BYTES;
        b = new_block(sizeof *b + cap);
        b->next = s->blocks;
        b->used = 0;
        b->cap = cap;
        s->blocks = b;
    }
    struct sort_piece *p = (struct sort_piece *)(void *)(b->bytes + b->used);
    b->used += total;
    return p;
}

static void push_entry(struct merge_sort *s, struct sort_entry e)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap + s->cap / 2 : 4096;
        s->entries = xrealloc(s->entries, cap * sizeof *s->entries);
        s->cap = cap;
    }
    if (s->n > 0 && s->sorted && compare_entries(&s->entries[s->n - 1], &e) > 0) {
        s->sorted = false;
    }
    s->entries[s->n++] = e;
}

enum status merge_sort_add(struct merge_sort *s, struct merge_env *env, const struct merge_key *key,
                           uint64_t seq, enum merge_kind kind, struct str row)
{
    size_t total = (sizeof(struct sort_piece) + key->n + row.n + 7) & ~(size_t)7;
    if (total > UINT32_MAX) {
        return merge_fail(env, ST_NOMEM, STR_NONE, 0, "a row is too long to be sorted");
    }
    uint64_t cost = total + sizeof(struct sort_entry);
    uint64_t all = atomic_fetch_add_explicit(&s->pool->used, cost, memory_order_relaxed) + cost;
    if (s->n > 0 && all > s->pool->limit && s->used + cost > s->pool->share) {
        enum status st = spill(s, env);
        if (st != ST_OK) {
            return st;
        }
    }
    struct sort_piece *p = new_piece(s, total);
    *p = (struct sort_piece){ .seq = seq,
                              .key_n = (uint32_t)key->n,
                              .row_n = (uint32_t)row.n,
                              .kind = (uint32_t)kind,
                              .total = (uint32_t)total };
    unsigned char *body = (unsigned char *)(p + 1);
    memcpy(body, key->p, key->n);
    if (row.n > 0) {
        memcpy(body + key->n, row.p, row.n);
    }
    memset(body + key->n + row.n, 0, total - sizeof *p - key->n - row.n);
    push_entry(s, (struct sort_entry){ key->prefix, p });
    s->used += cost;
    s->row_bytes += row.n + 1;
    return ST_OK;
}

void merge_sort_finish(struct merge_sort *s)
{
    sort_entries(s);
}
