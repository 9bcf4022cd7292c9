#include "server/wire/shape_def.h"

#include <string.h>

const struct shape shape_any_string = { .name = "String", .kind = SHAPE_STRING };
const struct shape shape_any_int = { .name = "Integer", .kind = SHAPE_INT, .flags = SHAPE_INT32 };
const struct shape shape_any_long = { .name = "Long", .kind = SHAPE_INT };
const struct shape shape_any_float = { .name = "Double", .kind = SHAPE_FLOAT };
const struct shape shape_any_bool = { .name = "Boolean", .kind = SHAPE_BOOL };
const struct shape shape_any_time = { .name = "Timestamp", .kind = SHAPE_TIME };
const struct shape shape_any_blob = { .name = "Blob", .kind = SHAPE_BLOB };
const struct shape shape_any_doc = { .name = "Document", .kind = SHAPE_DOC };

/* Lists and pointers have a type of their own in each model, so they are copied as bytes. */
struct shape_seq shape_seq_load(const void *slot)
{
    struct shape_seq seq;
    memcpy(&seq, slot, sizeof(seq));
    return seq;
}

void shape_seq_store(void *slot, struct shape_seq seq)
{
    memcpy(slot, &seq, sizeof(seq));
}

void *shape_ptr_load(const void *slot)
{
    void *p;
    memcpy(&p, slot, sizeof(p));
    return p;
}

void shape_ptr_store(void *slot, void *p)
{
    memcpy(slot, &p, sizeof(p));
}

void *shape_member(const struct field *f, const void *base)
{
    char *slot = (char *)(uintptr_t)base + f->off;
    return f->shape->kind == SHAPE_STRUCT ? shape_ptr_load(slot) : slot;
}

bool shape_is_set(const struct field *f, const void *base)
{
    const void *slot = (const char *)base + f->off;
    switch ((enum shape_kind)f->shape->kind) {
    case SHAPE_STRUCT:
        return shape_ptr_load(slot) != NULL;
    case SHAPE_LIST:
    case SHAPE_MAP:
        return shape_seq_load(slot).v != NULL;
    case SHAPE_INT:
        return ((const struct opt_i64 *)slot)->set;
    case SHAPE_FLOAT:
        return ((const struct opt_f64 *)slot)->set;
    case SHAPE_BOOL:
        return ((const struct opt_bool *)slot)->set;
    case SHAPE_TIME:
        return ((const struct opt_time *)slot)->set;
    case SHAPE_STRING:
    case SHAPE_BLOB:
    case SHAPE_DOC:
        break;
    }
    return str_set(*(const struct str *)slot);
}
