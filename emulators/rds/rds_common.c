/* What the handlers share. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"

#define PAGE_DEFAULT 100
#define PORT_FIRST 20000 /* below the range that the kernel gives to outgoing connections */
#define PORT_LAST 32000

const struct aws_error rds_InvalidParameterValue = { .code = "InvalidParameterValue",
                                                     .http_status = 400 };
const struct aws_error rds_InvalidParameterCombination = { .code = "InvalidParameterCombination",
                                                           .http_status = 400 };

struct rds *rds_of(const struct call *c)
{
    return c->state;
}

struct rds_owner rds_owner_of(const struct call *c)
{
    return (struct rds_owner){ c->caller.account, c->caller.region };
}

struct str rds_name_of(struct call *c, const char *kind, struct str name_or_arn)
{
    struct str prefix = call_arn(c, "rds", "%s:", kind);
    size_t from = str_starts(name_or_arn, prefix) ? prefix.n : 0;
    return arena_lower(c->arena, str_sub(name_or_arn, from, name_or_arn.n));
}

enum status rds_find(struct call *c, struct str name, struct rds_instance *ret)
{
    struct rds_owner owner = rds_owner_of(c);
    enum status st = rds_store_by_name(c->db, c->arena, &owner, rds_name_of(c, "db", name), ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &rds_DBInstanceNotFoundFault, "DBInstance %.*s not found.",
                         STR_ARG(name));
    }
    return call_status(c, st);
}

enum status rds_require(struct call *c, const struct rds_instance *i, const char *state)
{
    if (str_eqz(i->doc->DBInstanceStatus, state)) {
        return ST_OK;
    }
    return call_fail(c, &rds_InvalidDBInstanceStateFault,
                     "Instance %.*s is not in %s state: it is %.*s.", STR_ARG(i->name), state,
                     STR_ARG(i->doc->DBInstanceStatus));
}

enum status rds_page(struct call *c, struct opt_i64 max, struct str marker, size_t *n,
                     size_t *ret_from, struct str *ret_marker)
{
    int64_t size = max.set ? max.v : PAGE_DEFAULT;
    uint64_t from = 0;
    if (size < 20 || size > 100) {
        return call_fail(c, &rds_InvalidParameterValue,
                         "Invalid value %lld for MaxRecords. Must be between 20 and 100.",
                         (long long)size);
    }
    if (str_set(marker) && marker.n && str_u64(marker, &from) != ST_OK) {
        return call_fail(c, &rds_InvalidParameterValue, "Marker isn't one that was given.");
    }
    *ret_from = from < *n ? (size_t)from : *n;
    *n -= *ret_from;
    if (*n > (size_t)size) {
        *n = (size_t)size;
        *ret_marker = arena_printf(c->arena, "%zu", *ret_from + *n);
    }
    return ST_OK;
}

bool rds_filter_fits(const struct rds_filter_list *filters, const char *name, struct str value)
{
    for (size_t i = 0; i < filters->n; i++) {
        const struct rds_filter *f = &filters->v[i];
        bool found = !str_eqz(f->Name, name);
        for (size_t k = 0; !found && k < f->Values.n; k++) {
            found = str_eq(f->Values.v[k], value);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

enum status rds_check_filters(struct call *c, const struct rds_filter_list *filters,
                              const char *const *names)
{
    for (size_t i = 0; i < filters->n; i++) {
        bool known = false;
        for (size_t k = 0; !known && names[k]; k++) {
            known = str_eqz(filters->v[i].Name, names[k]);
        }
        if (!known) {
            return call_fail(c, &rds_InvalidParameterValue, "Unrecognized filter name: %.*s",
                             STR_ARG(filters->v[i].Name));
        }
    }
    return ST_OK;
}

enum status rds_set_status(struct rds *r, struct arena *a, struct rds_instance *i,
                           const char *status)
{
    struct str before = i->doc->DBInstanceStatus;
    i->doc->DBInstanceStatus = str_z(status);
    log_info(RDS_TOPIC, "instance %.*s is %s", STR_ARG(i->name), status);
    enum status st = rds_store_update(core_db(r->core), a, i);
    return st == ST_OK ? rds_event(r, a, i, before, str_z(status)) : st;
}

enum status rds_check_name(struct call *c, const char *member, struct str name)
{
    bool good = name.n >= 1 && name.n <= 63 && name.p[name.n - 1] != '-';
    for (size_t i = 0; good && i < name.n; i++) {
        char ch = name.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        good =
            letter || (i > 0 && ((ch >= '0' && ch <= '9') || (ch == '-' && name.p[i - 1] != '-')));
    }
    if (good) {
        return ST_OK;
    }
    return call_fail(c, &rds_InvalidParameterValue,
                     "The parameter %s is not a valid identifier. Identifiers must begin with a "
                     "letter; must contain only ASCII letters, digits, and hyphens; and must not "
                     "end with a hyphen or contain two consecutive hyphens.",
                     member);
}

/* --- ports ------------------------------------------------------------------------------------ */
static bool port_is_free(int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    CLEANUP(close_fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
           bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

int rds_free_port(int wanted)
{
    static int next = 0; /* where the last search ended; core thread */
    if (wanted) {
        return port_is_free(wanted) ? wanted : 0;
    }
    int count = PORT_LAST - PORT_FIRST;
    if (!next) {
        unsigned random; /* two processes seldom look at the same one */
        id_random(&random, sizeof(random));
        next = (int)(random % (unsigned)count);
    }
    for (int i = 0; i < count; i++) {
        int port = PORT_FIRST + (next + i) % count;
        if (port_is_free(port)) {
            next = (next + i + 1) % count;
            return port;
        }
    }
    return 0;
}
