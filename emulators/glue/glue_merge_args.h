/* Arguments of a cistern-merge run:
 *
 *   --final_path s3://bucket/prefix   the data set; {schema} and {table} are replaced
 *   --s3_target_path_bucket, --s3_target_path_key (or --bucket, --key)
 *                                     the object that the run was called for; the key as S3 events
 *                                     give it (URL-encoded) or plain
 *   --primary_key a[,b]               names, or _cN / N counted from 0; default: the key that DMS
 *                                     noted for the table, else the first column
 *   --header true|false|auto          of the incoming files; default auto
 *   --output_header true|false        of the parts; default false
 *   --columns a,b,c                   names of the columns, where neither a header nor DMS tells
 *                                     them
 *   --timestamp_column NAME           TimestampColumnName of the DMS endpoint; default: as DMS noted
 *   --op_in_load true|false|auto      IncludeOpForFullLoad of the DMS endpoint
 *   --null_text TEXT                  fills columns that old rows lack; default empty
 *   --delimiter C                     default comma
 *   --part_size_mb N                  target size of a part, default 8 */
#ifndef CISTERN_GLUE_MERGE_ARGS_H
#define CISTERN_GLUE_MERGE_ARGS_H

#include "emulators/glue/glue_internal.h"
#include "emulators/glue/merge/merge.h"

struct merge_args {
    struct str bucket, key; /* of the object called for; the key decoded */
    struct str final_bucket, final_prefix;
    struct merge_spec spec;
};

/* ST_INVALID: *ret_error says which argument and what it must be. */
enum status merge_args_read(struct glue_active *a, struct merge_args *ret,
                            struct str *ret_error) MUST_CHECK;

#endif
