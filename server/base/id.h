/* Random names in the shapes that AWS uses. Thread-safe; the bytes come from the kernel. */
#ifndef CISTERN_BASE_ID_H
#define CISTERN_BASE_ID_H

#include "server/base/arena.h"

void id_random(void *p, size_t n);
/* n characters of [0-9a-f] */
struct str id_hex(struct arena *a, size_t n);
/* n characters of [0-9A-F], as S3's x-amz-request-id (16) */
struct str id_hex_upper(struct arena *a, size_t n);
/* n characters of [A-Z2-7], as DMS's resource ids (26) and IAM's key ids */
struct str id_base32(struct arena *a, size_t n);
/* 8-4-4-4-12, version 4 */
struct str id_uuid(struct arena *a);

#endif
