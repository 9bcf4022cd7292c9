#include "emulators/bus.h"

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"

#define BUS_TARGETS_MAX 16

struct bus {
    size_t n;
    struct {
        const struct bus_target *target;
        void *state;
    } list[BUS_TARGETS_MAX];
};

static struct bus *bus_of(struct core *core)
{
    void **slot = core_slot(core, "bus", free);
    if (!*slot) {
        *slot = xcalloc(1, sizeof(struct bus));
    }
    return *slot;
}

void bus_register(struct core *core, const struct bus_target *target, void *state)
{
    struct bus *bus = bus_of(core);
    if (bus->n == BUS_TARGETS_MAX) {
        log_error("bus", "too many event targets: %s", target->arn_service);
        abort();
    }
    bus->list[bus->n].target = target;
    bus->list[bus->n++].state = state;
}

/* Third part of "arn:aws:lambda:…"; absent when it is no ARN. */
static struct str service_of(struct str arn)
{
    struct str part, rest = arn;
    if (!str_next(&rest, ':', &part) || !str_eqz(part, "arn") || !str_next(&rest, ':', &part) ||
        !str_next(&rest, ':', &part)) {
        return STR_NONE;
    }
    return part;
}

/* Index of the owner, or -1. */
static int find_owner(const struct bus *bus, struct str arn)
{
    struct str service = service_of(arn);
    for (size_t i = 0; i < bus->n; i++) {
        if (str_eqz(service, bus->list[i].target->arn_service)) {
            return (int)i;
        }
    }
    return -1;
}

bool bus_serves(struct core *core, struct str arn)
{
    return find_owner(bus_of(core), arn) >= 0;
}

enum status bus_check(struct core *core, const struct bus_event *ev)
{
    const struct bus *bus = bus_of(core);
    int i = find_owner(bus, ev->target_arn);
    return i < 0 ? ST_NOT_FOUND : bus->list[i].target->check(bus->list[i].state, ev);
}

enum status bus_deliver(struct core *core, const struct bus_event *ev)
{
    const struct bus *bus = bus_of(core);
    int i = find_owner(bus, ev->target_arn);
    return i < 0 ? ST_NOT_FOUND : bus->list[i].target->deliver(bus->list[i].state, ev);
}
