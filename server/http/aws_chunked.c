#include "server/http/aws_chunked.h"

#include "server/base/digest.h"

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum chunked_state { AT_SIZE, IN_DATA, AFTER_DATA, AT_TRAILER, AT_END };

struct aws_chunked {
    struct arena *arena;
    struct aws_chunked_options options;
    aws_chunked_sink sink;
    void *arg;
    enum chunked_state state;
    enum chunked_fault fault;
    int64_t offset;
    int64_t left; /* bytes of the chunk still to come */
    char line[CHUNK_LINE_MAX];
    size_t line_n;
    char previous[64];   /* signature before this chunk's, hex */
    char signature[64];  /* this chunk's */
    struct digest *hash; /* of this chunk's data; NULL when nothing is verified */
    struct http_headers trailers;
    bool sealed; /* the trailer's signature was there: no more lines but the empty one */
};

struct aws_chunked *aws_chunked_new(struct arena *a, const struct aws_chunked_options *options,
                                    aws_chunked_sink sink, void *arg)
{
    struct aws_chunked *d = ARENA_NEW(a, struct aws_chunked);
    d->arena = a;
    d->options = *options;
    d->sink = sink;
    d->arg = arg;
    if (options->verify) {
        d->hash = digest_new(DIGEST_SHA256);
        size_t n = options->seed.n < sizeof(d->previous) ? options->seed.n : sizeof(d->previous);
        memcpy(d->previous, options->seed.p, n);
    }
    return d;
}

void aws_chunked_free(struct aws_chunked *d)
{
    if (d && d->hash) {
        digest_free(d->hash);
        d->hash = NULL;
    }
}

static enum status fail(struct aws_chunked *d, enum chunked_fault fault)
{
    d->fault = fault;
    return ST_INVALID;
}

/* Hex HMAC of "ALGORITHM\ntime\nscope\nprevious signature" + tail, against `signature`. */
static bool signature_is(struct aws_chunked *d, const char *algorithm, struct str tail,
                         struct str signature)
{
    struct arena *scratch = arena_new(64u << 10);
    struct str text =
        arena_printf(scratch, "%s\n%.*s\n%.*s\n%.64s%.*s", algorithm, STR_ARG(d->options.time),
                     STR_ARG(d->options.scope), d->previous, STR_ARG(tail));
    bool right = sigv4_hmac_is(d->options.key, text, signature, scratch);
    arena_free(scratch);
    return right;
}

static enum status chunk_done(struct aws_chunked *d)
{
    if (!d->options.verify) {
        return ST_OK;
    }
    unsigned char hash[DIGEST_MAX];
    digest_final(d->hash, hash);
    char tail[1 + 64 + 1 + 64] = "\n" EMPTY_SHA256 "\n";
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++) {
        tail[66 + 2 * i] = digits[hash[i] >> 4];
        tail[67 + 2 * i] = digits[hash[i] & 15];
    }
    if (!signature_is(d, "AWS4-HMAC-SHA256-PAYLOAD", (struct str){ tail, sizeof(tail) },
                      (struct str){ d->signature, sizeof(d->signature) })) {
        return fail(d, CHUNKED_SIGNATURE);
    }
    memcpy(d->previous, d->signature, sizeof(d->previous));
    return ST_OK;
}

static enum status parse_size(struct str hex, int64_t *ret)
{
    if (hex.n == 0 || hex.n > 15) {
        return ST_INVALID;
    }
    int64_t v = 0;
    for (size_t i = 0; i < hex.n; i++) {
        char c = hex.p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return ST_INVALID;
        }
        v = v * 16 + digit;
    }
    *ret = v;
    return v <= CHUNK_SIZE_MAX ? ST_OK : ST_INVALID;
}

/* "400;chunk-signature=ad80…": the data begins, or after the last one the trailer. */
static enum status size_line(struct aws_chunked *d, struct str line)
{
    struct str size, extension;
    (void)str_cut(line, ';', &size, &extension);
    if (parse_size(size, &d->left) != ST_OK) {
        return fail(d, CHUNKED_SIZE);
    }
    if (d->options.signed_chunks) {
        struct str name, value = STR_NONE;
        (void)str_cut(extension, '=', &name, &value);
        if (!str_eqz(name, "chunk-signature") || value.n != sizeof(d->signature)) {
            return fail(d, CHUNKED_SIGNATURE);
        }
        memcpy(d->signature, value.p, sizeof(d->signature));
    }
    d->state = IN_DATA;
    if (d->left == 0) {
        d->state = AT_TRAILER;
        return chunk_done(d);
    }
    return ST_OK;
}

static enum status trailers_done(struct aws_chunked *d)
{
    struct str announced = d->options.announced, name;
    while (str_next(&announced, ',', &name)) {
        name = str_trim(name);
        bool found = name.n == 0;
        for (size_t i = 0; !found && i < d->trailers.n; i++) {
            found = str_ieq(d->trailers.v[i].name, name);
        }
        if (!found) {
            return fail(d, CHUNKED_TRAILER);
        }
    }
    d->state = AT_END;
    return ST_OK;
}

/* The signature covers "name:value\n" of every trailer before it. */
static enum status trailer_signature(struct aws_chunked *d, struct str signature)
{
    if (!d->options.verify) {
        return ST_OK;
    }
    struct digest *h = d->hash;
    for (size_t i = 0; i < d->trailers.n; i++) {
        struct http_header t = d->trailers.v[i];
        digest_update(h, t.name.p, t.name.n);
        digest_update(h, ":", 1);
        digest_update(h, t.value.p, t.value.n);
        digest_update(h, "\n", 1);
    }
    unsigned char hash[DIGEST_MAX];
    digest_final(h, hash);
    struct arena *scratch = arena_new(4096);
    struct str tail = hex_encode(scratch, hash, 32);
    tail = arena_printf(scratch, "\n%.*s", STR_ARG(tail));
    bool right = signature_is(d, "AWS4-HMAC-SHA256-TRAILER", tail, signature);
    arena_free(scratch);
    return right ? ST_OK : fail(d, CHUNKED_SIGNATURE);
}

static bool has_control(struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        if ((c < ' ' && c != '\t') || c == 127) {
            return true;
        }
    }
    return false;
}

static enum status trailer_line(struct aws_chunked *d, struct str line)
{
    if (line.n == 0) {
        return d->options.signed_trailer && !d->sealed ? fail(d, CHUNKED_SIGNATURE)
                                                       : trailers_done(d);
    }
    struct str name, value;
    if (d->sealed || has_control(line) || !str_cut(line, ':', &name, &value) ||
        str_trim(name).n == 0) {
        return fail(d, CHUNKED_TRAILER);
    }
    if (str_ieqz(str_trim(name), "x-amz-trailer-signature")) {
        if (!d->options.signed_trailer) {
            return fail(d, CHUNKED_TRAILER);
        }
        d->sealed = true;
        return trailer_signature(d, str_trim(value));
    }
    if (d->trailers.n >= CHUNK_TRAILERS_MAX) {
        return fail(d, CHUNKED_TRAILER);
    }
    http_headers_add(&d->trailers, d->arena, arena_str(d->arena, str_trim(name)),
                     arena_str(d->arena, str_trim(value)));
    return ST_OK;
}

/* Collects up to LF; the line comes without its CR. Returns the bytes consumed. */
static size_t take_line(struct aws_chunked *d, const char *p, size_t n, bool *ret_complete)
{
    const char *lf = memchr(p, '\n', n);
    size_t take = lf ? (size_t)(lf - p) : n;
    *ret_complete = false;
    if (take > sizeof(d->line) - d->line_n) {
        status_ignore(fail(d, CHUNKED_FRAME)); /* feed() looks at d->fault */
        return take;
    }
    memcpy(d->line + d->line_n, p, take);
    d->line_n += take;
    *ret_complete = lf != NULL;
    return take + (lf ? 1 : 0);
}

static enum status line_done(struct aws_chunked *d)
{
    struct str line = { d->line, d->line_n };
    bool crlf = line.n > 0 && line.p[line.n - 1] == '\r';
    line.n -= crlf ? 1 : 0;
    d->line_n = 0;
    if (!crlf) {
        return fail(d, CHUNKED_FRAME);
    }
    switch (d->state) {
    case AT_SIZE:
        return size_line(d, line);
    case AT_TRAILER:
        return trailer_line(d, line);
    default:
        d->state = AT_SIZE;
        return line.n == 0 ? ST_OK : fail(d, CHUNKED_FRAME);
    }
}

static enum status data(struct aws_chunked *d, const char *p, size_t n)
{
    if (d->hash) {
        digest_update(d->hash, p, n);
    }
    if (d->sink(d->arg, p, n) != ST_OK) {
        return fail(d, CHUNKED_SINK);
    }
    d->left -= (int64_t)n;
    if (d->left > 0) {
        return ST_OK;
    }
    d->state = AFTER_DATA;
    return chunk_done(d);
}

enum status aws_chunked_feed(struct aws_chunked *d, const char *p, size_t n)
{
    size_t at = 0;
    while (at < n && d->fault == CHUNKED_OK) {
        size_t used;
        if (d->state == AT_END) {
            return fail(d, CHUNKED_FRAME);
        }
        if (d->state == IN_DATA) {
            used = n - at;
            used = (int64_t)used > d->left ? (size_t)d->left : used;
            status_ignore(data(d, p + at, used)); /* the loop looks at d->fault */
        } else {
            bool complete;
            used = take_line(d, p + at, n - at, &complete);
            if (complete) {
                status_ignore(line_done(d));
            }
        }
        at += used;
        d->offset += (int64_t)used;
    }
    return d->fault == CHUNKED_OK ? ST_OK : ST_INVALID;
}

enum status aws_chunked_end(struct aws_chunked *d)
{
    if (d->fault != CHUNKED_OK) {
        return ST_INVALID;
    }
    /* some clients leave the last empty line out; the last chunk and what follows were complete */
    if (d->state == AT_TRAILER && d->line_n == 0) {
        return trailer_line(d, STR(""));
    }
    return d->state == AT_END ? ST_OK : fail(d, CHUNKED_CUT);
}

enum chunked_fault aws_chunked_fault(const struct aws_chunked *d)
{
    return d->fault;
}

int64_t aws_chunked_offset(const struct aws_chunked *d)
{
    return d->offset;
}

const struct http_headers *aws_chunked_trailers(const struct aws_chunked *d)
{
    return &d->trailers;
}
