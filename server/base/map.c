/* Linear probing. Deleted slots stay as tombstones until the table is rebuilt, which happens when
 * live entries and tombstones together pass three quarters. */
#include "server/base/map.h"

#include <stdint.h>
#include <stdlib.h>

#include "server/base/mem.h"

enum { MAP_FIRST = 16 };
enum { SLOT_FREE, SLOT_LIVE, SLOT_DELETED };

void map_init(struct map *m)
{
    *m = (struct map){ 0 };
}

void map_fini(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++) {
        free(m->slots[i].key);
    }
    free(m->slots);
    map_init(m);
}

static struct map_slot *map_find(const struct map *m, struct str key)
{
    if (m->n == 0) {
        return NULL;
    }
    size_t mask = m->cap - 1;
    /* Ends at a free slot: a quarter of them is always free. */
    for (size_t i = str_hash(key) & mask;; i = (i + 1) & mask) {
        struct map_slot *slot = &m->slots[i];
        if (slot->state == SLOT_FREE) {
            return NULL;
        }
        if (slot->state == SLOT_LIVE && slot->key_n == key.n &&
            (key.n == 0 || memcmp(slot->key, key.p, key.n) == 0)) {
            return slot;
        }
    }
}

/* The first slot for a key that is known to be absent. */
static struct map_slot *map_vacant(const struct map *m, struct str key)
{
    size_t mask = m->cap - 1;
    size_t i = str_hash(key) & mask;
    while (m->slots[i].state == SLOT_LIVE) {
        i = (i + 1) & mask;
    }
    return &m->slots[i];
}

/* A table without tombstones, at most half full after one more entry. */
static void map_rebuild(struct map *m)
{
    struct map old = *m;
    size_t cap = MAP_FIRST;
    while (cap / 2 < old.n + 1) {
        cap *= 2;
    }
    m->slots = xcalloc(cap, sizeof(m->slots[0]));
    m->cap = cap;
    m->used = old.n;
    for (size_t i = 0; i < old.cap; i++) {
        struct map_slot *slot = &old.slots[i];
        if (slot->state == SLOT_LIVE) {
            *map_vacant(m, (struct str){ slot->key, slot->key_n }) = *slot;
        }
    }
    free(old.slots);
}

void *map_get(const struct map *m, struct str key)
{
    const struct map_slot *slot = map_find(m, key);
    return slot ? slot->value : NULL;
}

void *map_put(struct map *m, struct str key, void *value)
{
    struct map_slot *slot = map_find(m, key);
    if (slot) {
        void *before = slot->value;
        slot->value = value;
        return before;
    }
    if (m->used >= m->cap / 4 * 3) {
        map_rebuild(m);
    }
    slot = map_vacant(m, key);
    if (slot->state == SLOT_FREE) {
        m->used++;
    }
    char *copy = xmalloc(key.n + 1);
    if (key.n > 0) {
        memcpy(copy, key.p, key.n);
    }
    copy[key.n] = '\0';
    *slot = (struct map_slot){ copy, key.n, value, SLOT_LIVE };
    m->n++;
    return NULL;
}

void *map_del(struct map *m, struct str key)
{
    struct map_slot *slot = map_find(m, key);
    if (!slot) {
        return NULL;
    }
    void *before = slot->value;
    free(slot->key);
    *slot = (struct map_slot){ .state = SLOT_DELETED };
    m->n--;
    return before;
}

bool map_each(const struct map *m, size_t *it, struct str *ret_key, void **ret_value)
{
    while (*it < m->cap) {
        const struct map_slot *slot = &m->slots[(*it)++];
        if (slot->state == SLOT_LIVE) {
            *ret_key = (struct str){ slot->key, slot->key_n };
            *ret_value = slot->value;
            return true;
        }
    }
    return false;
}
