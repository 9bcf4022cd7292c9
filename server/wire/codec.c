#include "server/wire/codec.h"

#include "server/wire/aws_error.h"
#include "server/wire/cbor.h"
#include "server/wire/json_codec.h"
#include "server/wire/query.h"
#include "server/wire/rest.h"
#include "server/wire/validate.h"
#include "server/wire/xml_codec.h"

const char *codec_content_type(enum protocol protocol)
{
    switch (protocol) {
    case PROTO_JSON10:
        return "application/x-amz-json-1.0";
    case PROTO_JSON11:
        return "application/x-amz-json-1.1";
    case PROTO_QUERY:
        return "text/xml";
    case PROTO_EC2:
        return "text/xml;charset=UTF-8";
    case PROTO_REST_JSON:
        return "application/json";
    case PROTO_REST_XML:
        return "application/xml";
    case PROTO_CBOR:
        break;
    }
    return "application/cbor";
}

static enum status decode_cbor(struct decoder *d, void *in)
{
    struct json_value *v;
    struct str why = STR("");
    if (str_empty(d->req->body)) {
        return ST_OK;
    }
    if (cbor_parse(d->arena, d->req->body, &v, &why) == ST_OK) {
        return json_decode_struct(d, d->req->op->in, v, in, NULL);
    }
    return arena_over(d->arena)
               ? ST_NOMEM
               : decode_bad_document(d, "The request body is not valid CBOR: %.*s.", STR_ARG(why));
}

static enum status decode_input(struct decoder *d, void *in)
{
    const struct shape *shape = d->req->op->in;
    switch (d->req->protocol) {
    case PROTO_JSON10:
    case PROTO_JSON11:
        return json_decode(d, shape, d->req->body, in);
    case PROTO_QUERY:
    case PROTO_EC2:
        return query_decode(d, shape, in);
    case PROTO_REST_JSON:
    case PROTO_REST_XML:
        return rest_decode(d, in);
    case PROTO_CBOR:
        break;
    }
    return decode_cbor(d, in);
}

enum status codec_decode(const struct wire_request *r, void **ret_in,
                         struct wire_failure *ret_failure)
{
    struct decoder d = { r, r->arena, ret_failure };
    *ret_failure = (struct wire_failure){ 0 };
    *ret_in = NULL;
    if (!r->op->in) {
        return ST_OK;
    }
    *ret_in = arena_alloc(r->arena, r->op->in->size);
    enum status st = decode_input(&d, *ret_in);
    if (st == ST_OK) {
        st = arena_over(r->arena) ? ST_NOMEM : validate_input(&d, r->op->in, *ret_in);
    }
    return st;
}

void *codec_new_out(const struct op *op, struct arena *a)
{
    return op->out ? arena_alloc(a, op->out->size) : NULL;
}

/* --- answers ---------------------------------------------------------------------------------- */

static struct str response_name(const struct wire_request *r)
{
    return arena_printf(r->arena, "%sResponse", r->op->name);
}

static void open_response(const struct wire_request *r, struct xml_out *x)
{
    xml_open(x, response_name(r).p);
    if (r->service && r->service->xmlns) {
        xml_attr(x, "xmlns", str_z(r->service->xmlns));
    }
}

static bool encode_query(const struct wire_request *r, const void *out, struct buf *b)
{
    struct xml_out x;
    xml_begin(&x, b);
    open_response(r, &x);
    if (r->op->result_wrapper) {
        xml_open(&x, r->op->result_wrapper);
    }
    if (out && r->op->out) {
        xml_encode_struct(&x, r->op->out, out, XML_TIMES_PLAIN);
    }
    if (r->op->result_wrapper) {
        xml_close(&x);
    }
    xml_open(&x, "ResponseMetadata");
    xml_leaf(&x, "RequestId", r->request_id);
    xml_close(&x);
    xml_close(&x);
    return xml_ok(&x);
}

static bool encode_ec2(const struct wire_request *r, const void *out, struct buf *b)
{
    struct xml_out x;
    xml_begin(&x, b);
    open_response(r, &x);
    xml_leaf(&x, "requestId", r->request_id);
    if (out && r->op->out) {
        xml_encode_struct(&x, r->op->out, out, XML_TIMES_MS);
    } else {
        xml_leaf(&x, "return", STR("true"));
    }
    xml_close(&x);
    return xml_ok(&x);
}

static bool encode_json(const struct wire_request *r, const void *out, struct buf *b)
{
    static const struct shape empty = { .kind = SHAPE_STRUCT };
    struct json_out o;
    json_out_init(&o, b);
    json_encode_struct(&o, r->op->out ? r->op->out : &empty, out);
    return buf_ok(b);
}

static bool encode_cbor(const struct wire_request *r, const void *out, struct wire_reply *reply)
{
    wire_reply_header(reply, r->arena, STR("smithy-protocol"), STR("rpc-v2-cbor"));
    cbor_encode_struct(&reply->body, r->op->out, out);
    return buf_ok(&reply->body);
}

enum status codec_encode(const struct wire_request *r, const void *out,
                         struct wire_reply *ret_reply)
{
    bool ok = true;
    *ret_reply = (struct wire_reply){ .http_status = r->op->http_status };
    buf_init(&ret_reply->body, CODEC_BODY_MAX);
    if (r->protocol & (PROTO_REST_JSON | PROTO_REST_XML)) {
        return rest_encode(r, out, ret_reply);
    }
    ret_reply->content_type = str_z(codec_content_type(r->protocol));
    switch (r->protocol) {
    case PROTO_QUERY:
        ok = encode_query(r, out, &ret_reply->body);
        break;
    case PROTO_EC2:
        ok = encode_ec2(r, out, &ret_reply->body);
        break;
    case PROTO_CBOR:
        ok = encode_cbor(r, out, ret_reply);
        break;
    default:
        ok = encode_json(r, out, &ret_reply->body);
        break;
    }
    return ok ? ST_OK : ST_NOMEM;
}

enum status codec_encode_error(const struct wire_request *r, const struct wire_failure *failure,
                               struct wire_reply *ret_reply)
{
    *ret_reply = (struct wire_reply){ 0 };
    buf_init(&ret_reply->body, CODEC_BODY_MAX);
    return aws_error_encode(r, failure, ret_reply);
}

void wire_reply_fini(struct wire_reply *reply)
{
    buf_fini(&reply->body);
}
