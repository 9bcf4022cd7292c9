/* Unpacking a zip that may be hostile: nothing is written outside of the folder, nothing but files,
 * folders and links that stay inside is made, and the sizes that count are those of the bytes that
 * come out, not those that the zip claims. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zip.h>

#include "emulators/lambda/lambda_package.h"
#include "server/base/mem.h"

#define PIECE_BYTES 65536
#define LINK_MAX_BYTES 4096
#define BAD_ZIP "Could not unzip uploaded file. Please check your file, then try to upload again."

struct unzip {
    struct arena *arena;
    zip_t *zip;
    const char *dir;
    int64_t written;
    char *piece;       /* PIECE_BYTES */
    struct str *links; /* pairs: path below dir, target; made last */
    size_t n_links;
    struct str why;
};

static enum status refuse(struct unzip *u, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static enum status refuse(struct unzip *u, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    u->why = arena_vprintf(u->arena, fmt, ap);
    va_end(ap);
    return ST_INVALID;
}

static enum status trouble(struct unzip *u, const char *what, struct str name)
{
    u->why = arena_printf(u->arena, "%s %.*s: %s", what, STR_ARG(name), strerror(errno));
    return ST_IO;
}

/* --- names ------------------------------------------------------------------------------------ */

/* The entry's path without empty and "." parts; ST_INVALID when it would leave the folder. */
static enum status clean_path(struct unzip *u, struct str name, struct str *ret)
{
    char *out = arena_alloc(u->arena, name.n + 2);
    size_t n = 0;
    struct str rest = name, part;
    if (str_starts(name, STR("/"))) {
        return refuse(u, BAD_ZIP " (the entry \"%.*s\" has an absolute path)", STR_ARG(name));
    }
    while (str_next(&rest, '/', &part)) {
        if (str_eqz(part, "..")) {
            return refuse(u, BAD_ZIP " (the entry \"%.*s\" leaves the package)", STR_ARG(name));
        }
        if (part.n == 0 || str_eqz(part, ".")) {
            continue;
        }
        if (n > 0) {
            out[n++] = '/';
        }
        memcpy(out + n, part.p, part.n);
        n += part.n;
    }
    *ret = (struct str){ out, n };
    return ST_OK;
}

/* "/dir/a/b" for "a/b" */
static const char *full_path(struct unzip *u, struct str path)
{
    return arena_printf(u->arena, "%s/%.*s", u->dir, STR_ARG(path)).p;
}

static enum status make_folder(struct unzip *u, struct str path)
{
    struct stat s;
    const char *full = full_path(u, path);
    if (mkdir(full, 0755) == 0 || (errno == EEXIST && lstat(full, &s) == 0 && S_ISDIR(s.st_mode))) {
        return ST_OK;
    }
    if (errno == EEXIST || errno == ENOTDIR || errno == ENAMETOOLONG) {
        return refuse(u, BAD_ZIP " (\"%.*s\" is a file and a folder, or too long)", STR_ARG(path));
    }
    return trouble(u, "cannot make the folder", path);
}

/* All folders above the path. */
static enum status make_parents(struct unzip *u, struct str path)
{
    enum status st = ST_OK;
    ptrdiff_t at = 0;
    while (st == ST_OK && (at = str_find(path, '/', (size_t)at)) >= 0) {
        st = make_folder(u, str_sub(path, 0, (size_t)at));
        at++;
    }
    return st;
}

/* --- files ------------------------------------------------------------------------------------ */

static enum status write_piece(struct unzip *u, int fd, size_t n, struct str path)
{
    const char *p = u->piece;
    u->written += (int64_t)n;
    if (u->written > LAMBDA_UNZIPPED_MAX) {
        return refuse(u, "Unzipped size must be smaller than %d bytes", LAMBDA_UNZIPPED_MAX);
    }
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR) {
            return trouble(u, "cannot write", path);
        }
        p += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return ST_OK;
}

static enum status copy_file(struct unzip *u, zip_file_t *from, int fd, struct str path)
{
    for (;;) {
        zip_int64_t n = zip_fread(from, u->piece, PIECE_BYTES);
        if (n < 0) {
            return refuse(u, BAD_ZIP " (\"%.*s\": %s)", STR_ARG(path), zip_file_strerror(from));
        }
        if (n == 0) {
            return ST_OK;
        }
        enum status st = write_piece(u, fd, (size_t)n, path);
        if (st != ST_OK) {
            return st;
        }
    }
}

static enum status make_file(struct unzip *u, zip_file_t *from, struct str path, mode_t mode)
{
    const char *full = full_path(u, path);
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        bool clash = errno == EISDIR || errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP;
        return clash ? refuse(u, BAD_ZIP " (\"%.*s\" is a file and a folder, or too long)",
                              STR_ARG(path))
                     : trouble(u, "cannot create", path);
    }
    enum status st = copy_file(u, from, fd, path);
    if (st == ST_OK && fchmod(fd, mode) != 0) {
        st = trouble(u, "cannot set the permissions of", path);
    }
    close_fd(&fd);
    return st;
}

/* --- symbolic links --------------------------------------------------------------------------- */

/* May a link at `path` point to `target`? Only "../" (no more than there are folders above) and
 * then plain names: since links are made last, in real folders, each such step stays inside,
 * whatever other links say. */
static bool link_stays(struct str path, struct str target)
{
    size_t depth = 0;
    for (size_t i = 0; i < path.n; i++) {
        depth += path.p[i] == '/';
    }
    struct str rest = target, part;
    bool down = false;
    if (target.n == 0 || target.p[0] == '/' || memchr(target.p, 0, target.n)) {
        return false;
    }
    while (str_next(&rest, '/', &part)) {
        if (!str_eqz(part, "..")) {
            down = down || (part.n > 0 && !str_eqz(part, "."));
        } else if (down || depth-- == 0) {
            return false;
        }
    }
    return true;
}

static enum status note_link(struct unzip *u, zip_file_t *from, struct str path)
{
    zip_int64_t n = zip_fread(from, u->piece, LINK_MAX_BYTES);
    struct str target = n > 0 ? (struct str){ u->piece, (size_t)n } : STR("");
    if (n >= LINK_MAX_BYTES || !link_stays(path, target)) {
        return refuse(u, BAD_ZIP " (the link \"%.*s\" leaves the package)", STR_ARG(path));
    }
    u->links[2 * u->n_links] = path;
    u->links[2 * u->n_links + 1] = arena_str(u->arena, target);
    u->n_links++;
    return ST_OK;
}

static enum status make_links(struct unzip *u)
{
    for (size_t i = 0; i < u->n_links; i++) {
        struct str path = u->links[2 * i], target = u->links[2 * i + 1];
        if (symlink(arena_cstr(u->arena, target), full_path(u, path)) != 0) {
            return errno == EEXIST ? refuse(u, BAD_ZIP " (\"%.*s\" is there twice)", STR_ARG(path))
                                   : trouble(u, "cannot make the link", path);
        }
    }
    return ST_OK;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* Type and permissions as the zip tells them; 0 type bits: it doesn't. */
static mode_t unix_mode(struct unzip *u, zip_uint64_t i)
{
    zip_uint8_t made_by;
    zip_uint32_t attributes;
    if (zip_file_get_external_attributes(u->zip, i, 0, &made_by, &attributes) != 0 ||
        (made_by != ZIP_OPSYS_UNIX && made_by != ZIP_OPSYS_OS_X)) {
        return 0;
    }
    return (mode_t)(attributes >> 16);
}

static enum status unzip_content(struct unzip *u, zip_uint64_t i, struct str path, mode_t mode)
{
    enum status st = make_parents(u, path);
    if (st != ST_OK) {
        return st;
    }
    zip_file_t *from = zip_fopen_index(u->zip, i, 0);
    if (!from) {
        return refuse(u, BAD_ZIP " (\"%.*s\": %s)", STR_ARG(path), zip_strerror(u->zip));
    }
    mode_t bits = mode & 0777;
    st = S_ISLNK(mode) ? note_link(u, from, path)
                       : make_file(u, from, path, bits ? (bits | 0600) : 0644);
    zip_fclose(from);
    return st;
}

static enum status unzip_entry(struct unzip *u, zip_uint64_t i)
{
    const char *name = zip_get_name(u->zip, i, 0);
    mode_t mode = unix_mode(u, i);
    struct str path = STR_NONE;
    if (!name) {
        return refuse(u, BAD_ZIP " (%s)", zip_strerror(u->zip));
    }
    enum status st = clean_path(u, str_z(name), &path);
    if (st != ST_OK) {
        return st;
    }
    if (str_ends(str_z(name), STR("/")) || S_ISDIR(mode)) {
        st = make_parents(u, path);
        return st == ST_OK && path.n ? make_folder(u, path) : st;
    }
    if (path.n == 0) {
        return refuse(u, BAD_ZIP " (an entry has no name)");
    }
    if ((mode & S_IFMT) != 0 && !S_ISREG(mode) && !S_ISLNK(mode)) {
        return refuse(u, BAD_ZIP " (\"%.*s\" is no file, folder or link)", STR_ARG(path));
    }
    return unzip_content(u, i, path, mode);
}

static enum status unzip_all(struct unzip *u, bool may_be_empty)
{
    zip_int64_t n = zip_get_num_entries(u->zip, 0);
    if (n > LAMBDA_ZIP_ENTRIES_MAX) {
        return refuse(u, BAD_ZIP " (it has %lld entries; %d is the limit)", (long long)n,
                      LAMBDA_ZIP_ENTRIES_MAX);
    }
    if (n <= 0 && !may_be_empty) {
        return refuse(u, "Uploaded file must be a non-empty zip");
    }
    u->links = ARENA_ARRAY(u->arena, struct str, 2 * (size_t)n + 1);
    enum status st = ST_OK;
    for (zip_int64_t i = 0; i < n && st == ST_OK; i++) {
        st = unzip_entry(u, (zip_uint64_t)i);
    }
    return st == ST_OK ? make_links(u) : st;
}

enum status lambda_unzip(struct arena *a, struct str bytes, const char *dir, bool may_be_empty,
                         struct str *ret_why)
{
    struct unzip u = { .arena = a, .dir = dir };
    zip_error_t error;
    zip_error_init(&error);
    if (bytes.n == 0 && may_be_empty) {
        return ST_OK;
    }
    zip_source_t *source = zip_source_buffer_create(bytes.p, bytes.n, 0, &error);
    u.zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    if (!u.zip) {
        *ret_why = arena_printf(a, BAD_ZIP " (%s)", zip_error_strerror(&error));
        zip_source_free(source);
        zip_error_fini(&error);
        return ST_INVALID;
    }
    CLEANUP(free_ptr) char *piece = xmalloc(PIECE_BYTES);
    u.piece = piece;
    enum status st = unzip_all(&u, may_be_empty);
    zip_discard(u.zip);
    zip_error_fini(&error);
    *ret_why = u.why;
    return st;
}
