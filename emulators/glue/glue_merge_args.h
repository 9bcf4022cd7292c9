/* Arguments of a cistern-merge run:
 *
 *   --final_path s3://bucket/prefix   the data set; {schema} and {table} are replaced by the names
 *                                     of the table's folders
 * and which table, either of
 *   --s3_target_path_bucket, --s3_target_path_key (or --bucket, --key)
 *                                     the object that the run was called for; the key as S3 events
 *                                     give it (URL-encoded) or plain: its table is merged up to it
 *   --source_path s3://bucket/folder  every table with files below, up to the last file
 *
 *   --primary_key a[,b]               names, or _cN / N counted from 0; default: the key that DMS
 *                                     noted for the table, else the first column
 *   --columns a,b,c                   names of the columns, where neither a header nor DMS tells
 *                                     them
 *   --header true|false|auto          of the incoming files; default auto
 *   --op_column NAME                  of the Op column in headers; default Op
 *   --op_in_load true|false|auto      IncludeOpForFullLoad of the DMS endpoint
 *   --op_in_changes true|false|auto   false: CdcInsertsOnly or CdcInsertsAndUpdates without Op
 *   --timestamp_column NAME           TimestampColumnName of the DMS endpoint; default: as DMS
 * noted
 *   --before_image none|key|all       which columns have a before image (add-before-image-columns):
 *                                     with it, a changed primary key also removes the row under the
 *                                     old one; default none, or key when a prefix or suffix is
 * given
 *   --before_image_prefix, --before_image_suffix   of those columns' names in headers
 *   --on_update_missing, --on_delete_missing, --on_insert_existing apply|ignore|fail
 *                                     a change that doesn't fit; default apply: the update inserts,
 *                                     the delete does nothing, the insert replaces
 *   --null_text TEXT                  fills columns that old rows lack; default empty
 *   --delimiter C                     default comma; \t is the tab
 *   --output_header true|false        of the parts; default false
 *   --part_size N                     target size of a part in bytes, or with KB, MB, GB behind;
 *                                     default 8MB (--part_size_mb N: the same in MB)
 *   --threads N                       default: one per processor
 *
 * Glue's own special parameters are passed over, as Glue passes them over for a script. Any other
 * name is refused when it resembles one of these, else passed over with a warning. */
#ifndef CISTERN_GLUE_MERGE_ARGS_H
#define CISTERN_GLUE_MERGE_ARGS_H

#include "emulators/glue/glue_internal.h"
#include "emulators/glue/merge/merge.h"

struct merge_args {
    struct str bucket, key; /* of the object called for, the key decoded; absent: source_… hold */
    struct str source_bucket, source_prefix; /* ends in '/' or is empty */
    struct str final_bucket, final_prefix;   /* with its {…} */
    struct merge_spec spec;
};

/* ST_INVALID: *ret_error says which argument and what it must be. Everything lives in the run's
 * arena. */
enum status merge_args_read(struct glue_active *a, struct merge_args *ret,
                            struct str *ret_error) MUST_CHECK;

#endif
