/* Text → pointer hash map (open addressing). Keys are copied, values are borrowed. One thread. */
#ifndef CISTERN_BASE_MAP_H
#define CISTERN_BASE_MAP_H

#include <stddef.h>

#include "server/base/str.h"

struct map {
    struct map_slot *slots;
    size_t n;   /* live entries */
    size_t cap; /* slots, a power of two or 0 */
    size_t used; /* live entries and tombstones */
};

struct map_slot {
    char *key; /* NULL: free */
    size_t key_n;
    void *value;
    unsigned char state; /* 0 free, 1 live, 2 deleted */
};

void map_init(struct map *m);
/* Frees the table and the keys; values are the caller's. */
void map_fini(struct map *m);
void *map_get(const struct map *m, struct str key); /* NULL when absent */
/* Sets or replaces; returns the value that was there, or NULL. `value` must not be NULL. */
void *map_put(struct map *m, struct str key, void *value);
/* Removes; returns the value that was there, or NULL. */
void *map_del(struct map *m, struct str key);
/* Walks in no order: start with *it = 0; false at the end. The map must not change meanwhile. */
bool map_each(const struct map *m, size_t *it, struct str *ret_key, void **ret_value);

#endif
