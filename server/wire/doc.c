#include "server/wire/doc.h"

#include "server/wire/codec.h"

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
