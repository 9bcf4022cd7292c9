/* In memory, an item is a header, its key and its row in one piece of a block; an array of
 * {prefix, pointer} is sorted. On disk it is the same piece. When anything went to disk, the rest
 * in memory becomes the last run, and all runs are merged through a heap of cursors. */
#include "emulators/glue/merge/merge_sort.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "server/base/mem.h"

#define BLOCK_BYTES (4u << 20)
#define RUN_WINDOW_BYTES (64u << 10)
#define PREFETCH 8u /* items whose pieces are fetched ahead: they lie in arrival order */
#define WRITE_BYTES (256u << 10)

struct piece {
    uint64_t seq;
    uint32_t key_n;
    uint32_t row_n;
    uint32_t kind;
    uint32_t total; /* this header, key, row and padding to 8 */
};

struct entry {
    uint64_t prefix;
    const struct piece *piece;
};

struct block {
    struct block *next;
    size_t used;
    size_t cap;
    unsigned char bytes[] __attribute__((aligned(8)));
};

/* Reads one run. */
struct cursor {
    off_t at; /* in the file, of the next bytes to read */
    off_t end;
    unsigned char *win;
    size_t cap;
    size_t begin;
    size_t fill;
    struct sort_item item;
};

struct merge_sort {
    struct merge_env *env;
    uint64_t limit;
    uint64_t used; /* bytes of pieces and entries in memory */
    struct block *blocks;
    struct entry *entries;
    size_t n;
    size_t cap;
    bool sorted; /* entries arrived in order */
    int fd;      /* the runs; -1: none */
    off_t file_end;
    struct cursor *runs;
    size_t n_runs;
    size_t cap_runs;
    size_t *heap; /* indexes of runs, the smallest item first */
    size_t n_heap;
    size_t next;           /* in memory: entry to give out */
    struct sort_item item; /* in memory */
    uint64_t left;
};

static const unsigned char *piece_key(const struct piece *p)
{
    return (const unsigned char *)(p + 1);
}

static struct sort_item piece_item(const struct piece *p)
{
    return (struct sort_item){
        .key = piece_key(p),
        .key_n = p->key_n,
        .prefix = merge_key_prefix(piece_key(p), p->key_n),
        .seq = p->seq,
        .kind = (enum merge_kind)p->kind,
        .row = { (const char *)piece_key(p) + p->key_n, p->row_n },
    };
}

static int compare_bytes(const unsigned char *a, size_t an, const unsigned char *b, size_t bn)
{
    int c = memcmp(a, b, an < bn ? an : bn);
    return c ? c : (an > bn) - (an < bn);
}

static int compare_entries(const void *va, const void *vb)
{
    const struct entry *a = va;
    const struct entry *b = vb;
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix ? -1 : 1;
    }
    int c =
        compare_bytes(piece_key(a->piece), a->piece->key_n, piece_key(b->piece), b->piece->key_n);
    return c ? c : (a->piece->seq > b->piece->seq) - (a->piece->seq < b->piece->seq);
}

static bool item_before(const struct sort_item *a, const struct sort_item *b)
{
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix;
    }
    int c = compare_bytes(a->key, a->key_n, b->key, b->key_n);
    return c ? c < 0 : a->seq < b->seq;
}

struct merge_sort *merge_sort_new(struct merge_env *env)
{
    struct merge_sort *s = xcalloc(1, sizeof *s);
    s->env = env;
    s->fd = -1;
    s->sorted = true;
    s->limit = env->job->spec.memory_bytes ? env->job->spec.memory_bytes : MERGE_MEMORY_BYTES;
    return s;
}

static void free_blocks(struct merge_sort *s)
{
    while (s->blocks) {
        struct block *b = s->blocks;
        s->blocks = b->next;
        free(b);
    }
}

void merge_sort_free(struct merge_sort *s)
{
    if (!s) {
        return;
    }
    free_blocks(s);
    free(s->entries);
    for (size_t i = 0; i < s->n_runs; i++) {
        free(s->runs[i].win);
    }
    free(s->runs);
    free(s->heap);
    if (s->fd >= 0) {
        close(s->fd);
    }
    free(s);
}

/* --- adding -------------------------------------------------------------------------------- */

static enum status disk_failed(struct merge_sort *s, const char *what)
{
    const char *why = strerrordesc_np(errno);
    const char *dir = s->env->job->spec.tmp_dir;
    return merge_fail(s->env, ST_IO, STR_NONE, 0, "sorting on disk in %s: %s: %s",
                      dir ? dir : "/tmp", what, why ? why : "unknown error");
}

static enum status open_runs(struct merge_sort *s)
{
    const char *dir = s->env->job->spec.tmp_dir;
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
    return s->fd >= 0 ? ST_OK : disk_failed(s, "no temporary file");
}

static enum status write_all(struct merge_sort *s, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t put = pwrite(s->fd, at, n, s->file_end);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return disk_failed(s, "write");
        }
        at += put;
        n -= (size_t)put;
        s->file_end += put;
    }
    return ST_OK;
}

static void sort_entries(struct merge_sort *s)
{
    if (!s->sorted) {
        qsort(s->entries, s->n, sizeof *s->entries, compare_entries);
        s->sorted = true;
    }
}

static enum status write_entries(struct merge_sort *s)
{
    char *out = xmalloc(WRITE_BYTES);
    size_t n = 0;
    enum status st = ST_OK;
    for (size_t i = 0; i < s->n && st == ST_OK; i++) {
        const struct piece *p = s->entries[i].piece;
        if (n + p->total > WRITE_BYTES) {
            st = write_all(s, out, n);
            n = 0;
        }
        if (st == ST_OK && p->total > WRITE_BYTES) {
            st = write_all(s, p, p->total);
        } else {
            memcpy(out + n, p, p->total);
            n += p->total;
        }
    }
    if (st == ST_OK) {
        st = write_all(s, out, n);
    }
    free(out);
    return st;
}

/* Writes what is in memory as one run and forgets it. */
static enum status spill(struct merge_sort *s)
{
    if (s->n == 0) {
        return ST_OK;
    }
    enum status st = s->fd >= 0 ? ST_OK : open_runs(s);
    if (st != ST_OK) {
        return st;
    }
    sort_entries(s);
    struct cursor c = { .at = s->file_end };
    st = write_entries(s);
    if (st != ST_OK) {
        return st;
    }
    c.end = s->file_end;
    if (s->n_runs == s->cap_runs) {
        s->cap_runs = s->cap_runs ? s->cap_runs * 2 : 16;
        s->runs = xrealloc(s->runs, s->cap_runs * sizeof *s->runs);
    }
    s->runs[s->n_runs++] = c;
    free_blocks(s);
    s->n = 0;
    s->used = 0;
    return ST_OK;
}

static struct piece *new_piece(struct merge_sort *s, size_t total)
{
    struct block *b = s->blocks;
    if (!b || b->cap - b->used < total) {
        size_t cap = total > BLOCK_BYTES ? total : BLOCK_BYTES;
        b = xmalloc(sizeof *b + cap);
        b->next = s->blocks;
        b->used = 0;
        b->cap = cap;
        s->blocks = b;
    }
    struct piece *p = (struct piece *)(void *)(b->bytes + b->used);
    b->used += total;
    return p;
}

static void push_entry(struct merge_sort *s, struct entry e)
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

enum status merge_sort_add(struct merge_sort *s, const struct merge_key *key, uint64_t seq,
                           enum merge_kind kind, struct str row)
{
    size_t total = (sizeof(struct piece) + key->n + row.n + 7) & ~(size_t)7;
    if (total > UINT32_MAX) {
        return merge_fail(s->env, ST_NOMEM, STR_NONE, 0, "a row is too long to be sorted");
    }
    if (s->n > 0 && s->used + total + sizeof(struct entry) > s->limit) {
        enum status st = spill(s);
        if (st != ST_OK) {
            return st;
        }
    }
    struct piece *p = new_piece(s, total);
    *p = (struct piece){ .seq = seq,
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
    push_entry(s, (struct entry){ key->prefix, p });
    s->used += total + sizeof(struct entry);
    s->left += row.n + 1;
    return ST_OK;
}

/* --- taking -------------------------------------------------------------------------------- */

/* At least `need` bytes of the run in its window. */
static enum status cursor_need(struct merge_sort *s, struct cursor *c, size_t need)
{
    if (c->fill - c->begin >= need) {
        return ST_OK;
    }
    if (c->fill > c->begin && c->begin > 0) {
        memmove(c->win, c->win + c->begin, c->fill - c->begin);
    }
    c->fill -= c->begin;
    c->begin = 0;
    if (c->cap < need) {
        c->cap = need > RUN_WINDOW_BYTES ? need : RUN_WINDOW_BYTES;
        c->win = xrealloc(c->win, c->cap);
    }
    while (c->fill < need) {
        size_t want = c->cap - c->fill;
        if ((off_t)want > c->end - c->at) {
            want = (size_t)(c->end - c->at);
        }
        ssize_t got = pread(s->fd, c->win + c->fill, want, c->at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return disk_failed(s, "read");
        }
        c->fill += (size_t)got;
        c->at += got;
    }
    return ST_OK;
}

/* Loads the cursor's next item; *ret_end when its run is used up. */
static enum status cursor_next(struct merge_sort *s, struct cursor *c, bool *ret_end)
{
    *ret_end = c->begin == c->fill && c->at == c->end;
    if (*ret_end) {
        free(TAKE(c->win));
        c->cap = c->begin = c->fill = 0;
        return ST_OK;
    }
    enum status st = cursor_need(s, c, sizeof(struct piece));
    if (st != ST_OK) {
        return st;
    }
    struct piece head;
    memcpy(&head, c->win + c->begin, sizeof head);
    st = cursor_need(s, c, head.total);
    if (st != ST_OK) {
        return st;
    }
    c->item = piece_item((const struct piece *)(const void *)(c->win + c->begin));
    c->begin += head.total;
    return ST_OK;
}

static bool heap_before(const struct merge_sort *s, size_t i, size_t j)
{
    return item_before(&s->runs[s->heap[i]].item, &s->runs[s->heap[j]].item);
}

static void sift_down(struct merge_sort *s, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < s->n_heap; child++) {
            if (heap_before(s, child, least)) {
                least = child;
            }
        }
        if (least == i) {
            return;
        }
        size_t t = s->heap[i];
        s->heap[i] = s->heap[least];
        s->heap[least] = t;
        i = least;
    }
}

static enum status start_runs(struct merge_sort *s)
{
    enum status st = spill(s);
    free(TAKE(s->entries));
    s->heap = xcalloc(s->n_runs, sizeof *s->heap);
    for (size_t i = 0; i < s->n_runs && st == ST_OK; i++) {
        bool end = false;
        st = cursor_next(s, &s->runs[i], &end);
        s->heap[s->n_heap++] = i;
    }
    for (size_t i = s->n_heap; i > 0 && st == ST_OK; i--) {
        sift_down(s, i - 1);
    }
    return st;
}

enum status merge_sort_start(struct merge_sort *s)
{
    if (s->n_runs > 0) {
        return start_runs(s);
    }
    sort_entries(s);
    if (s->n > 0) {
        s->item = piece_item(s->entries[0].piece);
    }
    return ST_OK;
}

const struct sort_item *merge_sort_peek(const struct merge_sort *s)
{
    if (s->n_runs > 0) {
        return s->n_heap > 0 ? &s->runs[s->heap[0]].item : NULL;
    }
    return s->next < s->n ? &s->item : NULL;
}

enum status merge_sort_take(struct merge_sort *s)
{
    const struct sort_item *top = merge_sort_peek(s);
    if (!top) {
        return ST_OK;
    }
    s->left -= top->row.n + 1;
    if (s->n_runs == 0) {
        if (++s->next < s->n) {
            if (s->next + PREFETCH < s->n) {
                __builtin_prefetch(s->entries[s->next + PREFETCH].piece);
            }
            s->item = piece_item(s->entries[s->next].piece);
        }
        return ST_OK;
    }
    bool end = false;
    enum status st = cursor_next(s, &s->runs[s->heap[0]], &end);
    if (st == ST_OK && end) {
        s->heap[0] = s->heap[--s->n_heap];
    }
    if (st == ST_OK && s->n_heap > 0) {
        sift_down(s, 0);
    }
    return st;
}

uint64_t merge_sort_left(const struct merge_sort *s)
{
    return s->left;
}

size_t merge_sort_runs(const struct merge_sort *s)
{
    return s->n_runs;
}
