/* The published signed examples, every way to cut them up, and what hostile clients send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "server/base/buf.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/http/aws_chunked.h"
#include "tests/support/captures.h"

/* --- feeding ---------------------------------------------------------------------------------- */

struct result {
    enum status st;
    enum chunked_fault fault;
    struct buf data;
    size_t n_trailers;
    char trailer[128]; /* value of the first one */
};

static enum status collect(void *arg, const char *p, size_t n)
{
    struct buf *b = arg;
    buf_add(b, p, n);
    return buf_ok(b) ? ST_OK : ST_NOMEM;
}

/* Feeds pieces of the sizes that `next` draws; 0: all at once. */
static void run(struct str body, const struct aws_chunked_options *o, size_t piece, unsigned *seed,
                struct result *ret)
{
    struct arena *a = arena_new(1u << 20);
    *ret = (struct result){ .data = BUF_INIT(1u << 20) };
    struct aws_chunked *d = aws_chunked_new(a, o, collect, &ret->data);
    size_t at = 0;
    ret->st = ST_OK;
    while (at < body.n && ret->st == ST_OK) {
        size_t n = piece ? piece : body.n;
        if (seed) {
            n = 1 + (size_t)rand_r(seed) % piece;
        }
        n = n > body.n - at ? body.n - at : n;
        ret->st = aws_chunked_feed(d, body.p + at, n);
        at += n;
    }
    if (ret->st == ST_OK) {
        ret->st = aws_chunked_end(d);
    } else {
        assert_int_equal(aws_chunked_feed(d, "0\r\n\r\n", 5), ST_INVALID); /* it stays broken */
        assert_int_equal(aws_chunked_end(d), ST_INVALID);
    }
    ret->fault = aws_chunked_fault(d);
    assert_true(aws_chunked_offset(d) <= (int64_t)body.n);
    const struct http_headers *t = aws_chunked_trailers(d);
    ret->n_trailers = t->n;
    if (t->n > 0) {
        (void)snprintf(ret->trailer, sizeof(ret->trailer), "%.*s", STR_ARG(t->v[0].value));
    }
    aws_chunked_free(d);
    arena_free(a);
}

static enum chunked_fault fault_of(const char *body, const struct aws_chunked_options *o)
{
    struct result whole, bytes;
    run(str_z(body), o, 0, NULL, &whole);
    run(str_z(body), o, 1, NULL, &bytes);
    assert_int_equal(whole.fault, bytes.fault);
    assert_int_equal(whole.st == ST_OK, whole.fault == CHUNKED_OK);
    assert_true(whole.fault != CHUNKED_OK || str_eq(buf_str(&whole.data), buf_str(&bytes.data)));
    buf_fini(&whole.data);
    buf_fini(&bytes.data);
    return whole.fault;
}

/* --- the published examples ------------------------------------------------------------------- */

struct vector {
    struct arena *arena;
    struct aws_chunked_options options;
    struct str body;
};

static struct str text_of(struct arena *a, const cJSON *o, const char *name)
{
    return arena_strz(a, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name)));
}

static void load(const cJSON *o, struct vector *v)
{
    struct arena *a = v->arena;
    struct http_request r = { .method = text_of(a, o, "method") };
    http_target_split(text_of(a, o, "path"), &r.path, &r.query);
    const cJSON *h;
    cJSON_ArrayForEach(h, cJSON_GetObjectItemCaseSensitive(o, "headers"))
    {
        http_headers_add(&r.headers, a,
                         arena_strz(a, cJSON_GetStringValue(cJSON_GetArrayItem(h, 0))),
                         arena_strz(a, cJSON_GetStringValue(cJSON_GetArrayItem(h, 1))));
    }
    struct sigv4 s;
    struct sig_problem problem;
    struct str secret = text_of(a, o, "secret");
    assert_int_equal(sigv4_parse(&r, a, &s, &problem), ST_OK);
    assert_true(sigv4_verify(&r, &s, secret, STR_NONE, a, NULL));
    struct str name = text_of(a, o, "name");
    v->options = (struct aws_chunked_options){
        .signed_chunks = true,
        .signed_trailer = str_ends(name, STR("-TRAILER")),
        .verify = true,
        .time = s.time,
        .scope = sigv4_scope(a, &s),
        .seed = s.signature,
        .announced = http_headers_get(&r.headers, "x-amz-trailer"),
    };
    sigv4_key(secret, s.date, s.region, s.service, v->options.key);
    assert_int_equal(base64_decode(a, text_of(a, o, "body_b64"), &v->body), ST_OK);
}

static void each_vector(void (*fn)(struct vector *v))
{
    char *text = captures_read("fixtures/wire/captures/streaming_signed_vectors.json.gz");
    cJSON *list = cJSON_Parse(text);
    const cJSON *o;
    int n = 0;
    cJSON_ArrayForEach(o, list)
    {
        struct vector v = { .arena = arena_new(4u << 20) };
        load(o, &v);
        fn(&v);
        arena_free(v.arena);
        n++;
    }
    assert_int_equal(n, 2);
    cJSON_Delete(list);
    free(text);
}

static void right(struct str body, const struct vector *v, size_t piece, unsigned *seed)
{
    struct result r;
    run(body, &v->options, piece, seed, &r);
    assert_int_equal(r.fault, CHUNKED_OK);
    assert_int_equal(r.data.n, 66560);
    for (size_t i = 0; i < r.data.n; i++) {
        assert_int_equal(r.data.p[i], 'a');
    }
    assert_int_equal(r.n_trailers, v->options.signed_trailer ? 1 : 0);
    if (r.n_trailers > 0) {
        assert_string_equal(r.trailer, "sOO8/Q==");
    }
    buf_fini(&r.data);
}

static void cut_everywhere(struct vector *v)
{
    unsigned seed = 7;
    right(v->body, v, 0, NULL);
    right(v->body, v, 1, NULL);
    for (int i = 0; i < 20; i++) {
        right(v->body, v, 1 + (size_t)i * 173, &seed);
    }
    /* two pieces, the border anywhere in frames and trailer, or near one */
    for (size_t at = 1; at < v->body.n; at++) {
        bool frame = v->body.p[at] != 'a' || v->body.p[at - 1] != 'a';
        if (!frame) {
            continue;
        }
        struct buf data = BUF_INIT(1u << 20);
        struct arena *a = arena_new(1u << 20);
        struct aws_chunked *d = aws_chunked_new(a, &v->options, collect, &data);
        assert_int_equal(aws_chunked_feed(d, v->body.p, at), ST_OK);
        assert_int_equal(aws_chunked_feed(d, v->body.p + at, v->body.n - at), ST_OK);
        assert_int_equal(aws_chunked_end(d), ST_OK);
        assert_int_equal(data.n, 66560);
        aws_chunked_free(d);
        arena_free(a);
        buf_fini(&data);
    }
}

static void test_vectors(void **state)
{
    (void)state;
    each_vector(cut_everywhere);
}

static void must_break(struct str body, const struct vector *v, size_t at)
{
    struct result r;
    run(body, &v->options, 0, NULL, &r);
    if (r.fault == CHUNKED_OK) {
        fail_msg("accepted although byte %zu was changed or cut", at);
    }
    buf_fini(&r.data);
}

/* Every byte of frames and trailer, and some of the data, changed; and the body cut there. Blanks
 * and the last empty line are the only bytes without meaning. */
static void tamper_everywhere(struct vector *v)
{
    char *copy = arena_cstr(v->arena, v->body);
    struct str body = { copy, v->body.n };
    for (size_t at = 0; at < body.n; at++) {
        bool data = copy[at] == 'a' && at > 0 && copy[at - 1] == 'a' && at % 4099 != 0;
        if (data) {
            continue;
        }
        char kept = copy[at];
        copy[at] ^= 1;
        must_break(body, v, at);
        copy[at] = kept;
        if (at < body.n - 2) {
            must_break((struct str){ copy, at }, v, at);
        }
    }
    struct aws_chunked_options plain = v->options;
    plain.key[31] ^= 1;
    struct result r;
    run(body, &plain, 0, NULL, &r);
    assert_int_equal(r.fault, CHUNKED_SIGNATURE);
    buf_fini(&r.data);
}

static void test_tampering(void **state)
{
    (void)state;
    each_vector(tamper_everywhere);
}

/* Unknown keys are believed: signatures must be there but are not looked at. */
static void unverified(struct vector *v)
{
    struct aws_chunked_options o = v->options;
    o.verify = false;
    struct result r;
    run(v->body, &o, 0, NULL, &r);
    assert_int_equal(r.fault, CHUNKED_OK);
    assert_int_equal(r.data.n, 66560);
    buf_fini(&r.data);
}

static void test_unverified(void **state)
{
    (void)state;
    each_vector(unverified);
    struct aws_chunked_options o = { .signed_chunks = true };
    assert_int_equal(fault_of("5\r\nhello\r\n0\r\n\r\n", &o), CHUNKED_SIGNATURE);
    assert_int_equal(fault_of("5;chunk-signature=abc\r\nhello\r\n0\r\n\r\n", &o),
                     CHUNKED_SIGNATURE);
}

/* --- unsigned, with trailers ------------------------------------------------------------------ */

static void test_plain(void **state)
{
    (void)state;
    struct aws_chunked_options none = { 0 };
    struct aws_chunked_options crc = { .announced = STR("x-amz-checksum-crc32") };
    static const char *const good[] = {
        "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
        "B\r\nhello world\r\n0\r\nX-Amz-Checksum-Crc32: DUoRhQ== \r\n\r\n",
        "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n",
        "000b;ext=1\r\nhello world\r\n0\r\nother:1\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct result r;
        assert_int_equal(fault_of(good[i], &crc), CHUNKED_OK);
        run(str_z(good[i]), &crc, 0, NULL, &r);
        assert_true(str_eqz(buf_str(&r.data), "hello world"));
        assert_int_equal(r.n_trailers, i == 3 ? 2 : 1);
        buf_fini(&r.data);
    }
    assert_int_equal(fault_of("0\r\n\r\n", &none), CHUNKED_OK);
    assert_int_equal(fault_of("0\r\n", &none), CHUNKED_OK);
    assert_int_equal(fault_of("0\r\n\r\n", &crc), CHUNKED_TRAILER);
    assert_int_equal(fault_of("0\r\nx-amz-checksum-crc32c:AA==\r\n\r\n", &crc), CHUNKED_TRAILER);
    assert_int_equal(fault_of("0\r\nno colon\r\n\r\n", &none), CHUNKED_TRAILER);
    assert_int_equal(fault_of("0\r\n:v\r\n\r\n", &none), CHUNKED_TRAILER);
    assert_int_equal(fault_of("0\r\nx-amz-trailer-signature:00\r\n\r\n", &none), CHUNKED_TRAILER);
}

static void test_hostile(void **state)
{
    (void)state;
    struct aws_chunked_options o = { 0 };
    static const struct {
        const char *body;
        enum chunked_fault fault;
    } cases[] = {
        { "", CHUNKED_CUT },
        { "5", CHUNKED_CUT },
        { "5\r\nhell", CHUNKED_CUT },
        { "5\r\nhello", CHUNKED_CUT },
        { "5\r\nhello\r\n", CHUNKED_CUT },
        { "5\r\nhello\r\n0", CHUNKED_CUT },
        { "0\r\na:b", CHUNKED_CUT },
        { "\r\n", CHUNKED_SIZE },
        { ";\r\n", CHUNKED_SIZE },
        { "g\r\n", CHUNKED_SIZE },
        { "-1\r\n", CHUNKED_SIZE },
        { "+5\r\nhello\r\n", CHUNKED_SIZE },
        { "0x5\r\nhello\r\n", CHUNKED_SIZE },
        { "5 5\r\nhello\r\n", CHUNKED_SIZE },
        { "ffffffffffffffff\r\n", CHUNKED_SIZE },
        { "7fffffffffffffff\r\n", CHUNKED_SIZE },
        { "140000001\r\n", CHUNKED_SIZE }, /* 5 GiB and a byte */
        { "000000000000000000005\r\nhello\r\n", CHUNKED_SIZE },
        { "5\nhello\r\n0\r\n\r\n", CHUNKED_FRAME },
        { "5\r\nhello\n0\r\n\r\n", CHUNKED_FRAME },
        { "5\r\nhelloX\r\n0\r\n\r\n", CHUNKED_FRAME },
        { "4\r\nhello\r\n0\r\n\r\n", CHUNKED_FRAME },
        { "0\r\n\r\nX", CHUNKED_FRAME },
        { "0\r\n\r\n0\r\n\r\n", CHUNKED_FRAME },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(fault_of(cases[i].body, &o), cases[i].fault);
    }
    char line[CHUNK_LINE_MAX + 64];
    memset(line, '0', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    assert_int_equal(fault_of(line, &o), CHUNKED_FRAME); /* a line without end */
    struct buf many = BUF_INIT(1u << 20);
    buf_puts(&many, "0\r\n");
    for (int i = 0; i <= CHUNK_TRAILERS_MAX; i++) {
        buf_printf(&many, "t%d:v\r\n", i);
    }
    buf_puts(&many, "\r\n");
    assert_int_equal(fault_of(many.p, &o), CHUNKED_TRAILER);
    buf_fini(&many);
}

static enum status refuse_all(void *arg, const char *p, size_t n)
{
    (void)arg;
    (void)p;
    (void)n;
    return ST_IO;
}

static void test_sink_refuses(void **state)
{
    (void)state;
    struct arena *a = arena_new(1u << 20);
    struct aws_chunked_options o = { 0 };
    struct aws_chunked *d = aws_chunked_new(a, &o, refuse_all, NULL);
    assert_int_equal(aws_chunked_feed(d, "5\r\nhello\r\n", 10), ST_INVALID);
    assert_int_equal(aws_chunked_fault(d), CHUNKED_SINK);
    aws_chunked_free(d);
    arena_free(a);
}

/* Whatever the bytes, how they are cut must not matter. */
static void test_random(void **state)
{
    (void)state;
    static const char alphabet[] = "0015aF;:\r\n\r\n\r\nx=";
    unsigned seed = 20261120;
    struct aws_chunked_options o = { 0 };
    for (int round = 0; round < 20000; round++) {
        char body[64];
        size_t n = (size_t)rand_r(&seed) % sizeof(body);
        for (size_t i = 0; i < n; i++) {
            body[i] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
        }
        struct result whole, cut;
        run((struct str){ body, n }, &o, 0, NULL, &whole);
        run((struct str){ body, n }, &o, 7, &seed, &cut);
        assert_int_equal(whole.fault, cut.fault);
        assert_true(whole.fault != CHUNKED_OK || str_eq(buf_str(&whole.data), buf_str(&cut.data)));
        buf_fini(&whole.data);
        buf_fini(&cut.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),    cmocka_unit_test(test_tampering),
        cmocka_unit_test(test_unverified), cmocka_unit_test(test_plain),
        cmocka_unit_test(test_hostile),    cmocka_unit_test(test_sink_refuses),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
