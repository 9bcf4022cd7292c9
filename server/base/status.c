#include "server/base/status.h"

const char *status_name(enum status st)
{
    static const char *const names[] = {
        [ST_OK] = "ok",           [ST_NOMEM] = "nomem",
        [ST_INVALID] = "invalid", [ST_NOT_FOUND] = "not_found",
        [ST_EXISTS] = "exists",   [ST_CONFLICT] = "conflict",
        [ST_IO] = "io",           [ST_DB] = "db",
        [ST_AWS] = "aws",         [ST_PENDING] = "pending",
    };
    unsigned i = (unsigned)st;
    return i < sizeof(names) / sizeof(names[0]) ? names[i] : "unknown";
}
