#include "server/wire/validate.h"

#include "server/wire/aws_error.h"

#define FAULTS_SHOWN_MAX 10
#define VALUE_SHOWN_MAX 200

struct faults {
    struct decoder *d;
    size_t n;
    struct buf text;           /* the first FAULTS_SHOWN_MAX, separated by "; " */
    const struct field *first; /* member of the first fault, when it is missing */
};

static void check_struct(struct faults *f, const struct shape *shape, const void *base,
                         const struct path *path);

static void add_fault(struct faults *f, const struct path *path, struct str value, bool quoted,
                      struct str constraint)
{
    if (f->n++ >= FAULTS_SHOWN_MAX) {
        return;
    }
    struct str where = path_text(f->d->arena, path);
    const char *quote = quoted ? "'" : "";
    buf_printf(&f->text, "%sValue %s%.*s%s at '%.*s' failed to satisfy constraint: %.*s",
               f->text.n ? "; " : "", quote, STR_ARG(str_sub(value, 0, VALUE_SHOWN_MAX)), quote,
               STR_ARG(where), STR_ARG(constraint));
}

static void check_int(struct faults *f, const struct shape *shape, int64_t v,
                      const struct path *path)
{
    struct arena *a = f->d->arena;
    struct str shown = arena_printf(a, "%lld", (long long)v);
    if ((shape->flags & SHAPE_HAS_MIN) && v < shape->min) {
        add_fault(f, path, shown, true,
                  arena_printf(a, "Member must have value greater than or equal to %lld",
                               (long long)shape->min));
    }
    if ((shape->flags & SHAPE_HAS_MAX) && v > shape->max) {
        add_fault(f, path, shown, true,
                  arena_printf(a, "Member must have value less than or equal to %lld",
                               (long long)shape->max));
    }
}

static void check_enum(struct faults *f, const struct shape *shape, struct str v,
                       const struct path *path)
{
    struct buf all = BUF_INIT(64u << 10);
    for (const char *const *allowed = shape->values; *allowed; allowed++) {
        if (str_eqz(v, *allowed)) {
            buf_fini(&all);
            return;
        }
        buf_printf(&all, "%s%s", all.n ? ", " : "", *allowed);
    }
    struct str text = arena_printf(f->d->arena, "Member must satisfy enum value set: [%.*s]",
                                   STR_ARG(buf_str(&all)));
    add_fault(f, path, v, true, text);
    buf_fini(&all);
}

static void check_value(struct faults *f, const struct field *field, const void *value,
                        const struct path *path)
{
    const struct shape *shape = field->shape;
    struct shape_seq seq;
    switch ((enum shape_kind)shape->kind) {
    case SHAPE_STRUCT:
        check_struct(f, shape, value, path);
        break;
    case SHAPE_LIST:
        seq = shape_seq_load(value);
        for (size_t i = 0; i < seq.n; i++) {
            struct path frame = path_index(path, i + 1);
            check_value(f, shape->value, (char *)seq.v + i * shape->size, &frame);
        }
        break;
    case SHAPE_MAP:
        seq = shape_seq_load(value);
        for (size_t i = 0; i < seq.n; i++) {
            const char *entry = (char *)seq.v + i * shape->size;
            struct path frame =
                path_key(path, *(const struct str *)(const void *)(entry + shape->key->off));
            check_value(f, shape->value, entry + shape->value->off, &frame);
        }
        break;
    case SHAPE_INT:
        check_int(f, shape, ((const struct opt_i64 *)value)->v, path);
        break;
    case SHAPE_STRING:
        if (shape->values) {
            check_enum(f, shape, *(const struct str *)value, path);
        }
        break;
    default:
        break;
    }
}

static void check_struct(struct faults *f, const struct shape *shape, const void *base,
                         const struct path *path)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *field = &shape->fields[i];
        struct path frame = path_member(path, field->name);
        if (shape_is_set(field, base)) {
            check_value(f, field, shape_member(field, base), &frame);
        } else if ((field->flags & FIELD_REQUIRED) && !(field->flags & FIELD_STREAM)) {
            if (!f->first) {
                f->first = field;
            }
            add_fault(f, &frame, STR("null"), false, STR("Member must not be null"));
        }
    }
}

/* S3 has no constraint messages: a bad document is MalformedXML, a parameter is InvalidArgument. */
static enum status refuse_rest_xml(struct faults *f, const struct shape *shape, struct str text)
{
    const struct field *missing = f->first;
    if (missing && missing == shape->payload) {
        return decode_refuse(f->d, &wire_MissingRequestBodyError, "Request Body is empty");
    }
    if (missing && missing->loc != LOC_BODY) {
        return decode_refuse(f->d, &wire_InvalidArgument, "The request must contain %s.",
                             missing->wire);
    }
    return decode_bad_document(f->d,
                               "The XML you provided was not well-formed or did not validate "
                               "against our published schema: %.*s",
                               STR_ARG(text));
}

static enum status refuse(struct faults *f, const struct shape *shape)
{
    struct str text = buf_str(&f->text);
    if (f->d->req->protocol == PROTO_REST_XML) {
        return refuse_rest_xml(f, shape, text);
    }
    if (f->d->req->protocol == PROTO_EC2 && f->first) {
        return decode_refuse(f->d, aws_error_validation(f->d->req),
                             "The request must contain the parameter %s", f->first->ec2);
    }
    const struct aws_error *error = f->d->req->protocol == PROTO_EC2
                                        ? aws_error_bad_value(PROTO_EC2)
                                        : aws_error_validation(f->d->req);
    return decode_refuse(f->d, error, "%zu validation error%s detected: %.*s", f->n,
                         f->n == 1 ? "" : "s", STR_ARG(text));
}

enum status validate_input(struct decoder *d, const struct shape *shape, const void *in)
{
    struct faults f = { .d = d, .text = BUF_INIT(256u << 10) };
    check_struct(&f, shape, in, NULL);
    enum status st = f.n ? refuse(&f, shape) : ST_OK;
    buf_fini(&f.text);
    return st;
}
