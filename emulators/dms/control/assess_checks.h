/* The checks of a premigration assessment: each really asks the source. */
#ifndef CISTERN_DMS_ASSESS_CHECKS_H
#define CISTERN_DMS_ASSESS_CHECKS_H

#include "emulators/dms/mapping/mapping.h"
#include "server/mysql/conn.h"
#include "server/mysql/schema.h"

enum dms_check_status { DMS_CHECK_PASSED, DMS_CHECK_WARNING, DMS_CHECK_FAILED, DMS_CHECK_ERROR };
/* "passed", "warning", "failed", "error" */
struct str dms_check_status_name(enum dms_check_status status);

struct dms_check_result {
    enum dms_check_status status;
    struct str text;           /* what was found and what to do; absent when passed */
    const struct str *objects; /* tables that it is about */
    size_t objects_n;
};

/* What a check looks at. Worker thread. */
struct dms_check_scene {
    struct arena *arena;
    struct mysql_conn *conn;
    struct dms_mapping mapping;
    bool captures;      /* the task replicates changes */
    bool partition_ddl; /* skipTableSuspensionForPartitionDdl of the endpoint */
    uint32_t server_id; /* as a replica */
    struct mysql_source source;
    struct mysql_table_list tables; /* the selected ones */
};

/* Reads source and tables; the rest is the caller's. */
enum status dms_check_prepare(struct dms_check_scene *s, struct mysql_err *err) MUST_CHECK;

struct dms_check {
    const char *name;
    bool for_changes; /* only tasks that replicate changes */
    struct dms_check_result (*run)(struct dms_check_scene *s);
};
extern const struct dms_check dms_checks[];
extern const size_t dms_checks_n;

#endif
