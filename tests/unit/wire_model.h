/* A small recursive shape with every kind of member, and helpers, for the tests of server/wire. */
#ifndef CISTERN_TESTS_WIRE_MODEL_H
#define CISTERN_TESTS_WIRE_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/wire/codec.h"
#include "server/wire/shape_def.h"

#define TEST_ARENA (64u << 20)

struct t_node;
struct t_names {
    size_t n;
    struct str *v;
};
struct t_nodes {
    size_t n;
    struct t_node *v;
};
struct t_map_entry {
    struct str key;
    struct str value;
};
struct t_map {
    size_t n;
    struct t_map_entry *v;
};
struct t_node {
    struct str Name;
    struct opt_i64 Count; /* 32 bits, 1 to 1000 */
    struct opt_i64 Size;  /* 64 bits */
    struct opt_f64 Ratio;
    struct opt_bool Flag;
    struct opt_time When;
    struct str Data;
    struct str Doc;
    struct str Color; /* red or blue */
    struct t_names Names;
    struct t_names Flat;
    struct t_map Map;
    struct t_node *Child;
    struct t_nodes Children;
};

static const struct shape t_count = { .name = "Count",
                                      .kind = SHAPE_INT,
                                      .flags = SHAPE_INT32 | SHAPE_HAS_MIN | SHAPE_HAS_MAX,
                                      .min = 1,
                                      .max = 1000 };
static const char *const t_colors[] = { "red", "blue", NULL };
static const struct shape t_color = { .name = "Color", .kind = SHAPE_STRING, .values = t_colors };
static const struct field t_name_value = { .shape = &shape_any_string };
static const struct shape t_names = {
    .name = "Names", .kind = SHAPE_LIST, .size = sizeof(struct str), .value = &t_name_value
};
static const struct field t_map_key = { .shape = &shape_any_string };
static const struct field t_map_value = { .shape = &shape_any_string,
                                          .off = offsetof(struct t_map_entry, value) };
static const struct shape t_map = { .name = "Map",
                                    .kind = SHAPE_MAP,
                                    .size = sizeof(struct t_map_entry),
                                    .key = &t_map_key,
                                    .value = &t_map_value };
static const struct shape t_node;
static const struct field t_nodes_value = { .shape = &t_node };
static const struct shape t_nodes = {
    .name = "Nodes", .kind = SHAPE_LIST, .size = sizeof(struct t_node), .value = &t_nodes_value
};
#define T_FIELD(member, type, extra)                                        \
    {                                                                       \
        .name = #member, .wire = #member, .ec2 = #member, .shape = &(type), \
        .off = offsetof(struct t_node, member), .flags = (extra)            \
    }
static const struct field t_fields[] = {
    T_FIELD(Name, shape_any_string, FIELD_REQUIRED),
    T_FIELD(Count, t_count, 0),
    T_FIELD(Size, shape_any_long, 0),
    T_FIELD(Ratio, shape_any_float, 0),
    T_FIELD(Flag, shape_any_bool, 0),
    T_FIELD(When, shape_any_time, 0),
    T_FIELD(Data, shape_any_blob, 0),
    T_FIELD(Doc, shape_any_doc, 0),
    T_FIELD(Color, t_color, 0),
    T_FIELD(Names, t_names, 0),
    T_FIELD(Flat, t_names, FIELD_FLAT),
    T_FIELD(Map, t_map, 0),
    T_FIELD(Child, t_node, 0),
    T_FIELD(Children, t_nodes, 0),
};
static const struct shape t_node = { .name = "Node",
                                     .kind = SHAPE_STRUCT,
                                     .size = sizeof(struct t_node),
                                     .fields = t_fields,
                                     .n_fields = ARRAY_LEN(t_fields) };
static const struct op t_put = { .name = "Put",
                                 .in = &t_node,
                                 .out = &t_node,
                                 .method = "POST",
                                 .uri = "/",
                                 .http_status = 200,
                                 .result_wrapper = "PutResult" };

/* A decoded request; the body is an exact copy, so that the sanitizer sees every byte too far. */
struct t_result {
    struct arena *arena;
    char *body;
    enum status st;
    struct t_node *in;
    struct wire_failure failure;
};

static inline struct t_result t_decode(enum protocol protocol, struct str body)
{
    struct t_result t = { .arena = arena_new(TEST_ARENA), .body = xmalloc(body.n ? body.n : 1) };
    if (body.n) {
        memcpy(t.body, body.p, body.n);
    }
    struct wire_request r = { .protocol = protocol,
                              .op = &t_put,
                              .arena = t.arena,
                              .method = STR("POST"),
                              .path = STR("/"),
                              .query = STR(""),
                              .body = { t.body, body.n } };
    void *in = NULL;
    t.st = codec_decode(&r, &in, &t.failure);
    t.in = in;
    return t;
}

static inline void t_free(struct t_result *t)
{
    free(t->body);
    arena_free(t->arena);
}

/* Must be refused with this code and a text that holds `part`. */
static inline void t_refused(enum protocol protocol, struct str body, const char *code,
                             const char *part)
{
    struct t_result t = t_decode(protocol, body);
    assert_int_equal(t.st, ST_AWS);
    assert_string_equal(t.failure.error->code, code);
    if (str_find_str(t.failure.text, str_z(part)) < 0) {
        fail_msg("'%.*s' does not hold '%s'", STR_ARG(t.failure.text), part);
    }
    t_free(&t);
}

/* Every prefix and every changed byte of a good document: any answer, but no fault. */
static inline void t_mangle(enum protocol protocol, struct str body)
{
    static const char bytes[] = { '\0', '"', '<', '.', '9', '\x7f', '\x9f', '\xff', '&', '{' };
    for (size_t n = 0; n < body.n; n++) {
        struct t_result t = t_decode(protocol, str_sub(body, 0, n));
        assert_true(t.st == ST_OK || (t.st == ST_AWS && t.failure.error && t.failure.text.n > 0));
        t_free(&t);
    }
    char *copy = xmalloc(body.n);
    for (size_t i = 0; i < body.n * sizeof(bytes); i++) {
        memcpy(copy, body.p, body.n);
        copy[i / sizeof(bytes)] = bytes[i % sizeof(bytes)];
        struct t_result t = t_decode(protocol, (struct str){ copy, body.n });
        assert_true(t.st == ST_OK || (t.st == ST_AWS && t.failure.error && t.failure.text.n > 0));
        t_free(&t);
    }
    free(copy);
}

/* `piece` n times. */
static inline struct str t_repeat(struct arena *a, const char *piece, size_t n)
{
    size_t len = strlen(piece);
    char *p = arena_alloc(a, len * n + 1);
    for (size_t i = 0; i < n; i++) {
        memcpy(p + i * len, piece, len);
    }
    return (struct str){ p, len * n };
}

#endif
