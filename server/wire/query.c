/* All pairs are sorted by key with the dot as the smallest character, so that everything under a
 * prefix is one run, found by the position in the key; no tree is built and a hostile form costs
 * n log n. */
#include "server/wire/query.h"

#include <stdlib.h>

#include "server/base/digest.h"

struct pair {
    struct str key, value;
    size_t order; /* of arrival: the last of equal keys counts */
};

/* A run of pairs that share the first `skip` bytes of their keys, up to and with the dot. */
struct run {
    const struct pair *v;
    size_t n;
    size_t skip;
};

struct form {
    struct decoder *d;
    bool ec2;
};

static int key_char(char c)
{
    return c == '.' ? -1 : (unsigned char)c;
}

static int compare_pairs(const void *pa, const void *pb)
{
    const struct pair *a = pa, *b = pb;
    size_t n = a->key.n < b->key.n ? a->key.n : b->key.n;
    for (size_t i = 0; i < n; i++) {
        if (a->key.p[i] != b->key.p[i]) {
            return key_char(a->key.p[i]) < key_char(b->key.p[i]) ? -1 : 1;
        }
    }
    if (a->key.n != b->key.n) {
        return a->key.n < b->key.n ? -1 : 1;
    }
    return a->order < b->order ? -1 : 1;
}

static struct str tail(const struct run *run, size_t i)
{
    return str_sub(run->v[i].key, run->skip, run->v[i].key.n);
}

/* First segment of the key behind what the run shares. */
static struct str segment(const struct run *run, size_t i)
{
    struct str head, rest;
    return str_cut(tail(run, i), '.', &head, &rest) ? head : tail(run, i);
}

/* The pairs of the first group at or after *at whose segment is that of *at. */
static struct run next_group(const struct run *run, size_t *at, struct str *ret_segment)
{
    size_t from = *at;
    *ret_segment = segment(run, from);
    while (*at < run->n && str_eq(segment(run, *at), *ret_segment)) {
        ++*at;
    }
    return (struct run){ run->v + from, *at - from, run->skip + ret_segment->n };
}

/* Compares a segment with a name in the sort order of the keys. */
static int compare_segment(struct str s, const char *name)
{
    for (size_t i = 0; i < s.n; i++) {
        if (name[i] == '\0') {
            return 1; /* first: the segment may hold a zero byte (%00) itself */
        }
        if (s.p[i] != name[i]) {
            return (unsigned char)s.p[i] > (unsigned char)name[i] ? 1 : -1;
        }
    }
    return name[s.n] == '\0' ? 0 : -1;
}

/* The group of this segment; n == 0 when there is none. Binary search over the sorted keys. */
static struct run find_group(const struct run *run, const char *name)
{
    size_t low = 0, high = run->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare_segment(segment(run, mid), name) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    struct str seg;
    if (low == run->n || !str_eqz(segment(run, low), name)) {
        return (struct run){ .n = 0 };
    }
    return next_group(run, &low, &seg);
}

/* The value of the key itself ("Name=x"); absent when there are only longer keys. */
static struct str own_value(const struct run *group)
{
    struct str value = STR_NONE;
    for (size_t i = 0; i < group->n && group->v[i].key.n == group->skip; i++) {
        value = group->v[i].value;
    }
    return value;
}

/* What is below the group's key ("Name.…"). */
static struct run below(const struct run *group)
{
    size_t i = 0;
    while (i < group->n && group->v[i].key.n == group->skip) {
        i++;
    }
    return (struct run){ group->v + i, group->n - i, group->skip + 1 };
}

static enum status decode_value(struct form *form, const struct field *f, const struct run *group,
                                void *dst, const struct path *path);
static enum status decode_struct(struct form *form, const struct shape *shape,
                                 const struct run *run, void *dst, const struct path *path);

/* An index of a list, with its group. */
struct item {
    uint64_t index;
    struct run group;
};

static int compare_items(const void *pa, const void *pb)
{
    const struct item *a = pa, *b = pb;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* The groups of a run by their number: *ret in the arena. */
static enum status items(struct form *form, const struct run *run, struct item **ret, size_t *ret_n,
                         const struct path *path)
{
    size_t n = 0;
    struct item *v = decode_array(form->d, run->n, sizeof(*v));
    if (!v) {
        return ST_NOMEM;
    }
    for (size_t at = 0; at < run->n; n++) {
        struct str seg;
        v[n].group = next_group(run, &at, &seg);
        if (str_u64(seg, &v[n].index) != ST_OK) {
            return decode_bad_value(form->d, path, "has the key '%.*s': it must be a number",
                                    STR_ARG(str_sub(seg, 0, 100)));
        }
    }
    qsort(v, n, sizeof(*v), compare_items);
    *ret = v;
    *ret_n = n;
    return ST_OK;
}

/* Steps into the list's own element ("member", "entry") when it has one. */
static struct run inner(const struct run *group, const char *name)
{
    struct run run = below(group);
    if (!name) {
        return run;
    }
    struct run element = find_group(&run, name);
    return element.n ? below(&element) : (struct run){ .n = 0 };
}

static enum status decode_list(struct form *form, const struct field *f, const struct run *group,
                               void *dst, const struct path *path)
{
    const struct shape *shape = f->shape;
    const char *name = shape->value->wire ? shape->value->wire : "member";
    struct run run = inner(group, form->ec2 || (f->flags & FIELD_FLAT) ? NULL : name);
    struct item *v = NULL;
    size_t n = 0;
    enum status st = items(form, &run, &v, &n, path);
    struct shape_seq seq = { 0, st == ST_OK ? decode_array(form->d, n, shape->size) : NULL };
    if (!seq.v) {
        return st == ST_OK ? ST_NOMEM : st;
    }
    for (; seq.n < n; seq.n++) {
        struct path frame = path_index(path, seq.n + 1);
        st = decode_value(form, shape->value, &v[seq.n].group, (char *)seq.v + seq.n * shape->size,
                          &frame);
        if (st != ST_OK) {
            return st;
        }
    }
    shape_seq_store(dst, seq);
    return ST_OK;
}

static enum status decode_entry(struct form *form, const struct shape *shape,
                                const struct run *group, char *entry, const struct path *path)
{
    struct run run = below(group);
    struct run key = find_group(&run, shape->key->wire ? shape->key->wire : "key");
    struct run value = find_group(&run, shape->value->wire ? shape->value->wire : "value");
    if (key.n == 0) {
        return decode_bad_value(form->d, path, "must have a key");
    }
    struct path frame = path_key(path, own_value(&key));
    enum status st = decode_value(form, shape->key, &key, entry + shape->key->off, &frame);
    if (st == ST_OK && value.n > 0) {
        st = decode_value(form, shape->value, &value, entry + shape->value->off, &frame);
    }
    return st;
}

static enum status decode_map(struct form *form, const struct field *f, const struct run *group,
                              void *dst, const struct path *path)
{
    struct run run = inner(group, (f->flags & FIELD_FLAT) ? NULL : "entry");
    struct item *v = NULL;
    size_t n = 0;
    enum status st = items(form, &run, &v, &n, path);
    struct shape_seq seq = { 0, st == ST_OK ? decode_array(form->d, n, f->shape->size) : NULL };
    if (!seq.v) {
        return st == ST_OK ? ST_NOMEM : st;
    }
    for (; seq.n < n; seq.n++) {
        struct path frame = path_index(path, seq.n + 1);
        st = decode_entry(form, f->shape, &v[seq.n].group, (char *)seq.v + seq.n * f->shape->size,
                          &frame);
        if (st != ST_OK) {
            return st;
        }
    }
    shape_seq_store(dst, seq);
    return ST_OK;
}

static enum status decode_value(struct form *form, const struct field *f, const struct run *group,
                                void *dst, const struct path *path)
{
    if (path->depth > DECODE_DEPTH_MAX) {
        return decode_bad_document(form->d, "The form's keys are nested too deep.");
    }
    struct run run;
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_STRUCT:
        run = below(group);
        return decode_struct(form, f->shape, &run, dst, path);
    case SHAPE_LIST:
        return decode_list(form, f, group, dst, path);
    case SHAPE_MAP:
        return decode_map(form, f, group, dst, path);
    default:
        break;
    }
    struct str value = own_value(group);
    if (!str_set(value)) {
        return decode_bad_value(form->d, path, "must be plain text");
    }
    return decode_text(form->d, f, value, dst, path);
}

static enum status decode_struct(struct form *form, const struct shape *shape,
                                 const struct run *run, void *dst, const struct path *path)
{
    for (size_t i = 0; i < shape->n_fields && run->n > 0; i++) {
        const struct field *f = &shape->fields[i];
        const char *name = form->ec2 ? f->ec2 : f->wire;
        if (!form->ec2 && (f->flags & FIELD_FLAT) && f->shape->kind == SHAPE_LIST &&
            f->shape->value->wire) {
            name = f->shape->value->wire;
        }
        struct run group = find_group(run, name);
        if (group.n == 0) {
            continue;
        }
        struct path frame = path_member(path, f->name);
        enum status st = arena_over(form->d->arena)
                             ? ST_NOMEM
                             : decode_value(form, f, &group, decode_slot(form->d, f, dst), &frame);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

static size_t count_pairs(struct str text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.n; i++) {
        n += text.p[i] == '&';
    }
    return n;
}

static void add_pairs(struct arena *a, struct str text, struct pair *v, size_t *n)
{
    struct str item, key, value;
    while (str_next(&text, '&', &item)) {
        if (str_empty(item)) {
            continue;
        }
        if (!str_cut(item, '=', &key, &value)) {
            key = item;
            value = STR("");
        }
        v[*n] = (struct pair){ url_decode(a, key, true), url_decode(a, value, true), *n };
        ++*n;
    }
}

enum status query_decode(struct decoder *d, const struct shape *shape, void *dst)
{
    struct str body = d->req->body, query = d->req->query;
    size_t n = count_pairs(body) + count_pairs(query);
    if (n > QUERY_PAIRS_MAX) {
        return decode_bad_document(d, "The form has more than %u fields.", QUERY_PAIRS_MAX);
    }
    struct pair *v = decode_array(d, n, sizeof(*v));
    if (!v) {
        return ST_NOMEM;
    }
    n = 0;
    add_pairs(d->arena, query, v, &n);
    add_pairs(d->arena, body, v, &n);
    qsort(v, n, sizeof(*v), compare_pairs);
    struct run run = { v, n, 0 };
    struct form form = { d, d->req->protocol == PROTO_EC2 };
    return decode_struct(&form, shape, &run, dst, NULL);
}

struct str codec_form_value(struct arena *a, struct str query, struct str body, const char *name)
{
    const struct str parts[] = { query, body };
    struct str found = STR_NONE, item, key, value;
    for (size_t i = 0; i < 2; i++) {
        struct str rest = parts[i];
        while (str_next(&rest, '&', &item)) {
            if (str_cut(item, '=', &key, &value) && str_eqz(url_decode(a, key, true), name)) {
                found = url_decode(a, value, true);
            }
        }
    }
    return found;
}
