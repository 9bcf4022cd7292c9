/* A browser's upload form (multipart/form-data, RFC 7578) in a staged file: the fields before the
 * file, and where the file's bytes lie. Reads the file, keeps nothing; any thread. */
#ifndef CISTERN_S3_FORM_H
#define CISTERN_S3_FORM_H

#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

#define S3_FORM_FIELDS_MAX (20u << 10) /* bytes before the file's, S3's limit */
#define S3_FORM_BOUNDARY_MAX 70

struct s3_form_field {
    struct str name, value;
};
struct s3_form {
    struct s3_form_field *v; /* in order; what follows the file is ignored, as on S3 */
    size_t n;
    struct str file_name; /* as sent, without folders */
    int64_t file_off, file_len;
};

/* boundary="…" of a Content-Type; absent: no multipart/form-data, or without a usable one. */
struct str s3_form_boundary(struct str content_type);
/* ST_INVALID: not well-formed. ST_NOT_FOUND: no file in it. ST_CONFLICT: more than the limit before
 * the file. ST_IO: logged. */
enum status s3_form_read(struct arena *a, int fd, struct str boundary,
                         struct s3_form *ret) MUST_CHECK;
/* Value by name (case-insensitive), absent when there is no such field. */
struct str s3_form_get(const struct s3_form *form, const char *name);

#endif
