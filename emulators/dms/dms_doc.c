#include "emulators/dms/dms_doc.h"

#include "emulators/dms/dms_model.h"
#include "server/wire/codec.h"
#include "server/wire/shape_def.h"

enum status dms_doc_write(struct arena *a, const char *op, const void *out, struct str *ret)
{
    struct wire_request r = { .protocol = PROTO_JSON11,
                              .op = op_find(dms_ops, DMS_N_OPS, str_z(op)),
                              .arena = a };
    struct wire_reply reply = { 0 };
    enum status st = codec_encode(&r, out, &reply);
    if (st == ST_OK) {
        *ret = arena_str(a, buf_str(&reply.body));
    }
    wire_reply_fini(&reply);
    return st;
}

enum status dms_doc_read(struct arena *a, const char *op, struct str text, void **ret)
{
    const struct op *real = op_find(dms_ops, DMS_N_OPS, str_z(op));
    struct op as_input = *real;
    as_input.in = real->out;
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

const struct shape *dms_doc_member(const char *op, const char *member)
{
    const struct op *o = op_find(dms_ops, DMS_N_OPS, str_z(op));
    for (uint16_t i = 0; o && i < o->in->n_fields; i++) {
        if (strcmp(o->in->fields[i].name, member) == 0) {
            return o->in->fields[i].shape;
        }
    }
    return NULL;
}
