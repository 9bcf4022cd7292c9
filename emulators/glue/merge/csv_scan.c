#include "emulators/glue/merge/csv_scan.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define BLOCK 64u

struct masks {
    uint64_t newline;
    uint64_t quote;
};

#if defined(__SSE2__)
static uint64_t mask_of(const char *p, __m128i what)
{
    uint64_t m = 0;
    for (unsigned i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + (size_t)16 * i));
        m |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, what)) << (16 * i);
    }
    return m;
}

static struct masks block_masks(const char *p)
{
    return (struct masks){ mask_of(p, _mm_set1_epi8('\n')), mask_of(p, _mm_set1_epi8('"')) };
}
#else
static struct masks block_masks(const char *p)
{
    struct masks m = { 0, 0 };
    for (unsigned i = 0; i < BLOCK; i++) {
        m.newline |= (uint64_t)(p[i] == '\n') << i;
        m.quote |= (uint64_t)(p[i] == '"') << i;
    }
    return m;
}
#endif

/* Bit i of the result: parity of the bits 0..i. */
static uint64_t prefix_xor(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    x ^= x << 32;
    return x;
}

/* Marks the records that end in one block; false when the index is full. */
static bool index_block(struct csv_index *ix, struct masks m, size_t pos, uint64_t inside)
{
    uint64_t ends = m.newline & ~inside;
    uint64_t inner = m.newline & inside; /* newlines that are data; rare, and counting is slow */
    uint64_t done = 0;
    while (ends) {
        if (ix->n == CSV_BATCH) {
            return false;
        }
        uint64_t low = ends & (~ends + 1);
        uint64_t part = (low | (low - 1)) & ~done;
        ix->mark[ix->n++] = (struct csv_mark){
            .end = (uint32_t)(pos + (unsigned)__builtin_ctzll(low) + 1),
            .lines =
                ix->tail_lines + 1 + (inner ? (uint32_t)__builtin_popcountll(inner & part) : 0),
            .quoted = ix->tail_quoted || (m.quote & part),
        };
        ix->tail_lines = 0;
        ix->tail_quoted = false;
        done |= part;
        ends ^= low;
    }
    if (inner) {
        ix->tail_lines += (uint32_t)__builtin_popcountll(inner & ~done);
    }
    ix->tail_quoted = ix->tail_quoted || (m.quote & ~done);
    return true;
}

void csv_index(struct csv_index *ix, const char *p, size_t n)
{
    ix->n = 0;
    ix->tail_lines = 0;
    ix->tail_quoted = false;
    uint64_t carry = 0; /* all ones: the block starts inside quotes */
    for (size_t pos = 0; pos < n; pos += BLOCK) {
        struct masks m;
        if (n - pos >= BLOCK) {
            m = block_masks(p + pos);
        } else {
            char last[BLOCK] = { 0 };
            memcpy(last, p + pos, n - pos);
            m = block_masks(last);
        }
        uint64_t inside = carry;
        if (m.quote) {
            inside ^= prefix_xor(m.quote);
            carry = (inside >> 63) ? ~UINT64_C(0) : 0;
        }
        if (!index_block(ix, m, pos, inside)) {
            break;
        }
    }
    ix->tail_open = carry != 0;
}

/* Fields of a record without quotes, from the delimiters alone. */
static csv_reason split_plain(struct str rec, char delim, size_t want, struct csv_fields *ret)
{
    struct csv_field *f = ret->field;
    size_t n = 0;
    size_t start = 0;
    size_t i = 0;
#if defined(__SSE2__)
    const __m128i d = _mm_set1_epi8(delim);
    for (; i + 16 <= rec.n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(rec.p + i));
        unsigned m = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, d));
        for (; m; m &= m - 1) {
            if (n == ret->max) {
                return "too many fields";
            }
            size_t at = i + (unsigned)__builtin_ctz(m);
            f[n++] = (struct csv_field){ (uint32_t)start, (uint32_t)(at - start), false };
            start = at + 1;
            if (n == want) {
                ret->n = n;
                return NULL;
            }
        }
    }
#endif
    for (; i <= rec.n; i++) {
        if (i < rec.n && rec.p[i] != delim) {
            continue;
        }
        if (n == ret->max) {
            return "too many fields";
        }
        f[n++] = (struct csv_field){ (uint32_t)start, (uint32_t)(i - start), false };
        start = i + 1;
        if (n == want) {
            break;
        }
    }
    ret->n = n;
    return NULL;
}

/* *end: offset after the closing quote of the field that opens at `from`. */
static csv_reason quoted_field(struct str rec, size_t from, size_t *end)
{
    size_t i = from + 1;
    for (;;) {
        const char *q = i < rec.n ? memchr(rec.p + i, '"', rec.n - i) : NULL;
        if (!q) {
            return "a quoted field is not closed";
        }
        i = (size_t)(q - rec.p) + 1;
        if (i >= rec.n || rec.p[i] != '"') {
            *end = i;
            return NULL;
        }
        i++;
    }
}

static csv_reason one_field(struct str rec, char delim, size_t from, struct csv_field *ret)
{
    size_t end = from;
    bool quoted = from < rec.n && rec.p[from] == '"';
    if (quoted) {
        csv_reason why = quoted_field(rec, from, &end);
        if (why) {
            return why;
        }
        if (end < rec.n && rec.p[end] != delim) {
            return "text after the closing quote of a field";
        }
    } else {
        while (end < rec.n && rec.p[end] != delim) {
            if (rec.p[end] == '"') {
                return "a stray quote inside an unquoted field (quotes must be doubled and the "
                       "field quoted: endpoint setting Rfc4180)";
            }
            end++;
        }
    }
    *ret = (struct csv_field){ (uint32_t)from, (uint32_t)(end - from), quoted };
    return NULL;
}

csv_reason csv_split(struct str rec, char delim, bool quoted, size_t want, struct csv_fields *ret)
{
    ret->n = 0;
    if (!quoted) {
        return split_plain(rec, delim, want, ret);
    }
    size_t n = 0;
    size_t at = 0;
    for (;;) {
        if (n == ret->max) {
            return "too many fields";
        }
        struct csv_field *f = &ret->field[n];
        csv_reason why = one_field(rec, delim, at, f);
        if (why) {
            return why;
        }
        at = f->off + f->n;
        n++;
        if (n == want || at >= rec.n) {
            break;
        }
        at++; /* the delimiter; a field follows even at the record's end */
    }
    ret->n = n;
    return NULL;
}

struct str csv_chomp(const char *p, size_t n)
{
    if (n && p[n - 1] == '\n') {
        n--;
        if (n && p[n - 1] == '\r') {
            n--;
        }
    }
    return (struct str){ p, n };
}

struct str csv_value(struct str rec, struct csv_field f, struct buf *scratch)
{
    struct str raw = { rec.p + f.off, f.n };
    if (!f.quoted) {
        return raw;
    }
    raw = (struct str){ raw.p + 1, raw.n - 2 };
    if (!memchr(raw.p, '"', raw.n)) {
        return raw;
    }
    buf_clear(scratch);
    for (size_t i = 0; i < raw.n; i++) {
        buf_putc(scratch, raw.p[i]);
        i += raw.p[i] == '"'; /* its twin */
    }
    return buf_str(scratch);
}

void csv_put(struct buf *b, struct str value, char delim)
{
    bool plain = true;
    for (size_t i = 0; i < value.n && plain; i++) {
        char c = value.p[i];
        plain = c != delim && c != '"' && c != '\r' && c != '\n';
    }
    if (plain) {
        buf_str_add(b, value);
        return;
    }
    buf_putc(b, '"');
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"') {
            buf_putc(b, '"');
        }
        buf_putc(b, value.p[i]);
    }
    buf_putc(b, '"');
}
