/* The crawl's thread: heads of objects to schemas, folders to tables. */
#include <errno.h>
#include <unistd.h>
#include <zlib.h>

#include "emulators/glue/crawler/crawler_glob.h"
#include "emulators/glue/crawler/crawler_internal.h"
#include "server/base/mem.h"

#define FILE_ARENA_MAX (512u << 20)
#define NOTES_MAX 1000 /* lines about single files; more are counted */

/* --- bytes ------------------------------------------------------------------------------------ */
static size_t read_at(int fd, void *p, size_t n, int64_t off)
{
    size_t got = 0;
    while (got < n) {
        ssize_t r = pread(fd, (char *)p + got, n - got, (off_t)(off + (int64_t)got));
        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r <= 0) {
            break;
        }
        got += (size_t)r;
    }
    return got;
}

/* What was read of a file: `used` of its bytes gave s.head. */
struct head {
    struct sample s;
    int64_t used;
};

/* Unpacks the first CLASSIFY_HEAD_BYTES, through as many gzip members as it takes. */
static bool gunzip(struct arena *a, struct str packed, bool all, struct head *h)
{
    z_stream z = { 0 };
    if (inflateInit2(&z, MAX_WBITS + 16) != Z_OK) {
        return false;
    }
    char *out = arena_alloc(a, CLASSIFY_HEAD_BYTES);
    z.next_in = (Bytef *)(uintptr_t)packed.p; /* zlib reads only */
    z.avail_in = (uInt)packed.n;
    z.next_out = (Bytef *)out;
    z.avail_out = CLASSIFY_HEAD_BYTES;
    int rc = Z_OK;
    while (rc == Z_OK && z.avail_out > 0 && z.avail_in > 0) {
        rc = inflate(&z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END && z.avail_in > 0) {
            rc = inflateReset(&z);
        }
    }
    size_t n = CLASSIFY_HEAD_BYTES - z.avail_out;
    h->s.head = (struct str){ out, n };
    h->s.whole = all && rc == Z_STREAM_END;
    h->s.compression = STR("gzip");
    h->used = (int64_t)(packed.n - z.avail_in);
    inflateEnd(&z);
    return n > 0;
}

static uint32_t little32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
}

/* Parquet: metadata, its length in four bytes, "PAR1". */
static struct str read_footer(struct arena *a, int fd, int64_t size)
{
    char end[8];
    if (size < 12 || read_at(fd, end, sizeof(end), size - 8) != sizeof(end) ||
        memcmp(end + 4, "PAR1", 4) != 0) {
        return STR_NONE;
    }
    uint32_t n = little32(end);
    if (n > CLASSIFY_FOOTER_BYTES || (int64_t)n > size - 12) {
        return STR_NONE;
    }
    char *p = arena_alloc(a, (size_t)n + 1);
    return read_at(fd, p, n, size - 8 - (int64_t)n) == n ? (struct str){ p, n } : STR_NONE;
}

static void read_head(struct arena *a, int fd, int64_t size, struct head *h)
{
    char *p = arena_alloc(a, CLASSIFY_HEAD_BYTES);
    size_t want = size < CLASSIFY_HEAD_BYTES ? (size_t)size : CLASSIFY_HEAD_BYTES;
    size_t n = read_at(fd, p, want, 0);
    *h = (struct head){
        .s = { .head = { p, n }, .whole = (int64_t)n == size, .compression = STR("none") },
        .used = (int64_t)n
    };
    if (n >= 4 && memcmp(p, "PAR1", 4) == 0) {
        h->s.footer = read_footer(a, fd, size);
    } else if (n >= 2 && memcmp(p, "\x1f\x8b", 2) == 0) {
        (void)gunzip(a, h->s.head, h->s.whole, h); /* else it stays as it is, of no known format */
    }
}

/* Rows in the whole file, from those in its head. */
static int64_t estimate(const struct schema *s, const struct head *h, int64_t size)
{
    if (s->exact || s->sampled_bytes <= 0 || h->s.head.n == 0) {
        return s->records;
    }
    double share = (double)s->sampled_bytes / (double)h->s.head.n;
    double bytes = (double)h->used * share;
    return bytes > 0 ? (int64_t)((double)s->records * ((double)size / bytes) + 0.5) : s->records;
}

/* --- one file --------------------------------------------------------------------------------- */
static void read_file(struct crawl *crawl, const struct s3_object *o, struct crawl_file *file)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new(FILE_ARENA_MAX);
    CLEANUP(close_fd) int fd = -1;
    struct head h;
    struct schema found;
    if (s3_object_open(crawl->glue->core, o, &fd) != ST_OK) {
        crawler_note(crawl,
                     "The object s3://%.*s/%.*s was replaced or deleted while it was being "
                     "read and is left out.",
                     STR_ARG(o->bucket), STR_ARG(o->key));
        return;
    }
    read_head(scratch, fd, o->size, &h);
    classify(scratch, &h.s, crawl->classifiers, crawl->n_classifiers, &found);
    struct schema *kept = ARENA_NEW(crawl->arena, struct schema);
    *kept = schema_copy(crawl->arena, &found);
    file->schema = kept;
    file->records = estimate(kept, &h, o->size);
    if (!schema_known(kept) && crawl->lines.n < NOTES_MAX) {
        crawler_note(crawl, "Classification of s3://%.*s/%.*s is UNKNOWN: %.*s.",
                     STR_ARG(o->bucket), STR_ARG(o->key), STR_ARG(kept->why));
    }
}

/* --- which files ------------------------------------------------------------------------------ */
static bool excluded(const struct crawl_target *t, struct str relative)
{
    for (size_t i = 0; i < t->n_exclusions; i++) {
        if (crawler_glob(t->exclusions[i], relative)) {
            return true;
        }
    }
    return false;
}

static struct str folder_of(struct str key)
{
    size_t n = key.n;
    while (n > 0 && key.p[n - 1] != '/') {
        n--;
    }
    return str_sub(key, 0, n);
}

/* Markers of folders and of writers (_SUCCESS, .crc files) hold no rows: readers skip names that
 * begin with "_" or ".", as Hadoop does. */
static bool data_file(const struct s3_object *o)
{
    struct str folder = folder_of(o->key), name = str_sub(o->key, folder.n, o->key.n);
    return o->size > 0 && name.n && name.p[0] != '_' && name.p[0] != '.';
}

static void read_target(struct crawl *crawl, const struct crawl_target *t)
{
    struct crawl_file *files = ARENA_ARRAY(crawl->arena, struct crawl_file, t->n + 1);
    struct str folder = STR_NONE;
    int64_t in_folder = 0;
    size_t n = 0;
    for (size_t i = 0; i < t->n && !atomic_load(&crawl->cancel); i++) {
        const struct s3_object *o = &t->objects[i];
        if (!data_file(o) || excluded(t, str_sub(o->key, t->prefix.n, o->key.n))) {
            continue;
        }
        struct str of = folder_of(o->key);
        in_folder = str_eq(of, folder) ? in_folder + 1 : 1;
        folder = of;
        files[n] = (struct crawl_file){ .key = o->key, .size = o->size };
        bool sampled = t->sample_size == 0 || in_folder <= t->sample_size;
        if (sampled) {
            read_file(crawl, o, &files[n]);
        }
        n += !sampled || files[n].schema != NULL;
    }
    struct crawl_grouping g = { .bucket = t->bucket,
                                .prefix = t->prefix,
                                .combine = crawl->config.combine,
                                .table_level = crawl->config.table_level };
    if (atomic_load(&crawl->cancel)) {
        return;
    }
    if (str_set(t->object) && n == 1) {
        crawler_group_file(crawl->arena, &g, &files[0], &crawl->tables);
    } else {
        crawler_group(crawl->arena, &g, files, n, &crawl->tables);
    }
}

void crawler_read(struct crawl *crawl)
{
    for (size_t i = 0; i < crawl->n_targets; i++) {
        read_target(crawl, &crawl->targets[i]);
    }
}
