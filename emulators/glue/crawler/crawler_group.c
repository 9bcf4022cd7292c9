/* From the leaves up: a folder whose files agree is a data set of depth 0; a folder whose
 * subfolders are data sets of the same depth that agree is one of a depth more. Where they don't
 * agree, each becomes a table of its own, and so does everything beside it on the way up to the
 * include path. */
#include "emulators/glue/crawler/crawler_group.h"

#include "server/base/digest.h"
#include "server/base/list.h"

#define NAME_MAX_BYTES 255

/* One folder with files. */
struct leaf {
    struct leaf *next;
    struct str path; /* below the bucket, ends with '/' */
    struct schema schema;
    struct crawl_totals totals;
};

/* What a folder comes to. */
struct dataset {
    enum { SET_NONE, SET_ONE, SET_SPLIT } kind; /* nothing in it, one table, several already made */
    int64_t depth;
    struct schema schema;
    struct leaf *first, *last;
};

struct file_ref {
    const struct crawl_file *file;
};

struct folder {
    struct folder *next, *children, *last_child;
    struct str path; /* below the bucket; empty or ends with '/' */
    struct file_ref *files;
    size_t n;
    struct dataset set;
};

struct grouping {
    struct arena *arena;
    const struct crawl_grouping *g;
    struct crawl_tables *out;
};

/* --- the tree: keys come in order, so a folder's keys come in a row --------------------------- */
static struct folder *child_of(struct arena *a, struct folder *f, struct str path)
{
    if (f->last_child && str_eq(f->last_child->path, path)) {
        return f->last_child;
    }
    struct folder *child = ARENA_NEW(a, struct folder);
    child->path = path;
    return CHAIN_APPEND(f->children, f->last_child, child);
}

static void add_file(struct arena *a, struct folder *root, const struct crawl_file *file)
{
    struct folder *f = root;
    ptrdiff_t slash;
    while ((slash = str_find(file->key, '/', f->path.n)) >= 0) {
        f = child_of(a, f, str_sub(file->key, 0, (size_t)slash + 1));
    }
    ARENA_GROW(a, f->files, f->n);
    f->files[f->n++].file = file;
}

/* --- agreement -------------------------------------------------------------------------------- */
static bool agree(const struct grouping *x, const struct schema *a, const struct schema *b)
{
    return schema_same_format(a, b) &&
           (x->g->combine || schema_similarity(a, b) >= CRAWLER_SIMILARITY);
}

static void add_totals(struct crawl_totals *t, const struct crawl_totals *more)
{
    t->files += more->files;
    t->bytes += more->bytes;
    t->records += more->records;
}

/* --- making tables ---------------------------------------------------------------------------- */
static struct str location(struct grouping *x, struct str path)
{
    return arena_printf(x->arena, "s3://%.*s/%.*s", STR_ARG(x->g->bucket), STR_ARG(path));
}

/* "year=2026/": the folder's name in `path` at `from`; *ret_next is where the next begins. */
static struct str component(struct str path, size_t from, size_t *ret_next)
{
    ptrdiff_t slash = str_find(path, '/', from);
    *ret_next = slash < 0 ? path.n : (size_t)slash + 1;
    return str_sub(path, from, slash < 0 ? path.n : (size_t)slash);
}

static struct str base_name(struct str path)
{
    struct str rest = str_ends(path, STR("/")) ? str_sub(path, 0, path.n - 1) : path;
    for (size_t i = rest.n; i > 0; i--) {
        if (rest.p[i - 1] == '/') {
            return str_sub(rest, i, rest.n);
        }
    }
    return rest;
}

static struct crawl_table *new_table(struct grouping *x, struct str path)
{
    struct crawl_tables *out = x->out;
    ARENA_GROW(x->arena, out->v, out->n);
    struct crawl_table *t = &out->v[out->n++];
    struct str base = base_name(path);
    *t = (struct crawl_table){ .base = str_empty(base) ? x->g->bucket : base,
                               .location = location(x, path) };
    return t;
}

/* The name of partition level `level`: the same key in every folder, or absent. */
static struct str level_key(const struct dataset *set, size_t root, int64_t level)
{
    struct str key = STR_NONE, name = STR(""), head, tail;
    for (const struct leaf *l = set->first; l; l = l->next) {
        size_t at = root;
        for (int64_t i = 0; i <= level; i++) {
            name = component(l->path, at, &at);
        }
        bool named = str_cut(name, '=', &head, &tail) && head.n;
        if (!named || (str_set(key) && !str_eq(key, head))) {
            return STR_NONE;
        }
        key = head;
    }
    return key;
}

static void make_keys(struct grouping *x, struct crawl_table *t, const struct dataset *set,
                      size_t root, bool *ret_named)
{
    t->n_keys = (size_t)set->depth;
    t->keys = ARENA_ARRAY(x->arena, struct str, t->n_keys + 1);
    for (size_t i = 0; i < t->n_keys; i++) {
        struct str key = level_key(set, root, (int64_t)i);
        ret_named[i] = str_set(key);
        t->keys[i] =
            ret_named[i] ? arena_lower(x->arena, key) : arena_printf(x->arena, "partition_%zu", i);
    }
}

static const struct str *values_of(struct grouping *x, const struct crawl_table *t,
                                   const struct leaf *l, size_t root, const bool *named)
{
    struct str *values = ARENA_ARRAY(x->arena, struct str, t->n_keys + 1), head, tail;
    for (size_t i = 0; i < t->n_keys; i++) {
        struct str name = component(l->path, root, &root);
        bool cut = named[i] && str_cut(name, '=', &head, &tail);
        values[i] = cut ? url_decode(x->arena, tail, false) : name;
    }
    return values;
}

/* A column that is also a partition key would be there twice. */
static void drop_key_columns(struct grouping *x, struct crawl_table *t)
{
    struct hive_field *kept = ARENA_ARRAY(x->arena, struct hive_field, t->schema.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < t->schema.n; i++) {
        bool key = false;
        for (size_t k = 0; k < t->n_keys; k++) {
            key |= str_ieq(t->keys[k], t->schema.columns[i].name);
        }
        if (!key) {
            kept[n++] = t->schema.columns[i];
        }
    }
    t->schema.columns = kept;
    t->schema.n = n;
}

static void emit_set(struct grouping *x, const struct folder *f, const struct dataset *set)
{
    struct crawl_table *t = new_table(x, f->path);
    bool *named = ARENA_ARRAY(x->arena, bool, (size_t)set->depth + 1);
    t->schema = set->schema;
    make_keys(x, t, set, f->path.n, named);
    if (t->n_keys && !str_eqz(t->schema.classification, "csv")) {
        drop_key_columns(x, t);
    }
    size_t n = 0;
    for (const struct leaf *l = set->first; l; l = l->next) {
        add_totals(&t->totals, &l->totals);
        n++;
    }
    if (t->n_keys == 0) {
        return;
    }
    t->partitions = ARENA_ARRAY(x->arena, struct crawl_partition, n);
    for (const struct leaf *l = set->first; l; l = l->next) {
        t->partitions[t->n_partitions++] =
            (struct crawl_partition){ .location = location(x, l->path),
                                      .values = values_of(x, t, l, f->path.n, named),
                                      .schema = l->schema,
                                      .totals = l->totals };
    }
}

static void emit_file(struct grouping *x, const struct crawl_file *file,
                      const struct schema *schema)
{
    struct crawl_table *t = new_table(x, file->key);
    t->schema = *schema;
    t->totals = (struct crawl_totals){ 1, file->size, file->records };
}

/* --- folders ---------------------------------------------------------------------------------- */
/* Level of a folder as TableLevelConfiguration counts: the bucket is 1. */
static int64_t level_of(const struct folder *f)
{
    int64_t level = 1;
    for (size_t i = 0; i < f->path.n; i++) {
        level += f->path.p[i] == '/';
    }
    return level;
}

/* Files of no known format count only where there are no others. */
static const struct schema *counted(const struct crawl_file *file, bool any_known)
{
    return file->schema && (!any_known || schema_known(file->schema)) ? file->schema : NULL;
}

static bool files_agree(struct grouping *x, const struct folder *f, bool any_known, bool forced)
{
    const struct schema *first = NULL;
    for (size_t i = 0; i < f->n; i++) {
        const struct schema *schema = counted(f->files[i].file, any_known);
        if (first && schema && !forced && !agree(x, first, schema)) {
            return false;
        }
        first = first ? first : schema;
    }
    return true;
}

/* The folder's own files. */
static struct dataset own_files(struct grouping *x, const struct folder *f, bool forced)
{
    struct dataset set = { .kind = SET_NONE };
    bool any_known = false;
    for (size_t i = 0; i < f->n; i++) {
        any_known |= counted(f->files[i].file, true) != NULL;
    }
    if (!files_agree(x, f, any_known, forced)) {
        for (size_t i = 0; i < f->n; i++) {
            const struct schema *schema = counted(f->files[i].file, any_known);
            if (schema) {
                emit_file(x, f->files[i].file, schema);
            }
        }
        set.kind = SET_SPLIT;
        return set;
    }
    struct leaf *leaf = ARENA_NEW(x->arena, struct leaf);
    leaf->path = f->path;
    for (size_t i = 0; i < f->n; i++) {
        const struct crawl_file *file = f->files[i].file;
        const struct schema *schema = counted(file, any_known);
        if (schema) {
            leaf->schema =
                set.kind == SET_NONE ? *schema : schema_merge(x->arena, &leaf->schema, schema);
            set.kind = SET_ONE;
        }
        if (schema || !file->schema) { /* not looked at: as the others */
            add_totals(&leaf->totals, &(struct crawl_totals){ 1, file->size, file->records });
        }
    }
    set.schema = leaf->schema;
    set.first = set.last = leaf;
    return set;
}

static void append(struct grouping *x, struct dataset *set, const struct dataset *more)
{
    if (set->kind == SET_NONE) {
        *set = *more;
        return;
    }
    set->schema = schema_merge(x->arena, &set->schema, &more->schema);
    set->last->next = more->first;
    set->last = more->last;
}

/* What the folder's subfolders and its own files say together. */
struct verdict {
    bool any, split, same_depth, agreed;
    const struct dataset *first;
};

static void judge(const struct grouping *x, struct verdict *v, const struct dataset *set)
{
    v->split |= set->kind == SET_SPLIT;
    if (set->kind != SET_ONE) {
        return;
    }
    if (v->first) {
        v->same_depth &= set->depth == v->first->depth;
        v->agreed &= agree(x, &v->first->schema, &set->schema);
    }
    v->first = v->first ? v->first : set;
    v->any = true;
}

static void emit_all(struct grouping *x, const struct folder *f, const struct dataset *own)
{
    if (own->kind == SET_ONE) {
        emit_set(x, f, own);
    }
    for (const struct folder *c = f->children; c; c = c->next) {
        if (c->set.kind == SET_ONE) {
            emit_set(x, c, &c->set);
        }
    }
}

static void evaluate(struct grouping *x, struct folder *f)
{
    int64_t level = level_of(f), wanted = x->g->table_level;
    bool forced = wanted && level >= wanted, below = wanted && level < wanted;
    struct verdict v = { .same_depth = true, .agreed = true };
    for (struct folder *c = f->children; c; c = c->next) {
        evaluate(x, c);
        judge(x, &v, &c->set);
    }
    bool has_children = v.any;
    struct dataset own = own_files(x, f, forced);
    judge(x, &v, &own);
    bool together = !v.split && !below && (v.agreed || forced);
    bool mixed = own.kind == SET_ONE && has_children;
    /* Files beside folders, or folders of several depths, have no common partition keys: such a
     * table is read with all that is below it, without partitions. */
    bool flat = mixed || !v.same_depth;
    if (!v.any) {
        f->set.kind = v.split ? SET_SPLIT : SET_NONE;
        return;
    }
    if (!together || (!v.same_depth && !mixed && !forced)) {
        emit_all(x, f, &own);
        f->set.kind = SET_SPLIT;
        return;
    }
    struct dataset set = own;
    for (const struct folder *c = f->children; c; c = c->next) {
        if (c->set.kind == SET_ONE) {
            append(x, &set, &c->set);
        }
    }
    set.depth = flat ? 0 : has_children ? v.first->depth + 1 : 0;
    f->set = set;
}

void crawler_group(struct arena *a, const struct crawl_grouping *g, const struct crawl_file *files,
                   size_t n, struct crawl_tables *ret)
{
    struct grouping x = { .arena = a, .g = g, .out = ret };
    struct folder root = { .path = g->prefix };
    for (size_t i = 0; i < n; i++) {
        add_file(a, &root, &files[i]);
    }
    evaluate(&x, &root);
    if (root.set.kind == SET_ONE) {
        emit_set(&x, &root, &root.set);
    }
}

void crawler_group_file(struct arena *a, const struct crawl_grouping *g,
                        const struct crawl_file *file, struct crawl_tables *ret)
{
    struct grouping x = { .arena = a, .g = g, .out = ret };
    if (file->schema) {
        emit_file(&x, file, file->schema);
    }
}

struct str crawler_table_name(struct arena *a, struct str prefix, struct str base)
{
    struct str name = arena_lower(a, arena_join(a, prefix, base));
    char *p = arena_cstr(a, name);
    size_t n = name.n < NAME_MAX_BYTES ? name.n : NAME_MAX_BYTES;
    for (size_t i = 0; i < n; i++) {
        bool keep = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9') || p[i] == '_';
        if (!keep) {
            p[i] = '_';
        }
    }
    return (struct str){ p, n };
}
