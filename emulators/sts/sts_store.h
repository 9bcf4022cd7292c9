/* Temporary credentials that we issued. The only SQL of the service. */
#ifndef CISTERN_STS_STORE_H
#define CISTERN_STS_STORE_H

#include "server/base/arena.h"
#include "server/http/auth.h"
#include "server/store/db.h"

extern const char sts_schema_sql[];

/* Core thread. Also forgets sessions that ended more than a day ago. */
enum status sts_store_add(struct db *db, struct str access_key, const struct credential *credential,
                          int64_t now_ms) MUST_CHECK;
/* Any thread with its own handle; a credential_lookup_fn. */
enum status sts_store_find(struct db *db, struct arena *a, struct str access_key,
                           struct credential *ret) MUST_CHECK;

#endif
