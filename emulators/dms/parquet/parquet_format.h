/* Numbers of the Parquet format (github.com/apache/parquet-format, parquet.thrift and
 * Encodings.md), as far as we write them, and what each of our column types is made of. Pure. */
#ifndef CISTERN_DMS_PARQUET_FORMAT_H
#define CISTERN_DMS_PARQUET_FORMAT_H

#include <stdint.h>

#include "emulators/dms/parquet/parquet_writer.h"

enum parquet_physical {
    PARQUET_P_BOOLEAN = 0,
    PARQUET_P_INT32 = 1,
    PARQUET_P_INT64 = 2,
    PARQUET_P_FLOAT = 4,
    PARQUET_P_DOUBLE = 5,
    PARQUET_P_BYTE_ARRAY = 6,
    PARQUET_P_FIXED = 7, /* FIXED_LEN_BYTE_ARRAY */
};

enum parquet_encoding_id {
    PARQUET_E_PLAIN = 0,
    PARQUET_E_PLAIN_DICTIONARY = 2,
    PARQUET_E_RLE = 3,
    PARQUET_E_RLE_DICTIONARY = 8,
};

enum parquet_page_type { PARQUET_DATA_PAGE = 0, PARQUET_DICTIONARY_PAGE = 2, PARQUET_DATA_V2 = 3 };

enum parquet_codec_id { PARQUET_C_NONE = 0, PARQUET_C_GZIP = 2 };

#define PARQUET_R_OPTIONAL 1 /* repetition type */
#define PARQUET_DECIMAL_BYTES 16

/* How the values of a column compare, for its statistics. */
enum parquet_order {
    PARQUET_O_SIGNED, /* little-endian, 4 or 8 bytes */
    PARQUET_O_UNSIGNED,
    PARQUET_O_REAL,    /* FLOAT and DOUBLE */
    PARQUET_O_DECIMAL, /* big-endian two's complement */
    PARQUET_O_BYTES,
};

struct parquet_type_info {
    enum parquet_physical physical;
    enum parquet_order order;
    int8_t converted; /* ConvertedType; -1: none */
    uint8_t width;    /* bytes of a plain value; 0: as long as it is */
    uint8_t bits;     /* of an INTEGER annotation; 0: none */
};

/* Of a column type. */
const struct parquet_type_info *parquet_type_info(enum parquet_type type);

#endif
