/* Names of buckets and regions. Pure; any thread. */
#ifndef CISTERN_S3_NAME_H
#define CISTERN_S3_NAME_H

#include <stdbool.h>

#include "server/base/str.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
bool s3_bucket_name_ok(struct str name);
/* Has the shape of a region ("eu-west-1", "us-gov-west-1") or is the old name "EU". */
bool s3_region_ok(struct str region);

#endif
