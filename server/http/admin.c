#include "server/http/admin.h"

#include "server/base/buf.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core_run.h"
#include "server/http/call.h"

struct admin_route {
    struct op op; /* name: the path; the chain runs it like any operation */
    http_admin_fn fn;
    void *arg;
};

static struct admin_route routes[HTTP_ADMIN_ROUTES_MAX];
static size_t n_routes;

/* The op that is run lies within its route. */
static enum status run_route(struct call *c, const void *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    const struct admin_route *route = NULL;
    for (size_t i = 0; i < n_routes; i++) {
        if (&routes[i].op == c->op) {
            route = &routes[i];
        }
    }
    return route ? route->fn(c, route->arg) : ST_NOT_FOUND;
}

void http_admin_register(const char *method, const char *path, unsigned flags, http_admin_fn fn,
                         void *arg)
{
    for (size_t i = 0; i < n_routes; i++) {
        if (strcmp(routes[i].op.name, path) == 0 && strcmp(routes[i].op.method, method) == 0) {
            routes[i].fn = fn;
            routes[i].arg = arg;
            routes[i].op.flags = flags | OP_NO_AUTH;
            return;
        }
    }
    if (n_routes == HTTP_ADMIN_ROUTES_MAX) {
        log_error("http", "no room for the route %s %s: raise HTTP_ADMIN_ROUTES_MAX", method, path);
        return;
    }
    routes[n_routes++] = (struct admin_route){
        .op = { .name = path,
                .fn = run_route,
                .method = method,
                .uri = path,
                .http_status = 200,
                .flags = flags | OP_NO_AUTH },
        .fn = fn,
        .arg = arg,
    };
}

const struct op *http_admin_find(struct str method, struct str path)
{
    const struct op *best = NULL;
    size_t best_n = 0;
    bool head = str_eqz(method, "HEAD");
    for (size_t i = 0; i < n_routes; i++) {
        const struct op *op = &routes[i].op;
        struct str own = str_z(op->name);
        bool below = own.p[own.n - 1] == '/' && str_starts(path, own);
        bool same_method = str_eqz(method, op->method) || (head && strcmp(op->method, "GET") == 0);
        if (same_method && (below || str_eq(path, own)) && own.n > best_n) {
            best = op;
            best_n = own.n;
        }
    }
    return best;
}
