#include "emulators/dms/endpoint/attributes.h"

#include "emulators/dms/dms_internal.h"
#include "server/wire/shape_def.h"

static bool listed(const char *const *names, struct str name)
{
    for (; *names; names++) {
        if (str_ieqz(name, *names)) {
            return true;
        }
    }
    return false;
}

static const struct field *find_member(const struct dms_attribute_rules *r, struct str name)
{
    if (r->members && !listed(r->members, name)) {
        return NULL;
    }
    for (uint16_t i = 0; i < r->shape->n_fields; i++) {
        if (str_ieqz(name, r->shape->fields[i].name)) {
            return &r->shape->fields[i];
        }
    }
    return NULL;
}

/* One of the names that are no member's: *ret is the member it stands for, or NULL. */
static bool find_other(const struct dms_attribute_rules *r, struct str name,
                       const struct field **ret)
{
    for (size_t i = 0; r->others && r->others[i][0]; i++) {
        if (str_ieqz(name, r->others[i][0])) {
            const char *member = r->others[i][1];
            *ret = member ? find_member(r, str_z(member)) : NULL;
            return true;
        }
    }
    return false;
}

static enum status set_member(struct arena *a, const struct field *f, void *settings,
                              struct str value, struct str *ret_error)
{
    char *slot = (char *)settings + f->off;
    switch (f->shape->kind) {
    case SHAPE_STRING: {
        struct str copy = arena_str(a, str_trim(value));
        memcpy(slot, &copy, sizeof(copy));
        return ST_OK;
    }
    case SHAPE_INT: {
        struct opt_i64 v = { .set = true };
        if (str_i64(str_trim(value), &v.v) != ST_OK) {
            return dms_refuse(a, ret_error,
                              "The value '%.*s' of the extra connection attribute %s is "
                              "not a whole number.",
                              STR_ARG(value), f->name);
        }
        memcpy(slot, &v, sizeof(v));
        return ST_OK;
    }
    case SHAPE_BOOL: {
        struct opt_bool v = { .set = true };
        if (str_bool(str_trim(value), &v.v) != ST_OK) {
            return dms_refuse(a, ret_error,
                              "The value '%.*s' of the extra connection attribute %s is "
                              "not one of true, false, y, n.",
                              STR_ARG(value), f->name);
        }
        memcpy(slot, &v, sizeof(v));
        return ST_OK;
    }
    default:
        return dms_refuse(a, ret_error, "The extra connection attribute %s can't be set this way.",
                          f->name);
    }
}

enum status dms_attributes(struct arena *a, struct str text,
                           const struct dms_attribute_rules *rules, void *settings,
                           struct str *ret_error)
{
    struct str rest = text, item;
    while (str_next(&rest, ';', &item)) {
        item = str_trim(item);
        if (item.n == 0) {
            continue;
        }
        struct str name, value;
        if (!str_cut(item, '=', &name, &value)) {
            return dms_refuse(a, ret_error, "The extra connection attribute '%.*s' has no '='.",
                              STR_ARG(item));
        }
        name = str_trim(name);
        const struct field *f = find_member(rules, name);
        if (!f && !find_other(rules, name, &f)) {
            return dms_refuse(a, ret_error,
                              "%.*s is not a valid parameter in extra connection attributes for "
                              "the engine %s.",
                              STR_ARG(name), rules->engine);
        }
        if (!f || shape_is_set(f, settings)) {
            continue;
        }
        enum status st = set_member(a, f, settings, value, ret_error);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

struct str dms_attribute(struct str text, const char *name)
{
    struct str rest = text, item, key, value;
    while (str_next(&rest, ';', &item)) {
        if (str_cut(item, '=', &key, &value) && str_ieqz(str_trim(key), name)) {
            return str_trim(value);
        }
    }
    return STR_NONE;
}

void dms_overlay(const struct shape *shape, void *to, const void *from)
{
    for (uint16_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (!shape_is_set(f, from)) {
            continue;
        }
        size_t size = f->shape->kind == SHAPE_INT    ? sizeof(struct opt_i64)
                      : f->shape->kind == SHAPE_BOOL ? sizeof(struct opt_bool)
                      : f->shape->kind == SHAPE_LIST ? sizeof(struct shape_seq)
                                                     : sizeof(struct str);
        memcpy((char *)to + f->off, (const char *)from + f->off, size);
    }
}
