/* What the façades answer when their service isn't built in: a service's folder can be deleted,
 * with its line in services.c, and the others still build. The services' own definitions go before
 * these. */
#include "emulators/facade/catalog.h"
#include "emulators/facade/events.h"
#include "emulators/facade/logs.h"
#include "emulators/facade/metrics.h"
#include "emulators/facade/s3.h"
#include "emulators/facade/sts.h"
#include "server/core.h"

#define ABSENT __attribute__((weak))

/* --- catalog: nobody wants to know, nothing is known ------------------------------------------ */
ABSENT enum status catalog_note_table(struct core *core, struct str location,
                                      const struct catalog_table *table)
{
    (void)core;
    (void)location;
    (void)table;
    return ST_OK;
}

ABSENT enum status catalog_note_emptied(struct core *core, struct str location)
{
    (void)core;
    (void)location;
    return ST_OK;
}

ABSENT enum status catalog_define_table(struct core *core, struct arena *a,
                                        const struct catalog_definition *d)
{
    (void)core;
    (void)a;
    (void)d;
    return ST_OK;
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

/* --- events: nobody listens ------------------------------------------------------------------- */
ABSENT enum status events_emit(struct core *core, const struct events_incident *incident)
{
    (void)core;
    (void)incident;
    return ST_OK;
}

/* --- logs: lines go nowhere ------------------------------------------------------------------- */
ABSENT enum status logs_stream_bytes(struct core *core, const struct logs_owner *owner,
                                     struct str group, struct str stream, int64_t *ret)
{
    (void)core;
    (void)owner;
    (void)group;
    (void)stream;
    *ret = 0;
    return ST_OK;
}

ABSENT enum status logs_write(struct core *core, const struct logs_owner *owner, struct str group,
                              struct str stream, int64_t time_ms, struct str message)
{
    (void)core;
    (void)owner;
    (void)group;
    (void)stream;
    (void)time_ms;
    (void)message;
    return ST_OK;
}

ABSENT enum status logs_open_stream(struct core *core, const struct logs_owner *owner,
                                    struct str group, struct str stream)
{
    (void)core;
    (void)owner;
    (void)group;
    (void)stream;
    return ST_OK;
}

/* --- metrics: nobody counts ------------------------------------------------------------------- */
ABSENT enum status metrics_put(struct core *core, const struct metrics_owner *owner,
                               const struct metrics_series *series, double value, const char *unit)
{
    (void)core;
    (void)owner;
    (void)series;
    (void)value;
    (void)unit;
    return ST_OK;
}

/* --- s3: there is no bucket ------------------------------------------------------------------- */
ABSENT bool s3_bucket_exists(struct db *db, struct str bucket)
{
    (void)db;
    (void)bucket;
    return false;
}

ABSENT struct str s3_bucket_account(struct db *db, struct arena *a, struct str bucket)
{
    (void)db;
    (void)a;
    (void)bucket;
    return STR_NONE;
}

ABSENT enum status s3_object_find(struct db *db, struct arena *a, struct str bucket, struct str key,
                                  struct s3_object *ret)
{
    (void)db;
    (void)a;
    (void)bucket;
    (void)key;
    (void)ret;
    return ST_NOT_FOUND;
}

ABSENT enum status s3_object_list(struct db *db, struct arena *a,
                                  const struct s3_object_range *range, struct s3_object **ret,
                                  size_t *ret_n)
{
    (void)db;
    (void)a;
    (void)range;
    *ret = NULL;
    *ret_n = 0;
    return ST_NOT_FOUND;
}

ABSENT enum status s3_object_open(struct core *core, const struct s3_object *o, int *ret_fd)
{
    (void)core;
    (void)o;
    (void)ret_fd;
    return ST_NOT_FOUND;
}

ABSENT enum status s3_object_put(struct core *core, const struct s3_put *put)
{
    blob_discard(core_blobs(core), -1, put->ref.id);
    return ST_NOT_FOUND;
}

ABSENT enum status s3_object_delete(struct core *core, struct str bucket, struct str key)
{
    (void)core;
    (void)bucket;
    (void)key;
    return ST_NOT_FOUND;
}

ABSENT enum status s3_view_open(struct core *core, const struct s3_view *view)
{
    (void)core;
    (void)view;
    return ST_OK;
}

ABSENT void s3_view_close(struct core *core, struct str access_key)
{
    (void)core;
    (void)access_key;
}

/* --- sts: children sign with the configured key ----------------------------------------------- */
ABSENT enum status sts_session_new(struct core *core, struct arena *a, struct str role_arn,
                                   struct str session_name, int64_t duration_s,
                                   struct sts_session *ret)
{
    (void)a;
    (void)role_arn;
    (void)session_name;
    (void)duration_s;
    const struct config *config = core_config(core);
    *ret = (struct sts_session){ str_z(config->access_key), str_z(config->secret_key), STR(""), 0 };
    return ST_OK;
}
