/* The row images of a rows event. Values borrow from the event and from `scratch`. */
#ifndef CISTERN_MYSQL_BINLOG_ROW_H
#define CISTERN_MYSQL_BINLOG_ROW_H

#include "server/mysql/tablemap.h"

/* Which columns an image has: the event's bitmap. */
struct row_image {
    const uint8_t *present;
    size_t present_n; /* bits that are set */
    bool full;        /* all columns */
};
/* `bits` columns from bytes that are known to be there. */
void row_image_init(struct row_image *image, const uint8_t *bitmap, size_t bits);

/* Reads one image into values[] (one per table column; ABSENT where the image lacks it). NULL, or
 * the reason why the bytes are refused. */
const char *binlog_row_read(struct rd *r, const struct tablemap *m, const struct row_image *image,
                            struct scratch *scratch, struct mysql_value *values);
/* Reads over an image. */
const char *binlog_row_skip(struct rd *r, const struct tablemap *m, const struct row_image *image);

#endif
