/* A heap of cursors: one per shard for what it has in memory, one per run on disk. */
#include "emulators/glue/merge/merge_stream.h"

#include <errno.h>
#include <unistd.h>

#include "server/base/mem.h"

#define RUN_WINDOW_BYTES (64u << 10)
#define PREFETCH 12u /* items whose pieces are fetched ahead: they lie in arrival order */

struct stream_cursor {
    struct sort_item item;
    /* in memory: */
    const struct sort_entry *entry; /* the item's; NULL: a run */
    const struct sort_entry *entry_end;
    uint64_t row_bytes; /* average */
    /* on disk: */
    int fd;
    off_t at; /* of the next bytes to read */
    off_t end;
    unsigned char *win;
    size_t cap;
    size_t begin;
    size_t fill;
};

static struct sort_item piece_item(const struct sort_piece *p, uint64_t prefix, bool stays)
{
    return (struct sort_item){
        .key = sort_piece_key(p),
        .key_n = p->key_n,
        .prefix = prefix,
        .seq = p->seq,
        .kind = (enum merge_kind)p->kind,
        .stays = stays,
        .row = { (const char *)sort_piece_key(p) + p->key_n, p->row_n },
    };
}

static int compare_keys(uint64_t prefix, const unsigned char *p, size_t n,
                        const struct merge_key *k)
{
    if (prefix != k->prefix) {
        return prefix < k->prefix ? -1 : 1;
    }
    int c = memcmp(p, k->p, n < k->n ? n : k->n);
    return c ? c : (n > k->n) - (n < k->n);
}

static bool item_before(const struct sort_item *a, const struct sort_item *b)
{
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix;
    }
    int c = memcmp(a->key, b->key, a->key_n < b->key_n ? a->key_n : b->key_n);
    if (c == 0) {
        c = (a->key_n > b->key_n) - (a->key_n < b->key_n);
    }
    return c ? c < 0 : a->seq < b->seq;
}

/* --- in memory ------------------------------------------------------------------------------- */

/* The first entry whose key is not below k. */
static const struct sort_entry *lower_bound(const struct merge_sort *shard,
                                            const struct merge_key *k)
{
    size_t from = 0;
    size_t to = shard->n;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        const struct sort_entry *e = &shard->entries[mid];
        if (compare_keys(e->prefix, sort_piece_key(e->piece), e->piece->key_n, k) < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return shard->entries + from;
}

static void memory_item(struct stream_cursor *c)
{
    if (c->entry < c->entry_end) {
        if ((size_t)(c->entry_end - c->entry) > PREFETCH) {
            __builtin_prefetch(c->entry[PREFETCH].piece);
            __builtin_prefetch((const char *)c->entry[PREFETCH].piece + 64);
        }
        c->item = piece_item(c->entry->piece, c->entry->prefix, true);
    }
}

/* --- on disk --------------------------------------------------------------------------------- */

/* At least `need` bytes of the run in its window. */
static enum status cursor_need(struct merge_env *env, struct stream_cursor *c, size_t need)
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
        ssize_t got = pread(c->fd, c->win + c->fill, want, c->at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return merge_sort_disk_failed(env, "read");
        }
        c->fill += (size_t)got;
        c->at += got;
    }
    return ST_OK;
}

/* Loads the run's next item; *ret_end when it is used up. */
static enum status run_item(struct merge_env *env, struct stream_cursor *c, bool *ret_end)
{
    *ret_end = c->begin == c->fill && c->at == c->end;
    if (*ret_end) {
        return ST_OK;
    }
    enum status st = cursor_need(env, c, sizeof(struct sort_piece));
    if (st != ST_OK) {
        return st;
    }
    struct sort_piece head;
    memcpy(&head, c->win + c->begin, sizeof head);
    st = cursor_need(env, c, head.total);
    if (st != ST_OK) {
        return st;
    }
    const struct sort_piece *p = (const struct sort_piece *)(const void *)(c->win + c->begin);
    c->item = piece_item(p, merge_key_prefix(sort_piece_key(p), p->key_n), false);
    c->begin += head.total;
    return ST_OK;
}

/* Where a reader of keys from k on may begin. */
static off_t run_start(const struct sort_run *run, const struct merge_key *k)
{
    size_t from = 0;
    size_t to = run->n_marks;
    while (from < to) { /* the last mark whose prefix is below k's */
        size_t mid = from + (to - from) / 2;
        if (run->mark[mid].prefix < k->prefix) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from > 0 ? run->mark[from - 1].at : run->begin;
}

/* --- both ------------------------------------------------------------------------------------ */

/* Goes to the cursor's next item; *ret_end when there is none in the range. */
static enum status cursor_next(struct merge_stream *s, struct stream_cursor *c, bool *ret_end)
{
    if (c->entry) {
        c->entry++;
        *ret_end = c->entry == c->entry_end;
        memory_item(c);
        return ST_OK;
    }
    enum status st = run_item(s->env, c, ret_end);
    if (st == ST_OK && !*ret_end && s->upper) {
        *ret_end = compare_keys(c->item.prefix, c->item.key, c->item.key_n, s->upper) >= 0;
    }
    return st;
}

static enum status open_run(struct merge_stream *s, struct stream_cursor *c, int fd,
                            const struct sort_run *run, const struct merge_key *lower,
                            bool *ret_end)
{
    *c = (struct stream_cursor){ .fd = fd, .at = run->begin, .end = run->end };
    if (lower) {
        c->at = run_start(run, lower);
    }
    enum status st;
    do {
        st = cursor_next(s, c, ret_end);
    } while (st == ST_OK && !*ret_end && lower &&
             compare_keys(c->item.prefix, c->item.key, c->item.key_n, lower) < 0);
    return st;
}

static bool heap_before(const struct merge_stream *s, size_t i, size_t j)
{
    return item_before(&s->cursor[s->heap[i]].item, &s->cursor[s->heap[j]].item);
}

static void sift_down(struct merge_stream *s, size_t i)
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

static enum status open_shard(struct merge_stream *s, const struct merge_sort *shard,
                              const struct merge_key *lower)
{
    struct stream_cursor *c = &s->cursor[s->n];
    if (shard->n > 0) {
        c->entry = lower ? lower_bound(shard, lower) : shard->entries;
        c->entry_end = s->upper ? lower_bound(shard, s->upper) : shard->entries + shard->n;
        c->row_bytes = shard->row_bytes / shard->n;
        if (c->entry < c->entry_end) {
            memory_item(c);
            s->heap[s->n_heap++] = s->n++;
        }
    }
    for (size_t i = 0; i < shard->n_runs; i++) {
        bool end = false;
        c = &s->cursor[s->n++];
        enum status st = open_run(s, c, shard->fd, &shard->runs[i], lower, &end);
        if (st != ST_OK) {
            return st;
        }
        if (!end) {
            s->heap[s->n_heap++] = s->n - 1;
        }
    }
    return ST_OK;
}

enum status merge_stream_open(struct merge_stream *s, struct merge_env *env,
                              const struct merge_sort *shard, size_t n_shards,
                              const struct merge_key *lower, const struct merge_key *upper)
{
    *s = (struct merge_stream){ .env = env, .upper = upper };
    size_t n = 0;
    for (size_t i = 0; i < n_shards; i++) {
        n += 1 + shard[i].n_runs;
    }
    s->cursor = xcalloc(n, sizeof *s->cursor);
    s->heap = xcalloc(n, sizeof *s->heap);
    for (size_t i = 0; i < n_shards; i++) {
        enum status st = open_shard(s, &shard[i], lower);
        if (st != ST_OK) {
            return st;
        }
    }
    for (size_t i = s->n_heap; i > 0; i--) {
        sift_down(s, i - 1);
    }
    return ST_OK;
}

void merge_stream_close(struct merge_stream *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->cursor[i].win);
    }
    free(s->cursor);
    free(s->heap);
    *s = (struct merge_stream){ 0 };
}

const struct sort_item *merge_stream_peek(const struct merge_stream *s)
{
    return s->n_heap > 0 ? &s->cursor[s->heap[0]].item : NULL;
}

enum status merge_stream_take(struct merge_stream *s)
{
    if (s->n_heap == 0) {
        return ST_OK;
    }
    struct stream_cursor *c = &s->cursor[s->heap[0]];
    bool end = false;
    enum status st = cursor_next(s, c, &end);
    if (st == ST_OK && end) {
        free(TAKE(c->win));
        s->heap[0] = s->heap[--s->n_heap];
    }
    if (st == ST_OK && s->n_heap > 1) {
        sift_down(s, 0);
    }
    return st;
}

uint64_t merge_stream_left(const struct merge_stream *s)
{
    uint64_t left = 0;
    for (size_t i = 0; i < s->n_heap; i++) {
        const struct stream_cursor *c = &s->cursor[s->heap[i]];
        if (c->entry) {
            left += (uint64_t)(c->entry_end - c->entry) * c->row_bytes;
        } else {
            left += (uint64_t)(c->end - c->at) + (c->fill - c->begin) + c->item.row.n;
        }
    }
    return left;
}
