#include "server/busy.h"

#include <stdarg.h>

#include "server/service.h"

void busy_init(struct busy *b, struct arena *a)
{
    *b = (struct busy){ .arena = a };
    b->last = &b->first;
}

void busy_add(struct busy *busy, const char *service, const char *fmt, ...)
{
    if (++busy->n > BUSY_ITEMS_MAX) {
        return;
    }
    struct busy_item *item = ARENA_NEW(busy->arena, struct busy_item);
    item->service = arena_strz(busy->arena, service);
    va_list ap;
    va_start(ap, fmt);
    item->detail = arena_vprintf(busy->arena, fmt, ap);
    va_end(ap);
    *busy->last = item;
    busy->last = &item->next;
}
