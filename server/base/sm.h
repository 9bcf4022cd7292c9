/* State machines as data: the states' names are what AWS prints, the allowed moves a bit mask. */
#ifndef CISTERN_BASE_SM_H
#define CISTERN_BASE_SM_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/str.h"

struct sm_state {
    const char *name;  /* as the API shows it */
    uint32_t next;     /* SM(x) | SM(y): states that may follow */
    bool stable;       /* false: passing by (creating, stopping): somebody must move it on */
};
#define SM(index) (1u << (index))

/* May `from` be followed by `to`? Staying is always allowed. */
static inline bool sm_allows(const struct sm_state *states, unsigned from, unsigned to)
{
    return from == to || (states[from].next & SM(to)) != 0;
}
/* Index of the state with this name, or -1. */
int sm_find(const struct sm_state *states, unsigned count, struct str name);

#endif
