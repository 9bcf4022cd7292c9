/* The sink of `cistern merge`, and the switch to what it wrote. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/glue/merge_dir.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define MANIFEST_BYTES (512u << 20)
#define NAME_BYTES 96 /* of a hidden name */

/* A part being written, or written and not yet published. */
struct new_part {
    int fd;
    char name[NAME_BYTES];
    int64_t mtime_ns;
};

/* --- the sink: any thread of the merge -------------------------------------------------------- */

static enum status open_part(void *ctx, int *ret_fd, void **ret_handle)
{
    struct merge_dir *d = ctx;
    struct new_part *p = xcalloc(1, sizeof *p);
    snprintf(p->name, sizeof p->name, MERGE_DIR_HIDDEN "%.*s-%u.tmp", STR_ARG(d->uuid),
             atomic_fetch_add(&d->next, 1));
    p->fd = openat(d->fd, p->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (p->fd < 0) {
        free(p);
        return ST_IO;
    }
    *ret_fd = p->fd;
    *ret_handle = p;
    return ST_OK;
}

static enum status finish_part(void *ctx, void *handle, const struct merge_part_info *info)
{
    struct merge_dir *d = ctx;
    struct new_part *p = handle;
    struct stat s;
    bool ok = (!d->sync || fsync(p->fd) == 0) && fstat(p->fd, &s) == 0 &&
              (uint64_t)s.st_size == info->bytes;
    ok = close(p->fd) == 0 && ok;
    p->fd = -1;
    if (ok) {
        p->mtime_ns = (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
    }
    return ok ? ST_OK : ST_IO;
}

static void discard_part(void *ctx, void *handle)
{
    struct merge_dir *d = ctx;
    struct new_part *p = handle;
    close_fd(&p->fd);
    unlinkat(d->fd, p->name, 0); /* what stays in spite of that, the next run clears away */
    free(p);
}

struct merge_sink merge_dir_sink(struct merge_dir *d)
{
    return (struct merge_sink){ d, open_part, finish_part, discard_part, NULL };
}

void merge_dir_discard(struct merge_dir *d, struct merge_result *result)
{
    for (size_t i = 0; i < result->n_written; i++) {
        discard_part(d, TAKE(result->written[i].handle));
    }
}

/* --- names ---------------------------------------------------------------------------------------
 * A new part is numbered on from the one before it, but not beyond the next old one; all parts of
 * one number that are not as before are renamed together, counted by cMMM. So the order of the
 * names stays that of the keys, while most untouched parts keep theirs. */

struct slot {
    const struct merge_part_info *info;
    struct new_part *made; /* NULL: kept */
    size_t old;            /* of a kept part */
    uint64_t number;
    struct merge_dir_entry entry;
};

/* NNNNN of a name as Spark gives them; false: another name. */
static bool part_number(struct str name, uint64_t *ret)
{
    struct str rest = str_sub(name, 5, name.n);
    ptrdiff_t dash = str_find(rest, '-', 0);
    return str_starts(name, STR("part-")) && dash > 0 &&
           str_u64(str_sub(rest, 0, (size_t)dash), ret) == ST_OK && *ret < 1000000000;
}

static bool key_before(const struct merge_dir *d, struct str a, struct str b)
{
    int c = 0;
    return merge_key_compare(a, b, d->delimiter, &c) == ST_OK && c < 0;
}

struct publish {
    struct merge_dir *d;
    struct merge_result *result;
    struct slot *slot; /* the parts of the new set, in key order, empty ones first */
    size_t n;
};

static int by_key(const void *va, const void *vb, void *ctx)
{
    const struct slot *a = va;
    const struct slot *b = vb;
    if (a->info->rows == 0 || b->info->rows == 0) {
        return (a->info->rows != 0) - (b->info->rows != 0);
    }
    return key_before(ctx, a->info->first_key, b->info->first_key)
               ? -1
               : key_before(ctx, b->info->first_key, a->info->first_key);
}

static void fill_slots(struct publish *p)
{
    struct merge_result *r = p->result;
    p->slot = ARENA_ARRAY(p->d->arena, struct slot, r->n_parts + r->n_written + 1);
    for (size_t i = 0; i < r->n_parts; i++) {
        if (r->kept[i]) {
            p->slot[p->n++] = (struct slot){ .info = &r->part_info[i], .old = i };
        }
    }
    for (size_t i = 0; i < r->n_written; i++) {
        p->slot[p->n++] =
            (struct slot){ .info = &r->written[i].info, .made = r->written[i].handle };
    }
    if (p->n > 1) {
        qsort_r(p->slot, p->n, sizeof *p->slot, by_key, p->d);
    }
}

/* Numbers the slots; false when the kept names allow no order, so that all get new ones. */
static bool keep_numbers(struct publish *p)
{
    uint64_t next = 0; /* of a new part */
    uint64_t kept = 0; /* of the last old one */
    bool any = false;
    for (size_t i = 0; i < p->n; i++) {
        struct slot *s = &p->slot[i];
        if (s->made) {
            s->number = next++;
            continue;
        }
        if (!part_number(p->d->part[s->old].name, &s->number) || s->number < kept) {
            return false;
        }
        any = true;
        kept = s->number;
        next = kept + 1;
    }
    for (size_t i = p->n; i > 1; i--) {
        struct slot *s = &p->slot[i - 2];
        if (s->number > p->slot[i - 1].number) {
            s->number = p->slot[i - 1].number;
        }
    }
    return any;
}

static void number_slots(struct publish *p)
{
    if (keep_numbers(p)) {
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        p->slot[i].number = i;
    }
}

/* Kept parts keep their names unless a new part, or one with another name, has the same number. */
static void name_slots(struct publish *p)
{
    struct merge_dir *d = p->d;
    for (size_t i = 0; i < p->n;) {
        size_t to = i;
        bool same = true;
        for (; to < p->n && p->slot[to].number == p->slot[i].number; to++) {
            struct slot *s = &p->slot[to];
            uint64_t number = 0;
            same = same && !s->made && part_number(d->part[s->old].name, &number) &&
                   number == s->number;
            same = same && (to == i ||
                            str_cmp(d->part[p->slot[to - 1].old].name, d->part[s->old].name) < 0);
        }
        for (unsigned c = 0; i < to; i++, c++) {
            struct slot *s = &p->slot[i];
            struct merge_dir_entry *e = &s->entry;
            *e = (struct merge_dir_entry){ 0 };
            if (!s->made) {
                e->part = d->part[s->old];
            }
            if (!same) {
                e->from = s->made ? str_z(s->made->name) : e->part.name;
                e->part.name = arena_printf(d->arena, "part-%05llu-%.*s-c%03u.csv",
                                            (unsigned long long)s->number, STR_ARG(d->uuid), c);
            }
            if (s->made) {
                e->part.mtime_ns = s->made->mtime_ns;
                e->part.bytes = (int64_t)s->info->bytes;
            }
            e->part.rows = (int64_t)s->info->rows;
            e->part.first_key = s->info->first_key;
            e->part.last_key = s->info->last_key;
        }
    }
}

/* --- the next manifest ------------------------------------------------------------------------ */

static void put_entry(struct json_out *o, const struct merge_dir_entry *e)
{
    const struct merge_dir_part *p = &e->part;
    bool texts = str_utf8(p->first_key) && str_utf8(p->last_key); /* else it is looked into again */
    json_open(o, '{');
    json_pair(o, "name", p->name);
    if (str_set(e->from)) {
        json_pair(o, "from", e->from);
    }
    json_keyz(o, "bytes");
    json_i64(o, p->bytes);
    json_keyz(o, "mtime_ns");
    json_i64(o, p->mtime_ns);
    if (texts) {
        json_keyz(o, "rows");
        json_i64(o, p->rows);
        json_pair(o, "first_key", str_set(p->first_key) ? p->first_key : STR(""));
        json_pair(o, "last_key", str_set(p->last_key) ? p->last_key : STR(""));
    }
    json_close(o, '}');
    buf_putc(o->b, '\n');
}

static void put_strings(struct json_out *o, const char *key, const struct str *s, size_t n)
{
    json_keyz(o, key);
    json_open(o, '[');
    for (size_t i = 0; i < n; i++) {
        json_str(o, s[i]);
    }
    json_close(o, ']');
}

static void put_merged(const struct publish *p, struct json_out *o,
                       const struct merge_dir_outcome *outcome)
{
    const struct merge_dir *d = p->d;
    json_keyz(o, "merged");
    json_open(o, '[');
    for (size_t i = 0; i < d->n_merged && !outcome->forget; i++) {
        json_str(o, d->merged[i]);
    }
    for (size_t i = 0; i < outcome->n_ids; i++) {
        if (outcome->forget || !merge_dir_was_merged(d, outcome->id[i])) {
            json_str(o, outcome->id[i]);
        }
    }
    json_close(o, ']');
}

static void put_manifest(const struct publish *p, struct buf *b,
                         const struct merge_dir_outcome *outcome)
{
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    json_keyz(&o, "version");
    json_i64(&o, 1);
    json_pair(&o, "key", outcome->key);
    json_pair(&o, "delimiter", (struct str){ &outcome->delimiter, 1 });
    json_keyz(&o, "header");
    json_bool(&o, outcome->header);
    put_strings(&o, "columns", p->result->columns, p->result->columns ? p->result->n_columns : 0);
    json_keyz(&o, "parts");
    json_open(&o, '[');
    for (size_t i = 0; i < p->n; i++) {
        put_entry(&o, &p->slot[i].entry);
    }
    json_close(&o, ']');
    json_keyz(&o, "removed");
    json_open(&o, '[');
    for (size_t i = 0; i < p->result->n_parts; i++) {
        if (!p->result->kept[i]) {
            json_str(&o, p->d->part[i].name);
        }
    }
    json_close(&o, ']');
    put_merged(p, &o, outcome);
    json_close(&o, '}');
}

static enum status write_failed(struct merge_dir *d)
{
    const char *why = strerrordesc_np(errno);
    return merge_dir_fail(d, ST_IO, "%s/%s cannot be written: %s", d->path, MERGE_DIR_NEXT,
                          why ? why : "unknown error");
}

/* Writes the next manifest under a hidden name and gives it its name: from then on the new set is
 * what counts. */
static enum status decide(struct merge_dir *d, struct str text)
{
    char hidden[NAME_BYTES];
    snprintf(hidden, sizeof hidden, MERGE_DIR_HIDDEN "%.*s-manifest.tmp", STR_ARG(d->uuid));
    CLEANUP(close_fd) int fd = openat(d->fd, hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    size_t n = 0;
    while (fd >= 0 && n < text.n) {
        ssize_t put = write(fd, text.p + n, text.n - n);
        if (put <= 0) {
            break;
        }
        n += (size_t)put;
    }
    if (fd < 0 || n < text.n || (d->sync && (fsync(fd) != 0 || fsync(d->fd) != 0)) ||
        renameat(d->fd, hidden, d->fd, MERGE_DIR_NEXT) != 0 || (d->sync && fsync(d->fd) != 0)) {
        enum status st = write_failed(d);
        unlinkat(d->fd, hidden, 0);
        return st;
    }
    return ST_OK;
}

/* Parts that are read must be as they were when the merge began. */
static enum status check_unchanged(struct merge_dir *d)
{
    for (size_t i = 0; i < d->n_parts; i++) {
        const struct merge_dir_part *p = &d->part[i];
        struct stat s;
        if (fstatat(d->fd, arena_cstr(d->arena, p->name), &s, 0) != 0 || s.st_size != p->bytes ||
            (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec != p->mtime_ns) {
            return merge_dir_fail(d, ST_CONFLICT,
                                  "%s/%.*s was changed by somebody else during the merge; nothing "
                                  "was published, start again",
                                  d->path, STR_ARG(p->name));
        }
    }
    return ST_OK;
}

enum status merge_dir_publish(struct merge_dir *d, struct merge_result *result,
                              const struct merge_dir_outcome *outcome)
{
    struct publish p = { .d = d, .result = result };
    struct buf text = BUF_INIT(MANIFEST_BYTES);
    d->delimiter = outcome->delimiter;
    fill_slots(&p);
    number_slots(&p);
    name_slots(&p);
    put_manifest(&p, &text, outcome);
    enum status st = buf_ok(&text) && !arena_over(d->arena)
                         ? check_unchanged(d)
                         : merge_dir_fail(d, ST_NOMEM, "%s: the manifest became too big", d->path);
    if (st == ST_OK) {
        st = decide(d, buf_str(&text));
    }
    buf_fini(&text);
    if (st != ST_OK) {
        merge_dir_discard(d, result);
        return st;
    }
    st = merge_dir_switch(d);
    for (size_t i = 0; i < result->n_written; i++) {
        free(TAKE(result->written[i].handle));
    }
    return st;
}
