/* Which objects of S3 a run needs, and where they go. */
#include "emulators/glue/glue_script.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/core.h"

#define SCRIPT_BYTES_MAX (16 << 20)
#define NAME_MAX_BYTES 200

static struct script_file *add_file(struct glue_active *a, struct glue_script *s, const char *path,
                                    unsigned mode)
{
    ARENA_GROW(a->arena, s->files, s->n_files);
    struct script_file *f = &s->files[s->n_files++];
    *f = (struct script_file){ .path = path, .mode = mode };
    return f;
}

void glue_script_add_text(struct glue_active *a, struct glue_script *s, const char *path,
                          struct str text, unsigned mode)
{
    add_file(a, s, path, mode)->text = text;
}

/* s3://, s3a:// and s3n:// are the same store. */
static bool cut_uri(struct str uri, struct str *ret_bucket, struct str *ret_key)
{
    static const struct str schemes[] = { STR_INIT("s3://"), STR_INIT("s3a://"),
                                          STR_INIT("s3n://") };
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (str_starts(uri, schemes[i])) {
            return str_cut(str_sub(uri, schemes[i].n, uri.n), '/', ret_bucket, ret_key);
        }
    }
    return false;
}

static enum status find(struct glue_active *a, const char *what, struct str uri,
                        struct s3_object *ret, struct str *ret_error)
{
    struct str bucket, key;
    if (!cut_uri(uri, &bucket, &key)) {
        *ret_error = arena_printf(a->arena, "%s: '%.*s' isn't an S3 path (s3://bucket/key).", what,
                                  STR_ARG(uri));
        return ST_INVALID;
    }
    enum status st = s3_object_find(core_db(a->glue->core), a->arena, bucket, key, ret);
    if (st == ST_NOT_FOUND) {
        *ret_error =
            arena_printf(a->arena, "%s %.*s does not exist: put it there and start the run again.",
                         what, STR_ARG(uri));
    } else if (st != ST_OK) {
        *ret_error = arena_printf(a->arena, "%s %.*s cannot be read (%s).", what, STR_ARG(uri),
                                  status_name(st));
    }
    return st;
}

static struct str base_name(struct str key)
{
    size_t from = key.n;
    while (from > 0 && key.p[from - 1] != '/') {
        from--;
    }
    return str_sub(key, from, key.n);
}

static bool safe_name(struct str name)
{
    return name.n && name.n <= NAME_MAX_BYTES && name.p[0] != '.' && name.p[0] != '-' &&
           !memchr(name.p, '\0', name.n);
}

enum status glue_script_add_script(struct glue_active *a, struct glue_script *s,
                                   struct str *ret_error)
{
    struct s3_object o;
    struct str location = a->job->Command->ScriptLocation;
    enum status st = find(a, "The script", location, &o, ret_error);
    if (st == ST_OK && a->kind != GLUE_KIND_EXECUTABLE && o.size > SCRIPT_BYTES_MAX) {
        *ret_error =
            arena_printf(a->arena, "The script %.*s is bigger than 16 MB.", STR_ARG(location));
        return ST_INVALID;
    }
    if (st != ST_OK) {
        return st;
    }
    struct str name = base_name(o.key);
    name = safe_name(name) ? name : STR("script.py");
    s->path = arena_printf(a->arena, "%s/%.*s", s->dir, STR_ARG(name)).p;
    add_file(a, s, s->path, a->kind == GLUE_KIND_EXECUTABLE ? 0755 : 0644)->object = o;
    return ST_OK;
}

/* --- lists of arguments ----------------------------------------------------------------------- */

/* An argument that lists objects, and where these go. */
struct listed {
    struct glue_active *run;
    struct glue_script *script;
    const char *argument, *folder;
};

/* One object of the list; *ret_path: where it goes. */
static enum status add_object(const struct listed *l, struct str uri, const char **ret_path,
                              struct str *ret_error)
{
    struct s3_object o;
    struct arena *a = l->run->arena;
    const char *what = arena_printf(a, "--%s:", l->argument).p;
    enum status st = find(l->run, what, uri, &o, ret_error);
    if (st != ST_OK) {
        return st;
    }
    struct str name = base_name(o.key);
    const char *path = arena_printf(a, "%s/%.*s", l->folder, STR_ARG(name)).p;
    bool taken = !safe_name(name);
    for (size_t i = 0; i < l->script->n_files; i++) {
        taken = taken || strcmp(l->script->files[i].path, path) == 0;
    }
    if (taken) {
        *ret_error = arena_printf(a,
                                  "%s the name of %.*s isn't usable here, or another file has it: "
                                  "give it another name.",
                                  what, STR_ARG(uri));
        return ST_INVALID;
    }
    add_file(l->run, l->script, path, 0644)->object = o;
    *ret_path = path;
    return ST_OK;
}

static void append(struct glue_active *a, struct str *list, const char *separator, const char *item)
{
    *list = arena_printf(a->arena, "%.*s%s%s", STR_ARG(*list), list->n ? separator : "", item);
}

/* The files of a comma-separated argument; *ret_list: their paths, the same way. */
static enum status add_list(const struct listed *l, struct str *ret_list, struct str *ret_error)
{
    struct str uri, rest = glue_arg(&l->run->arguments, l->argument);
    while (str_next(&rest, ',', &uri)) {
        const char *path;
        if (str_trim(uri).n == 0) {
            continue;
        }
        enum status st = add_object(l, str_trim(uri), &path, ret_error);
        if (st != ST_OK) {
            return st;
        }
        append(l->run, ret_list, ",", path);
    }
    return ST_OK;
}

/* Modules are found in their folder, archives by their own path. */
static void make_py_path(struct glue_active *a, struct glue_script *s, const char *folder)
{
    bool folder_added = false;
    struct str path, rest = s->py_files;
    while (str_next(&rest, ',', &path)) {
        if (!str_ends(path, STR(".py"))) {
            append(a, &s->py_path, ":", arena_cstr(a->arena, path));
        } else if (!folder_added) {
            append(a, &s->py_path, ":", folder);
            folder_added = true;
        }
    }
}

/* Names go to pip as they are; objects by their local path, and their ETag into the key. */
static enum status add_modules(struct glue_active *a, struct glue_script *s, struct str *ret_error)
{
    const char *folder = arena_printf(a->arena, "%s/modules", s->glue).p;
    const struct listed listed = { a, s, "additional-python-modules", folder };
    struct str item, rest = glue_arg(&a->arguments, "additional-python-modules");
    struct str key = arena_printf(
        a->arena, "%.*s", STR_ARG(glue_arg(&a->arguments, "python-modules-installer-option")));
    while (str_next(&rest, ',', &item)) {
        item = str_trim(item);
        if (item.n == 0) {
            continue;
        }
        const char *word = arena_cstr(a->arena, item);
        append(a, &key, "\n", word);
        if (str_starts(item, STR("s3"))) {
            enum status st = add_object(&listed, item, &word, ret_error);
            if (st != ST_OK) {
                return st;
            }
            append(a, &key, " ", arena_cstr(a->arena, s->files[s->n_files - 1].object.etag));
        } else if (item.p[0] == '-') {
            *ret_error =
                arena_printf(a->arena,
                             "--additional-python-modules: '%s' isn't a module; options of "
                             "pip go into --python-modules-installer-option.",
                             word);
            return ST_INVALID;
        }
        append(a, &s->modules, "\n", word);
    }
    unsigned char digest[DIGEST_MAX];
    digest_bytes(DIGEST_SHA256, key.p, key.n, digest);
    s->modules_key = hex_encode(a->arena, digest, 16);
    return ST_OK;
}

enum status glue_script_add_extras(struct glue_active *a, struct glue_script *s,
                                   struct str *ret_error)
{
    const char *py = arena_printf(a->arena, "%s/py", s->glue).p;
    const char *jars = arena_printf(a->arena, "%s/jars", s->glue).p;
    const struct listed py_files = { a, s, "extra-py-files", py };
    const struct listed files = { a, s, "extra-files", s->dir };
    const struct listed jar_files = { a, s, "extra-jars", jars };
    enum status st = add_list(&py_files, &s->py_files, ret_error);
    st = st == ST_OK ? add_list(&files, &s->more, ret_error) : st;
    st = st == ST_OK ? add_list(&jar_files, &s->jars, ret_error) : st;
    st = st == ST_OK ? add_modules(a, s, ret_error) : st;
    make_py_path(a, s, py);
    return st;
}
