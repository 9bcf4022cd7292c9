/* S3Settings of a target endpoint: attributes, checks, echo, and what the data plane needs. Any
 * thread; only a DatePartitionTimezone reads a file of the system. */
#ifndef CISTERN_DMS_S3_SETTINGS_H
#define CISTERN_DMS_S3_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "emulators/dms/file/csv.h"
#include "emulators/dms/file/names.h"
#include "emulators/dms/file/parquet.h"
#include "server/base/arena.h"
#include "server/base/str.h"

struct dms_s3_settings; /* generated: as on the wire */

/* How a task writes. Strings live in the arena. */
struct dms_s3_options {
    struct str bucket, folder, owner; /* owner: ExpectedBucketOwner or absent */
    struct str acl;                   /* CannedAclForObjects that grants others; else absent */
    const struct dms_format *format;  /* of load and change files */
    struct str extension;             /* of their names */
    struct dms_csv_format csv;        /* prepared */
    struct dms_parquet_options parquet;
    struct dms_date_format date; /* folders of change files, and the zone of their names */
    bool transactions;           /* PreserveTransactions: changes of all tables in one file */
    struct str cdc_path;         /* its folder: CdcPath */
    struct str transactions_extension;
    bool gzip;
    bool op_in_load;             /* IncludeOpForFullLoad */
    bool op_in_changes;          /* Op column in change files */
    bool no_updates, no_deletes; /* CdcInsertsOnly, CdcInsertsAndUpdates */
    bool glue_catalog;           /* GlueCatalogGeneration */
    bool start_time_stamps;      /* UseTaskStartTimeForFullLoadTimestamp */
    bool empty_timestamp_name;   /* TimestampColumnName is "": no task can use the endpoint */
    int64_t interval_s;          /* CdcMaxBatchInterval */
    int64_t min_file_bytes;      /* CdcMinFileSize: a change file of this size is cut */
    int64_t max_file_bytes;      /* MaxFileSize, full load */
};

/* "k=v;k=v" into the members that `s` doesn't have yet (S3Settings win). ST_INVALID: *ret_error
 * names the attribute. */
enum status dms_s3_attributes(struct arena *a, struct str attributes, struct dms_s3_settings *s,
                              struct str *ret_error) MUST_CHECK;

/* Checks the members and fills *ret. ST_INVALID: *ret_error tells the client why; *ret_conflict
 * (when not NULL) is set when it is about members that exclude each other. */
enum status dms_s3_read(struct arena *a, const struct dms_s3_settings *s,
                        struct dms_s3_options *ret, bool *ret_conflict,
                        struct str *ret_error) MUST_CHECK;

/* In place: the form in which the service shows them (defaults, upper and lower case). */
void dms_s3_echo(struct arena *a, struct dms_s3_settings *s);
/* The attribute text that the service shows beside them. */
struct str dms_s3_echo_attributes(struct arena *a, const struct dms_s3_settings *s);

#endif
