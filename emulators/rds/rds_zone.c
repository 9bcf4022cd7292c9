/* Named time zones. On RDS a server's tables of them are always full; here they are filled from the
 * machine's own database (package tzdata) when the empty data folder is made. Only what servers can
 * ask of them: the offsets from 1970 on, up to the end of 32-bit seconds, as the engines' own
 * programs fill them; summer time and abbreviations show nowhere. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/buf.h"
#include "server/base/mem.h"
#include "server/base/zone.h"

#define STATEMENT_MAX 15000 /* servers take 20000 bytes and more while they are installed */
#define TABLE_BYTES_MAX (8u << 20)
#define ZONES_MAX 2048
#define OFFSETS_MAX 256
#define DEPTH_MAX 4 /* America/Argentina/Ushuaia */
#define ONE_ZONE_BYTES ((size_t)4 << 20)

/* INSERT statements of one table. */
struct inserts {
    const char *table;
    struct buf text;
    size_t begin; /* of the last statement */
};

struct filling {
    struct inserts zones, names, types, changes;
    struct {
        ino_t file;
        unsigned id;
    } seen[ZONES_MAX]; /* one file has several names */
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void add_row(struct inserts *r, const char *fmt, ...)
{
    char row[256];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(row, sizeof(row), fmt, ap);
    va_end(ap);
    bool first = r->text.n == 0;
    if (first || r->text.n - r->begin > STATEMENT_MAX) {
        buf_puts(&r->text, first ? "" : ";\n");
        r->begin = r->text.n;
        buf_printf(&r->text, "INSERT INTO mysql.%s VALUES ", r->table);
    } else {
        buf_putc(&r->text, ',');
    }
    buf_puts(&r->text, row);
}

/* The number of an offset among those of the zone so far; a new one gets a row. */
static unsigned type_of(struct filling *f, unsigned id, int32_t offset, int32_t *offsets,
                        unsigned *n)
{
    for (unsigned i = 0; i < *n; i++) {
        if (offsets[i] == offset) {
            return i;
        }
    }
    if (*n == OFFSETS_MAX) {
        return 0; /* no zone has a tenth of them */
    }
    offsets[*n] = offset;
    add_row(&f->types, "(%u,%u,%" PRId32 ",0,'')", id, *n, offset);
    return (*n)++;
}

static void add_zone(struct filling *f, unsigned id, const struct zone *z)
{
    int32_t offsets[OFFSETS_MAX];
    unsigned n = 0;
    int64_t at = 0;
    add_row(&f->zones, "(%u,'N')", id);
    (void)type_of(f, id, zone_offset(z, at), offsets, &n); /* the first holds before all changes */
    while (zone_next(z, at, &at) && at <= INT32_MAX) {
        unsigned type = type_of(f, id, zone_offset(z, at), offsets, &n);
        add_row(&f->changes, "(%u,%" PRId64 ",%u)", id, at, type);
    }
}

static void add_name(struct filling *f, const char *name, ino_t file)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(ONE_ZONE_BYTES);
    const struct zone *z;
    size_t i = 0;
    if (zone_read(a, str_z(name), &z) != ST_OK) {
        return; /* a list, a leap second table */
    }
    while (i < f->n && f->seen[i].file != file) {
        i++;
    }
    if (i == ZONES_MAX) {
        return;
    }
    if (i == f->n) {
        f->seen[i].file = file;
        f->seen[i].id = (unsigned)++f->n;
        add_zone(f, f->seen[i].id, z);
    }
    add_row(&f->names, "('%s',%u)", name, f->seen[i].id);
}

/* `posix` has the same zones again, `right` has them with leap seconds, which no server counts. */
static bool is_copy(const char *name)
{
    return strcmp(name, "posix") == 0 || strcmp(name, "right") == 0;
}

static void walk(struct filling *f, const char *root, const char *below, int depth)
{
    char path[512], name[256];
    (void)snprintf(path, sizeof(path), "%s/%s", root, below);
    DIR *d = depth < DEPTH_MAX ? opendir(path) : NULL;
    struct dirent *e;
    while (d && (e = readdir(d)) != NULL) {
        struct stat info;
        if (e->d_name[0] == '.' || (depth == 0 && is_copy(e->d_name)) ||
            fstatat(dirfd(d), e->d_name, &info, 0) != 0 ||
            snprintf(name, sizeof(name), "%s%s%s", below, depth ? "/" : "", e->d_name) >=
                (int)sizeof(name)) {
            continue;
        }
        if (S_ISDIR(info.st_mode)) {
            walk(f, root, name, depth + 1);
        } else if (S_ISREG(info.st_mode)) {
            add_name(f, name, info.st_ino);
        }
    }
    if (d) {
        closedir(d);
    }
}

static bool write_rows(int fd, struct inserts *r)
{
    buf_puts(&r->text, ";\n");
    return buf_ok(&r->text) && write(fd, r->text.p, r->text.n) == (ssize_t)r->text.n;
}

bool rds_zones_write(const char *path)
{
    const char *root = zone_database();
    CLEANUP(free_ptr) struct filling *f = xcalloc(1, sizeof(*f));
    struct inserts *all[] = { &f->zones, &f->names, &f->types, &f->changes };
    static const char *const tables[] = { "time_zone", "time_zone_name",
                                          "time_zone_transition_type", "time_zone_transition" };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        all[i]->table = tables[i];
        buf_init(&all[i]->text, TABLE_BYTES_MAX);
    }
    if (root) {
        walk(f, root, "", 0);
    }
    CLEANUP(close_fd) int fd = -1;
    if (f->n) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    }
    bool good = fd >= 0 && fchmod(fd, 0644) == 0; /* its reader may be another user */
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        good = good && write_rows(fd, all[i]);
        buf_fini(&all[i]->text);
    }
    return good;
}

bool rds_zone_is(struct str name)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(ONE_ZONE_BYTES);
    const struct zone *z;
    return zone_read(a, name, &z) == ST_OK;
}
