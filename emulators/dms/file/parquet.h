/* Rows as DMS writes them into Parquet files (S3Settings DataFormat=parquet): the same columns in
 * the same order as in CSV, typed. Any thread. */
#ifndef CISTERN_DMS_PARQUET_H
#define CISTERN_DMS_PARQUET_H

#include "emulators/dms/file/out.h"
#include "emulators/dms/mapping/data_type.h"
#include "emulators/dms/parquet/parquet_writer.h"

struct arena;
struct dms_s3_settings;

struct dms_parquet_options {
    struct parquet_options file;
    bool milliseconds; /* ParquetTimestampInMillisecond */
};

/* Checks the members for Parquet, whatever the format is, and fills *ret. ST_INVALID: *ret_error
 * tells the client why. */
enum status dms_parquet_read(struct arena *a, const struct dms_s3_settings *s,
                             struct dms_parquet_options *ret, struct str *ret_error) MUST_CHECK;

/* The Hive type that reads the column which a DMS type has in the files. */
struct str dms_parquet_hive(struct arena *a, const struct dms_data_type *t);

extern const struct dms_format dms_format_parquet;

#endif
