#include "server/wire/doc.h"

#include <string.h>

#include "server/wire/codec.h"
#include "server/wire/shape_def.h"

enum status doc_write(const struct op *op, struct arena *a, const void *out, struct str *ret)
{
    struct wire_request r = { .protocol = PROTO_JSON11, .op = op, .arena = a };
    struct wire_reply reply = { 0 };
    enum status st = codec_encode(&r, out, &reply);
    if (st == ST_OK) {
        *ret = arena_str(a, buf_str(&reply.body));
    }
    wire_reply_fini(&reply);
    return st;
}

enum status doc_read(const struct op *op, struct arena *a, struct str text, void **ret)
{
    struct op as_input = *op;
    as_input.in = op->out;
    struct wire_request r = { .protocol = PROTO_JSON11,
                              .op = &as_input,
                              .arena = a,
                              .method = STR("POST"),
                              .path = STR("/"),
                              .body = text };
    struct wire_failure failure = { 0 };
    enum status st = codec_decode(&r, ret, &failure);
    return st == ST_AWS ? ST_INVALID : st;
}

/* The member that a form names: `ops` and the names are the program's own, so it is there. */
static const struct field *member_of(const struct doc_form *f, const struct op **ret_op)
{
    *ret_op = op_find(f->ops, f->n_ops, str_z(f->op));
    const struct field *field = (*ret_op)->out->fields;
    while (strcmp(field->name, f->member) != 0) {
        field++;
    }
    return field;
}

enum status doc_form_write(const struct doc_form *f, struct arena *a, const void *in,
                           struct str *ret)
{
    const struct op *op;
    const struct field *member = member_of(f, &op);
    char *out = codec_new_out(op, a);
    if (member->shape->kind == SHAPE_LIST) {
        void *one = arena_alloc(a, member->shape->size);
        memcpy(one, in, member->shape->size);
        shape_seq_store(out + member->off, (struct shape_seq){ 1, one });
    } else {
        memcpy(out + member->off, &in, sizeof(in));
    }
    return doc_write(op, a, out, ret);
}

enum status doc_form_read(const struct doc_form *f, struct arena *a, struct str text, void *ret)
{
    const struct op *op;
    const struct field *member = member_of(f, &op);
    void *out;
    enum status st = doc_read(op, a, text, &out);
    if (st != ST_OK) {
        return st;
    }
    void *in = shape_member(member, out);
    if (member->shape->kind == SHAPE_LIST) {
        const struct shape_seq seq = shape_seq_load(in);
        in = seq.n == 1 ? seq.v : NULL;
    }
    shape_ptr_store(ret, in);
    return in ? ST_OK : ST_INVALID;
}

size_t doc_form_size(const struct doc_form *f)
{
    const struct op *op;
    return member_of(f, &op)->shape->size;
}
