/* The footer: schema, row groups, version. Pure. */
#ifndef CISTERN_DMS_PARQUET_META_H
#define CISTERN_DMS_PARQUET_META_H

#include "emulators/dms/parquet/parquet_format.h"
#include "emulators/dms/parquet/parquet_thrift.h"

struct parquet_footer {
    const struct parquet_column *columns;
    size_t n;
    uint64_t rows;
    struct str groups; /* RowGroup structs, one behind the other */
    size_t groups_n;
    struct str creator;
    bool version_2;
};

/* Appends FileMetaData. */
void parquet_footer_write(const struct parquet_footer *f, struct buf *out);

#endif
