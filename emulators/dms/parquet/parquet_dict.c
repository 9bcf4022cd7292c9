#include "emulators/dms/parquet/parquet_dict.h"

#include "emulators/dms/parquet/parquet_encoding.h"
#include "server/base/mem.h"

#define FIRST 64

void parquet_dict_init(struct parquet_dict *d, size_t max_bytes)
{
    *d = (struct parquet_dict){ .n = 0 };
    buf_init(&d->bytes, max_bytes);
}

void parquet_dict_fini(struct parquet_dict *d)
{
    buf_fini(&d->bytes);
    free(d->entries);
    free(d->slots);
    *d = (struct parquet_dict){ .n = 0 };
}

void parquet_dict_clear(struct parquet_dict *d)
{
    if (d->n > 0) {
        memset(d->slots, 0, d->slots_n * sizeof(*d->slots));
    }
    d->n = 0;
    buf_clear(&d->bytes);
}

static uint32_t *slot_of(const struct parquet_dict *d, uint64_t hash, struct str value)
{
    for (uint32_t i = (uint32_t)hash & (d->slots_n - 1);; i = (i + 1) & (d->slots_n - 1)) {
        if (d->slots[i] == 0) {
            return &d->slots[i];
        }
        const struct parquet_dict_entry *e = &d->entries[d->slots[i] - 1];
        if (e->hash == hash && e->n == value.n && memcmp(d->bytes.p + e->at, value.p, e->n) == 0) {
            return &d->slots[i];
        }
    }
}

/* At most half of the slots are taken. */
static void grow(struct parquet_dict *d)
{
    d->cap = d->cap ? d->cap * 2 : FIRST;
    d->entries = xrealloc(d->entries, d->cap * sizeof(*d->entries));
    d->slots_n = d->cap * 2;
    free(d->slots);
    d->slots = xcalloc(d->slots_n, sizeof(*d->slots));
    for (uint32_t k = 0; k < d->n; k++) {
        uint32_t i = (uint32_t)d->entries[k].hash & (d->slots_n - 1);
        while (d->slots[i] != 0) {
            i = (i + 1) & (d->slots_n - 1);
        }
        d->slots[i] = k + 1;
    }
}

bool parquet_dict_find(struct parquet_dict *d, unsigned width, struct str value, uint32_t *ret)
{
    if (d->n == d->cap) {
        grow(d);
    }
    value.p = value.n > 0 ? value.p : "";
    uint64_t hash = str_hash(value);
    uint32_t *slot = slot_of(d, hash, value);
    if (*slot == 0) {
        size_t prefix = width == 0 ? 4 : 0;
        if (value.n + prefix > d->bytes.max - d->bytes.n) {
            return false;
        }
        d->entries[d->n] = (struct parquet_dict_entry){ .hash = hash,
                                                        .at = (uint32_t)(d->bytes.n + prefix),
                                                        .n = (uint32_t)value.n };
        parquet_plain_put(&d->bytes, width, value);
        *slot = ++d->n;
    }
    *ret = *slot - 1;
    return true;
}
