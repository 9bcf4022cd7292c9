/* Rows of security configurations. Core thread; strings live in the arena given. */
#ifndef CISTERN_GLUE_SECURITY_H
#define CISTERN_GLUE_SECURITY_H

#include "emulators/glue/glue_store.h"

#define GLUE_SECURITY_SCHEMA_SQL                                                           \
    "CREATE TABLE IF NOT EXISTS glue_security("                                            \
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL," \
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"

/* ST_EXISTS: the name is taken. */
enum status glue_store_add_security(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct glue_security_configuration *config) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status glue_store_security(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str name,
                                struct glue_security_configuration **ret) MUST_CHECK;
/* In order of their names after `after`, at most limit + 1. */
enum status glue_store_securities(struct db *db, struct arena *a, const struct glue_owner *o,
                                  struct str after, int64_t limit,
                                  struct glue_security_configuration_list *ret) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status glue_store_delete_security(struct db *db, const struct glue_owner *o,
                                       struct str name) MUST_CHECK;

#endif
