/* Intrusive doubly linked list; the head is a link too. Nothing is owned. */
#ifndef CISTERN_BASE_LIST_H
#define CISTERN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *prev, *next;
};

static inline void list_init(struct link *head)
{
    head->prev = head->next = head;
}
static inline bool list_empty(const struct link *head)
{
    return head->next == head;
}
static inline void list_append(struct link *head, struct link *item)
{
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}
/* Safe on a zeroed or already removed link. */
static inline void list_remove(struct link *item)
{
    if (item->next) {
        item->prev->next = item->next;
        item->next->prev = item->prev;
        item->prev = item->next = NULL;
    }
}
#define LIST_FOREACH(var, head)                                                          \
    for (struct link * (var) = (head)->next, *var##_next = (var)->next; (var) != (head); \
         (var) = var##_next, var##_next = (var)->next)

/* Singly linked, of items with a member `next`: puts `item` behind `end`; both NULL when empty. */
#define CHAIN_APPEND(first, end, item) ((end) = *((end) ? &(end)->next : &(first)) = (item))

#endif
