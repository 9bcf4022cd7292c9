#include "server/base/sm.h"

int sm_find(const struct sm_state *states, unsigned count, struct str name)
{
    for (unsigned i = 0; i < count; i++) {
        if (str_eqz(name, states[i].name)) {
            return (int)i;
        }
    }
    return -1;
}
