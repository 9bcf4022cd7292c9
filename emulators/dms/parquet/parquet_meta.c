#include "emulators/dms/parquet/parquet_meta.h"

/* ConvertedType */
#define NONE (-1)
#define UTF8 0
#define DECIMAL 5
#define DATE 6
#define TIMESTAMP_MILLIS 9
#define TIMESTAMP_MICROS 10
#define UINT_8 11
#define INT_8 15

static const struct parquet_type_info types[] = {
    [PARQUET_BOOLEAN] = { PARQUET_P_BOOLEAN, PARQUET_O_BYTES, NONE, 1, 0 },
    [PARQUET_INT8] = { PARQUET_P_INT32, PARQUET_O_SIGNED, INT_8, 4, 8 },
    [PARQUET_INT16] = { PARQUET_P_INT32, PARQUET_O_SIGNED, INT_8 + 1, 4, 16 },
    [PARQUET_INT32] = { PARQUET_P_INT32, PARQUET_O_SIGNED, INT_8 + 2, 4, 32 },
    [PARQUET_INT64] = { PARQUET_P_INT64, PARQUET_O_SIGNED, INT_8 + 3, 8, 64 },
    [PARQUET_UINT8] = { PARQUET_P_INT32, PARQUET_O_UNSIGNED, UINT_8, 4, 8 },
    [PARQUET_UINT16] = { PARQUET_P_INT32, PARQUET_O_UNSIGNED, UINT_8 + 1, 4, 16 },
    [PARQUET_UINT32] = { PARQUET_P_INT32, PARQUET_O_UNSIGNED, UINT_8 + 2, 4, 32 },
    [PARQUET_UINT64] = { PARQUET_P_INT64, PARQUET_O_UNSIGNED, UINT_8 + 3, 8, 64 },
    [PARQUET_FLOAT] = { PARQUET_P_FLOAT, PARQUET_O_REAL, NONE, 4, 0 },
    [PARQUET_DOUBLE] = { PARQUET_P_DOUBLE, PARQUET_O_REAL, NONE, 8, 0 },
    [PARQUET_DECIMAL] = { PARQUET_P_FIXED, PARQUET_O_DECIMAL, DECIMAL, PARQUET_DECIMAL_BYTES, 0 },
    [PARQUET_DATE] = { PARQUET_P_INT32, PARQUET_O_SIGNED, DATE, 4, 0 },
    [PARQUET_TIMESTAMP_MS] = { PARQUET_P_INT64, PARQUET_O_SIGNED, TIMESTAMP_MILLIS, 8, 0 },
    [PARQUET_TIMESTAMP_US] = { PARQUET_P_INT64, PARQUET_O_SIGNED, TIMESTAMP_MICROS, 8, 0 },
    [PARQUET_STRING] = { PARQUET_P_BYTE_ARRAY, PARQUET_O_BYTES, UTF8, 0, 0 },
    [PARQUET_BINARY] = { PARQUET_P_BYTE_ARRAY, PARQUET_O_BYTES, NONE, 0, 0 },
};

const struct parquet_type_info *parquet_type_info(enum parquet_type type)
{
    return &types[type];
}

/* Members of the union LogicalType; each is a struct. */
enum logical {
    LOGICAL_STRING = 1,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTEGER = 10
};

static void logical_timestamp(struct compact *c, bool ms)
{
    compact_open(c, LOGICAL_TIMESTAMP);
    compact_bool(c, 1, true); /* a point in time, in UTC */
    compact_open(c, 2);       /* the union TimeUnit */
    compact_open(c, ms ? 1 : 2);
    compact_close(c);
    compact_close(c);
    compact_close(c);
}

static void logical_member(const struct parquet_column *column, struct compact *c)
{
    const struct parquet_type_info *type = parquet_type_info(column->type);
    switch (column->type) {
    case PARQUET_STRING:
        compact_open(c, LOGICAL_STRING);
        compact_close(c);
        break;
    case PARQUET_DECIMAL:
        compact_open(c, LOGICAL_DECIMAL);
        compact_i32(c, 1, (int32_t)column->scale);
        compact_i32(c, 2, (int32_t)column->precision);
        compact_close(c);
        break;
    case PARQUET_DATE:
        compact_open(c, LOGICAL_DATE);
        compact_close(c);
        break;
    case PARQUET_TIMESTAMP_MS:
    case PARQUET_TIMESTAMP_US:
        logical_timestamp(c, column->type == PARQUET_TIMESTAMP_MS);
        break;
    default: /* integers */
        compact_open(c, LOGICAL_INTEGER);
        compact_byte(c, 1, (int8_t)type->bits);
        compact_bool(c, 2, type->order == PARQUET_O_SIGNED);
        compact_close(c);
        break;
    }
}

static void schema_column(const struct parquet_column *column, struct compact *c)
{
    const struct parquet_type_info *type = parquet_type_info(column->type);
    compact_open(c, 0);
    compact_i32(c, 1, (int32_t)type->physical);
    if (type->physical == PARQUET_P_FIXED) {
        compact_i32(c, 2, (int32_t)type->width);
    }
    compact_i32(c, 3, PARQUET_R_OPTIONAL);
    compact_binary(c, 4, column->name);
    if (type->converted != NONE) {
        compact_i32(c, 6, type->converted);
        if (column->type == PARQUET_DECIMAL) {
            compact_i32(c, 7, (int32_t)column->scale);
            compact_i32(c, 8, (int32_t)column->precision);
        }
        compact_open(c, 10);
        logical_member(column, c);
        compact_close(c);
    }
    compact_close(c);
}

/* A depth-first list: the root, then its children. */
static void schema(const struct parquet_footer *f, struct compact *c)
{
    compact_list(c, 2, COMPACT_STRUCT, f->n + 1);
    compact_open(c, 0);
    compact_binary(c, 4, STR("schema"));
    compact_i32(c, 5, (int32_t)f->n);
    compact_close(c);
    for (size_t i = 0; i < f->n; i++) {
        schema_column(&f->columns[i], c);
    }
}

void parquet_footer_write(const struct parquet_footer *f, struct buf *out)
{
    struct compact c;
    compact_begin(&c, out);
    compact_i32(&c, 1, f->version_2 ? 2 : 1);
    schema(f, &c);
    compact_i64(&c, 3, (int64_t)f->rows);
    compact_list(&c, 4, COMPACT_STRUCT, f->groups_n);
    buf_str_add(out, f->groups);
    compact_binary(&c, 6, f->creator);
    /* Statistics are to be compared as the column's type says. */
    compact_list(&c, 7, COMPACT_STRUCT, f->n);
    for (size_t i = 0; i < f->n; i++) {
        compact_open(&c, 0);
        compact_open(&c, 1);
        compact_close(&c);
        compact_close(&c);
    }
    compact_close(&c);
}
