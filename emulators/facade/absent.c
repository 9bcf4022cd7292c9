/* What the façades answer when their service isn't built in: a service's folder can be deleted,
 * with its line in services.c, and the others still build. The services' own definitions go before
 * these. */
#include "emulators/facade/catalog.h"

#define ABSENT __attribute__((weak))

ABSENT enum status catalog_note_table(struct core *core, struct str location,
                                      const struct catalog_table *table)
{
    (void)core;
    (void)location;
    (void)table;
    return ST_OK; /* nobody wants to know */
}

ABSENT enum status catalog_find_table(struct core *core, struct arena *a, struct str location,
                                      struct catalog_table *ret)
{
    (void)core;
    (void)a;
    (void)location;
    (void)ret;
    return ST_NOT_FOUND;
}
