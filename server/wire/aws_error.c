#include "server/wire/aws_error.h"

#include "server/wire/cbor.h"
#include "server/wire/json.h"
#include "server/wire/xml_write.h"

const struct aws_error wire_NotImplemented = {
    "NotImplemented", NULL, 501,
    "This operation is known to AWS but not implemented by this emulator."
};
const struct aws_error wire_InternalFailure = {
    "InternalFailure", NULL, 500, "The request failed because of an internal error; see the log."
};
const struct aws_error wire_ServiceUnavailable = {
    "ServiceUnavailable", NULL, 503, "The request is larger than what can be served now."
};
const struct aws_error wire_RequestEntityTooLarge = { "RequestEntityTooLarge", NULL, 413,
                                                      "The request body is too large." };
const struct aws_error wire_UnknownOperation = { "UnknownOperationException", NULL, 404,
                                                 "The requested operation is not known." };
const struct aws_error wire_InvalidAction = { "InvalidAction", NULL, 400,
                                              "The action or operation requested is invalid." };
const struct aws_error wire_MethodNotAllowed = {
    "MethodNotAllowed", NULL, 405, "The specified method is not allowed against this resource."
};
const struct aws_error wire_InvalidArgument = { "InvalidArgument", NULL, 400, "Invalid Argument" };
const struct aws_error wire_MissingRequestBodyError = { "MissingRequestBodyError", NULL, 400,
                                                        "Request Body is empty" };

static const struct aws_error unknown_operation_json = { "UnknownOperationException", NULL, 400,
                                                         "The requested operation is not known." };
static const struct aws_error serialization = { "SerializationException", NULL, 400, NULL };
static const struct aws_error malformed_xml = { "MalformedXML", NULL, 400, NULL };
static const struct aws_error malformed_input = { "MalformedInput", NULL, 400, NULL };
static const struct aws_error validation_exception = { "ValidationException", NULL, 400, NULL };
static const struct aws_error validation_error = { "ValidationError", NULL, 400, NULL };
static const struct aws_error invalid_parameter = { "InvalidParameterValue", NULL, 400, NULL };
static const struct aws_error missing_parameter = { "MissingParameter", NULL, 400, NULL };

const struct aws_error *codec_unknown_op(enum protocol protocol)
{
    switch (protocol) {
    case PROTO_QUERY:
    case PROTO_EC2:
        return &wire_InvalidAction;
    case PROTO_REST_XML:
        return &wire_MethodNotAllowed;
    case PROTO_JSON10:
    case PROTO_JSON11:
        return &unknown_operation_json;
    case PROTO_REST_JSON:
    case PROTO_CBOR:
        break;
    }
    return &wire_UnknownOperation;
}

const struct aws_error *aws_error_bad_document(enum protocol protocol)
{
    switch (protocol) {
    case PROTO_QUERY:
    case PROTO_EC2:
        return &malformed_input;
    case PROTO_REST_XML:
        return &malformed_xml;
    default:
        return &serialization;
    }
}

const struct aws_error *aws_error_bad_value(enum protocol protocol)
{
    switch (protocol) {
    case PROTO_QUERY:
        return &validation_error;
    case PROTO_EC2:
        return &invalid_parameter;
    default:
        return aws_error_bad_document(protocol);
    }
}

const struct aws_error *aws_error_validation(const struct wire_request *r)
{
    if (r->service && r->service->validation_error) {
        return r->service->validation_error;
    }
    switch (r->protocol) {
    case PROTO_QUERY:
        return &validation_error;
    case PROTO_EC2:
        return &missing_parameter;
    case PROTO_REST_XML:
        return &malformed_xml;
    default:
        return &validation_exception;
    }
}

void wire_reply_header(struct wire_reply *reply, struct arena *a, struct str name, struct str value)
{
    if (reply->n_headers == reply->headers_cap) {
        size_t cap = reply->headers_cap ? reply->headers_cap * 2 : 16;
        struct wire_header *v = ARENA_ARRAY(a, struct wire_header, cap);
        if (reply->n_headers) {
            memcpy(v, reply->headers, reply->n_headers * sizeof(*v));
        }
        reply->headers = v;
        reply->headers_cap = cap;
    }
    /* A line break in a value would start a header of the client's choice. */
    struct str safe = arena_str(a, value.p ? value : STR(""));
    char *p = (char *)(uintptr_t)safe.p;
    for (size_t i = 0; i < safe.n; i++) {
        if (((unsigned char)p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7F) {
            p[i] = ' ';
        }
    }
    reply->headers[reply->n_headers++] = (struct wire_header){ name, safe };
}

static bool is_fault(const struct wire_failure *f)
{
    return f->error->http_status >= 500;
}

/* Exception class: what the JSON protocols and SDKs name. */
static struct str class_name(const struct wire_failure *f)
{
    return str_z(f->error->shape ? f->error->shape : f->error->code);
}

static struct str message(const struct wire_failure *f)
{
    if (str_set(f->text)) {
        return f->text;
    }
    return str_z(f->error->text ? f->error->text : f->error->code);
}

static void encode_json(const struct wire_request *r, const struct wire_failure *f, struct buf *b)
{
    struct json_out o;
    json_out_init(&o, b);
    json_open(&o, '{');
    const char *key = "message";
    if (r->protocol == PROTO_REST_JSON) {
        /* Lambda, the one that we have: told apart by case, as recorded on AWS. */
        json_pair(&o, "Type", is_fault(f) ? STR("Server") : STR("User"));
        key = str_eqz(class_name(f), "ResourceNotFoundException") ? "Message" : key;
    } else {
        json_pair(&o, "__type", class_name(f));
    }
    json_pair(&o, key, message(f));
    for (size_t i = 0; i < f->n_extras; i++) {
        json_pair(&o, f->extras[i].name, f->extras[i].value);
    }
    json_close(&o, '}');
}

static void encode_cbor(const struct wire_failure *f, struct buf *b)
{
    cbor_map(b, 2 + f->n_extras);
    cbor_text(b, STR("__type"));
    cbor_text(b, class_name(f));
    cbor_text(b, STR("message"));
    cbor_text(b, message(f));
    for (size_t i = 0; i < f->n_extras; i++) {
        cbor_text(b, str_z(f->extras[i].name));
        cbor_text(b, f->extras[i].value);
    }
}

/* <Error> with what all three XML forms have. */
static void open_error(struct xml_out *x, const struct wire_failure *f, const char *type)
{
    xml_open(x, "Error");
    if (type) {
        xml_leaf(x, "Type", str_z(type));
    }
    xml_leaf(x, "Code", str_z(f->error->code));
    xml_leaf(x, "Message", message(f));
    for (size_t i = 0; i < f->n_extras; i++) {
        xml_leaf(x, f->extras[i].name, f->extras[i].value);
    }
}

static void encode_query(const struct wire_request *r, const struct wire_failure *f,
                         struct xml_out *x)
{
    xml_open(x, "ErrorResponse");
    if (r->service && r->service->xmlns) {
        xml_attr(x, "xmlns", str_z(r->service->xmlns));
    }
    open_error(x, f, is_fault(f) ? "Receiver" : "Sender");
    xml_close(x);
    xml_leaf(x, "RequestId", r->request_id);
    xml_close(x);
}

static void encode_ec2(const struct wire_request *r, const struct wire_failure *f,
                       struct xml_out *x)
{
    xml_open(x, "Response");
    xml_open(x, "Errors");
    open_error(x, f, NULL);
    xml_close(x);
    xml_close(x);
    xml_leaf(x, "RequestID", r->request_id);
    xml_close(x);
}

static void encode_rest_xml(const struct wire_request *r, const struct wire_failure *f,
                            struct xml_out *x)
{
    open_error(x, f, NULL);
    xml_leaf(x, "RequestId", r->request_id);
    if (str_set(r->host_id)) {
        xml_leaf(x, "HostId", r->host_id);
    }
    xml_close(x);
}

static bool encode_xml(const struct wire_request *r, const struct wire_failure *f, struct buf *b)
{
    struct xml_out x;
    xml_begin(&x, b);
    if (r->protocol == PROTO_QUERY) {
        encode_query(r, f, &x);
    } else if (r->protocol == PROTO_EC2) {
        encode_ec2(r, f, &x);
    } else {
        encode_rest_xml(r, f, &x);
    }
    return xml_ok(&x);
}

static void add_headers(const struct wire_request *r, const struct wire_failure *f,
                        struct wire_reply *reply)
{
    if (r->protocol & (PROTO_JSON10 | PROTO_JSON11 | PROTO_REST_JSON)) {
        wire_reply_header(reply, r->arena, STR("x-amzn-ErrorType"), class_name(f));
    }
    if (r->protocol == PROTO_CBOR) {
        wire_reply_header(reply, r->arena, STR("smithy-protocol"), STR("rpc-v2-cbor"));
    }
    if (r->query_mode) {
        struct str value =
            arena_printf(r->arena, "%s;%s", f->error->code, is_fault(f) ? "Receiver" : "Sender");
        wire_reply_header(reply, r->arena, STR("x-amzn-query-error"), value);
    }
}

enum status aws_error_encode(const struct wire_request *r, const struct wire_failure *failure,
                             struct wire_reply *reply)
{
    reply->http_status = failure->error->http_status;
    add_headers(r, failure, reply);
    if (str_eqz(r->method, "HEAD") || reply->http_status == 304) {
        return ST_OK;
    }
    reply->content_type = str_z(codec_content_type(r->protocol));
    bool ok = true;
    switch (r->protocol) {
    case PROTO_CBOR:
        encode_cbor(failure, &reply->body);
        break;
    case PROTO_QUERY:
    case PROTO_EC2:
    case PROTO_REST_XML:
        ok = encode_xml(r, failure, &reply->body);
        break;
    default:
        encode_json(r, failure, &reply->body);
        break;
    }
    return ok && buf_ok(&reply->body) ? ST_OK : ST_NOMEM;
}
