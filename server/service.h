/* The contract between the machine (server/) and one AWS service (emulators/<name>/): a constant
 * descriptor, listed in emulators/services.c. server/ never names a service. */
#ifndef CISTERN_SERVICE_H
#define CISTERN_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/str.h"
#include "server/wire/shape.h"

struct call;
struct core;
struct busy;
struct command;

enum protocol {
    PROTO_JSON10 = 1 << 0,
    PROTO_JSON11 = 1 << 1,
    PROTO_QUERY = 1 << 2,
    PROTO_EC2 = 1 << 3,
    PROTO_REST_JSON = 1 << 4,
    PROTO_REST_XML = 1 << 5,
    PROTO_CBOR = 1 << 6,
};

struct service {
    const char *name;          /* "glue": folder, log topic, core_state() key */
    const char *signing_name;  /* scope in the credential: "monitoring" for cloudwatch */
    const char *target_prefix; /* X-Amz-Target before the dot, or NULL */
    const char *api_version;   /* query protocols' Version, or NULL */
    const char *xmlns;         /* of XML answers, or NULL */
    unsigned protocols;        /* mask of enum protocol */
    const struct op *ops;      /* sorted by name */
    size_t n_ops;
    const char *schema_sql;    /* CREATE TABLE IF NOT EXISTS …; run at start */
    const struct aws_error *const *errors; /* NULL-terminated; for tests and documentation */
    /* Code for inputs that break a constraint of the model, where AWS's differs from the
     * protocol's usual one (logs: InvalidParameterException); NULL: the usual one. */
    const struct aws_error *validation_error;

    /* All on the core thread. `*ret_state` becomes call->state. */
    enum status (*init)(struct core *core, void **ret_state);
    /* After every service's init: continue what a crash or stop left (due rows, tasks, runs). */
    enum status (*start)(void *state);
    /* Stop workers and children and wait for them; the loop still serves core_post/core_sync. */
    void (*stop)(void *state);
    void (*fini)(void *state);
    /* Reports what is not idle yet by busy_add(); for `cistern wait` and `status`. */
    void (*busy)(void *state, struct busy *busy);
    /* `POST /_cistern/reset`: forget everything; workers stopped, tables are emptied by the core. */
    void (*reset)(void *state);

    /* HTTP thread. Finds the operation of a REST request whose table needs help (S3's sub-resource
     * keys and copy headers); NULL field: generic match by method and uri. */
    const struct op *(*route)(const struct call *c);
    /* HTTP thread, OP_STREAM_IN only, before the body is read: may refuse, and sets
     * call->body.want. May read call->db (read-only). */
    enum status (*prepare)(struct call *c);

    /* Subcommands that the service adds to the binary (server/cli/cli.h), ended by a NULL name;
     * NULL: none. They run without a server, before anything is started. */
    const struct command *commands;
};

/* emulators/services.c: the only list. NULL-terminated. */
extern const struct service *const services[];

/* What keeps the process from being idle. `detail` is printed to the user: "task cdc-1: reading
 * mysql-bin.000003:456, source is at mysql-bin.000003:999". */
void busy_add(struct busy *busy, const char *service, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
