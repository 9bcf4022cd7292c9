/* The folder of a run on the disk. Worker threads: objects may be big. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/glue/glue_script.h"
#include "emulators/glue/spark/python_files.h"
#include "server/base/mem.h"
#include "server/store/tree.h"

#define COPY_BYTES (256u << 10)

__attribute__((format(printf, 2, 3))) static enum status failed(char error[SCRIPT_ERROR_MAX],
                                                                const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(error, SCRIPT_ERROR_MAX, fmt, ap);
    va_end(ap);
    return ST_IO;
}

/* Makes the folders above the path that are missing below `dir`. */
static bool make_parents(const char *dir, const char *path)
{
    CLEANUP(free_ptr) char *copy = xstrdup(path);
    for (char *p = copy + strlen(dir) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST) {
            return false;
        }
        *p = '/';
    }
    return true;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        p += done < 0 ? 0 : done;
        n -= done < 0 ? 0 : (size_t)done;
    }
    return true;
}

static bool copy_all(int from, int to)
{
    CLEANUP(free_ptr) char *block = xmalloc(COPY_BYTES);
    ssize_t n;
    while ((n = read(from, block, COPY_BYTES)) != 0) {
        if (n > 0 ? !write_all(to, block, (size_t)n) : errno != EINTR) {
            return false;
        }
    }
    return true;
}

static int create(const char *dir, const char *path, unsigned mode)
{
    return make_parents(dir, path)
               ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode)
               : -1;
}

static enum status lay_file(struct core *core, const char *dir, const struct script_file *f,
                            char error[SCRIPT_ERROR_MAX])
{
    CLEANUP(close_fd) int from = -1;
    if (str_set(f->object.bucket)) {
        enum status st = s3_object_open(core, &f->object, &from);
        if (st != ST_OK) {
            return failed(error, "s3://%.*s/%.*s cannot be read: %s.", STR_ARG(f->object.bucket),
                          STR_ARG(f->object.key),
                          st == ST_NOT_FOUND
                              ? "it was just replaced or deleted; start the run again"
                              : status_name(st));
        }
    }
    CLEANUP(close_fd) int to = create(dir, f->path, f->mode);
    if (to < 0 || !(from >= 0 ? copy_all(from, to) : write_all(to, f->text.p, f->text.n))) {
        return failed(error, "%s: %s", f->path, strerror(errno));
    }
    return ST_OK;
}

static enum status lay_python(const struct glue_script *s, char error[SCRIPT_ERROR_MAX])
{
    for (const struct python_file *f = glue_python_files;; f++) {
        bool last = !f->path;
        const struct python_file *file = last ? &glue_runscript : f;
        CLEANUP(free_ptr)
        char *path = xasprintf("%s/%s%s", s->glue, last ? "" : "lib/", file->path);
        CLEANUP(close_fd) int to = create(s->dir, path, 0644);
        if (to < 0 || !write_all(to, file->begin, (size_t)(file->end - file->begin))) {
            return failed(error, "%s: %s", path, strerror(errno));
        }
        if (last) {
            return ST_OK;
        }
    }
}

enum status glue_script_lay(struct core *core, const struct glue_script *s,
                            char error[SCRIPT_ERROR_MAX])
{
    CLEANUP(free_ptr) char *copy = xstrdup(s->dir);
    CLEANUP(free_ptr) char *tmp = xasprintf("%s/tmp", s->glue);
    (void)mkdir(dirname(copy), 0755);   /* there already, or the next one fails */
    status_ignore(tree_remove(s->dir)); /* of an attempt before a crash; logged, the mkdir tells */
    if (mkdir(s->dir, 0755) != 0 || mkdir(s->glue, 0755) != 0 || mkdir(tmp, 0755) != 0) {
        return failed(error, "%s: %s", s->dir, strerror(errno));
    }
    enum status st = lay_python(s, error);
    for (size_t i = 0; st == ST_OK && i < s->n_files; i++) {
        st = lay_file(core, s->dir, &s->files[i], error);
    }
    return st;
}

struct str glue_script_error(struct arena *a, const struct glue_script *s)
{
    CLEANUP(free_ptr) char *path = xasprintf("%s/error", s->glue);
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[SCRIPT_ERROR_MAX];
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    if (n <= 0) {
        return STR_NONE;
    }
    while (n > 0 && !str_utf8((struct str){ text, (size_t)n })) {
        n--; /* cut inside of a character */
    }
    return arena_str(a, str_trim((struct str){ text, (size_t)n }));
}
