/* MySQLSettings of a source endpoint and its extra connection attributes: checks, and what the data
 * plane needs. Any thread; only a ServerTimezone reads a file of the system. */
#ifndef CISTERN_DMS_MYSQL_SETTINGS_H
#define CISTERN_DMS_MYSQL_SETTINGS_H

#include <stdbool.h>

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/base/zone.h"

struct dms_endpoint;       /* generated */
struct dms_mysql_settings; /* generated */

struct dms_source {
    const struct zone *zone; /* ServerTimezone; NULL: UTC */
    bool clean_metadata;     /* CleanSourceMetadataOnMismatch */
    bool partition_ddl;      /* skipTableSuspensionForPartitionDdl */
    bool ignore_xa;          /* IgnoreOpenXaTransactionsCheck */
};

/* "k=v;k=v" into the members that `s` doesn't have yet. ST_INVALID: *ret_error. */
enum status dms_mysql_attributes(struct arena *a, struct str attributes,
                                 struct dms_mysql_settings *s, struct str *ret_error) MUST_CHECK;
/* Checks the settings of a source endpoint whose attributes have been taken over, and fills *ret.
 * ST_INVALID: *ret_error tells the client why. */
enum status dms_mysql_read(struct arena *a, const struct dms_endpoint *e, struct dms_source *ret,
                           struct str *ret_error) MUST_CHECK;

#endif
