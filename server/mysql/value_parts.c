#include "server/mysql/value_parts.h"

#include <stdlib.h>

#include "server/base/mem.h"

#define BLOCK ((size_t)64 * 1024)
#define KEEP_MAX ((size_t)16 * 1024 * 1024) /* a giant row's memory is given back */

uint64_t rd_lenenc(struct rd *r)
{
    uint64_t first = rd_le(r, 1);
    switch (first) {
    case 252:
        return rd_le(r, 2);
    case 253:
        return rd_le(r, 3);
    case 254:
        return rd_le(r, 8);
    case 251:
    case 255:
        r->bad = true;
        return 0;
    default:
        return first;
    }
}

struct scratch_block {
    struct scratch_block *next;
    size_t size;
    char bytes[];
};

static void add_block(struct scratch *s, size_t size)
{
    struct scratch_block *b = xmalloc(sizeof(*b) + size);
    b->next = s->blocks;
    b->size = size;
    s->blocks = b;
    s->used = 0;
}

void scratch_fini(struct scratch *s)
{
    while (s->blocks) {
        struct scratch_block *next = s->blocks->next;
        free(s->blocks);
        s->blocks = next;
    }
    s->used = 0;
}

void scratch_reset(struct scratch *s)
{
    s->used = 0;
    if (!s->blocks || (!s->blocks->next && s->blocks->size <= KEEP_MAX)) {
        return;
    }
    size_t total = 0;
    for (struct scratch_block *b = s->blocks; b; b = b->next) {
        total += b->size;
    }
    scratch_fini(s);
    add_block(s, total <= KEEP_MAX ? total : BLOCK);
}

char *scratch_room(struct scratch *s, size_t n)
{
    if (!s->blocks || s->blocks->size - s->used < n) {
        add_block(s, n > BLOCK ? n : BLOCK);
    }
    return s->blocks->bytes + s->used;
}

void scratch_keep(struct scratch *s, size_t n)
{
    s->used += n;
}
