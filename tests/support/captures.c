#include "tests/support/captures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <zlib.h>

#include "server/base/buf.h"
#include "server/base/digest.h"

#define FILE_MAX (64u << 20)

char *captures_read(const char *path)
{
    gzFile f = gzopen(path, "rb");
    if (!f) {
        fail_msg("cannot open %s (tests run from the top of the repository)", path);
    }
    struct buf all = BUF_INIT(FILE_MAX);
    char piece[65536];
    int n;
    while ((n = gzread(f, piece, sizeof(piece))) > 0) {
        buf_add(&all, piece, (size_t)n);
    }
    assert_int_equal(n, 0);
    gzclose(f);
    assert_true(buf_ok(&all));
    size_t size;
    return buf_take(&all, &size);
}

static struct str member(struct arena *a, const cJSON *o, const char *name)
{
    return arena_strz(a, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name)));
}

static void take_line(const char *line, void (*fn)(void *, struct arena *, struct capture *),
                      void *arg)
{
    cJSON *o = cJSON_Parse(line);
    assert_non_null(o);
    struct arena *a = arena_new(64u << 20);
    struct capture c = { .label = member(a, o, "label") };
    c.request.method = member(a, o, "method");
    http_target_split(member(a, o, "path"), &c.request.path, &c.request.query);
    const cJSON *h;
    cJSON_ArrayForEach(h, cJSON_GetObjectItemCaseSensitive(o, "headers"))
    {
        http_headers_add(&c.request.headers, a,
                         arena_strz(a, cJSON_GetStringValue(cJSON_GetArrayItem(h, 0))),
                         arena_strz(a, cJSON_GetStringValue(cJSON_GetArrayItem(h, 1))));
    }
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(o, "body");
    c.body = member(a, body, "text");
    struct str b64 = member(a, body, "b64");
    if (str_set(b64)) {
        assert_int_equal(base64_decode(a, b64, &c.body), ST_OK);
    }
    cJSON_Delete(o);
    if (!str_empty(c.label)) {
        fn(arg, a, &c);
    }
    arena_free(a);
}

void captures_each(const char *name, void (*fn)(void *arg, struct arena *a, struct capture *c),
                   void *arg)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "fixtures/wire/captures/%s.jsonl.gz", name);
    char *all = captures_read(path);
    struct str rest = str_z(all), line;
    while (str_next(&rest, '\n', &line)) {
        if (line.n > 0) {
            all[line.p - all + (ptrdiff_t)line.n] = '\0';
            take_line(line.p, fn, arg);
        }
    }
    free(all);
}
