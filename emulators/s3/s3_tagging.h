/* Tag sets as clients send them in XML. */
#ifndef CISTERN_S3_TAGGING_H
#define CISTERN_S3_TAGGING_H

#include "server/base/str.h"
#include "server/http/call.h"

struct s3_tag_set;

/* Checks the set and encodes it for the database (absent when empty). InvalidTag. */
enum status s3_tags_read(struct call *c, const struct s3_tag_set *set, size_t max,
                         struct str *ret) MUST_CHECK;

#endif
