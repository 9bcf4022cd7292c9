/* Buckets as HTTP threads know them, without asking the database each time. */
#ifndef CISTERN_S3_KNOWN_H
#define CISTERN_S3_KNOWN_H

#include "emulators/s3/s3_store.h"

struct core;

/* Like s3_store_bucket(), of committed state: for threads that read, with their database. */
enum status s3_known_bucket(const struct core *core, struct db *db, struct arena *a,
                            struct str name, struct s3_bucket_row *ret) MUST_CHECK;
/* Core thread, beside each change of the table: what threads know is forgotten after the commit. */
void s3_buckets_will_change(struct core *core);
/* The table is another one, as of now (start, reset). Any thread. */
void s3_buckets_changed(void);

#endif
