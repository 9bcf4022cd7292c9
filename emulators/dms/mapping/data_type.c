#include "emulators/dms/mapping/data_type.h"

#include "emulators/dms/file/csv.h"
#include "server/base/mem.h"
#include "server/mysql/schema.h"

static const struct str names[] = {
    [DMS_TYPE_NONE] = STR_INIT(""),
    [DMS_TYPE_BYTES] = STR_INIT("BYTES"),
    [DMS_TYPE_DATE] = STR_INIT("DATE"),
    [DMS_TYPE_TIME] = STR_INIT("TIME"),
    [DMS_TYPE_DATETIME] = STR_INIT("DATETIME"),
    [DMS_TYPE_INT1] = STR_INIT("INT1"),
    [DMS_TYPE_INT2] = STR_INIT("INT2"),
    [DMS_TYPE_INT4] = STR_INIT("INT4"),
    [DMS_TYPE_INT8] = STR_INIT("INT8"),
    [DMS_TYPE_UINT1] = STR_INIT("UINT1"),
    [DMS_TYPE_UINT2] = STR_INIT("UINT2"),
    [DMS_TYPE_UINT4] = STR_INIT("UINT4"),
    [DMS_TYPE_UINT8] = STR_INIT("UINT8"),
    [DMS_TYPE_NUMERIC] = STR_INIT("NUMERIC"),
    [DMS_TYPE_REAL4] = STR_INIT("REAL4"),
    [DMS_TYPE_REAL8] = STR_INIT("REAL8"),
    [DMS_TYPE_STRING] = STR_INIT("STRING"),
    [DMS_TYPE_WSTRING] = STR_INIT("WSTRING"),
    [DMS_TYPE_BLOB] = STR_INIT("BLOB"),
    [DMS_TYPE_CLOB] = STR_INIT("CLOB"),
    [DMS_TYPE_NCLOB] = STR_INIT("NCLOB"),
    [DMS_TYPE_BOOLEAN] = STR_INIT("BOOLEAN"),
};

enum dms_type dms_type_find(struct str name)
{
    for (size_t i = DMS_TYPE_NONE + 1; i < ARRAY_LEN(names); i++) {
        if (str_ieq(names[i], name)) {
            return (enum dms_type)i;
        }
    }
    return DMS_TYPE_NONE;
}

struct str dms_type_name(enum dms_type type)
{
    return names[type];
}

static struct dms_data_type plain(enum dms_type type)
{
    return (struct dms_data_type){ .type = type, .precision = -1, .scale = -1 };
}

static struct dms_data_type sized(enum dms_type type, uint64_t length)
{
    return (struct dms_data_type){ .type = type,
                                   .length = length > INT32_MAX ? 0 : (int32_t)length,
                                   .precision = -1,
                                   .scale = -1 };
}

static struct dms_data_type number(enum dms_type is_signed, enum dms_type is_unsigned,
                                   const struct mysql_column *c)
{
    return plain(c->is_unsigned ? is_unsigned : is_signed);
}

struct dms_data_type dms_type_of(const struct mysql_column *c)
{
    struct dms_data_type t;
    switch (c->family) {
    case MYSQL_F_TINYINT:
        return number(DMS_TYPE_INT1, DMS_TYPE_UINT1, c);
    case MYSQL_F_SMALLINT:
        return number(DMS_TYPE_INT2, DMS_TYPE_UINT2, c);
    case MYSQL_F_MEDIUMINT:
    case MYSQL_F_INT:
        return number(DMS_TYPE_INT4, DMS_TYPE_UINT4, c);
    case MYSQL_F_BIGINT:
        return number(DMS_TYPE_INT8, DMS_TYPE_UINT8, c);
    case MYSQL_F_YEAR:
        return plain(DMS_TYPE_INT2);
    case MYSQL_F_DECIMAL:
        t = plain(DMS_TYPE_NUMERIC);
        t.precision = (int32_t)c->precision;
        t.scale = (int32_t)c->scale;
        return t;
    case MYSQL_F_FLOAT:
    case MYSQL_F_DOUBLE:
        return plain(DMS_TYPE_REAL8);
    case MYSQL_F_BIT:
        return c->precision <= 1 ? plain(DMS_TYPE_BOOLEAN)
                                 : sized(DMS_TYPE_BYTES, (c->precision + 7) / 8);
    case MYSQL_F_DATE:
        return plain(DMS_TYPE_DATE);
    case MYSQL_F_DATETIME:
    case MYSQL_F_TIMESTAMP:
        t = plain(DMS_TYPE_DATETIME);
        t.scale = (int32_t)c->fraction;
        return t;
    case MYSQL_F_BINARY:
    case MYSQL_F_VARBINARY:
    case MYSQL_F_TINYBLOB:
    case MYSQL_F_BLOB:
        return sized(DMS_TYPE_BYTES, c->chars);
    case MYSQL_F_MEDIUMBLOB:
    case MYSQL_F_LONGBLOB:
    case MYSQL_F_GEOMETRY:
        return plain(DMS_TYPE_BLOB);
    case MYSQL_F_MEDIUMTEXT:
    case MYSQL_F_LONGTEXT:
        return plain(DMS_TYPE_NCLOB);
    case MYSQL_F_JSON:
        return plain(DMS_TYPE_CLOB);
    case MYSQL_F_TIME:
    case MYSQL_F_UUID:
    case MYSQL_F_INET4:
    case MYSQL_F_INET6:
        return plain(DMS_TYPE_STRING);
    default:
        return sized(DMS_TYPE_WSTRING, c->chars);
    }
}

bool dms_type_is_lob(const struct mysql_column *c)
{
    return dms_csv_is_lob(c);
}

struct str dms_type_hive(struct arena *a, const struct dms_data_type *t)
{
    switch (t->type) {
    case DMS_TYPE_INT1:
        return STR("tinyint");
    case DMS_TYPE_UINT1:
    case DMS_TYPE_INT2:
        return STR("smallint");
    case DMS_TYPE_UINT2:
    case DMS_TYPE_INT4:
        return STR("int");
    case DMS_TYPE_UINT4:
    case DMS_TYPE_INT8:
        return STR("bigint");
    case DMS_TYPE_UINT8:
        return STR("decimal(20,0)");
    case DMS_TYPE_NUMERIC:
        return t->precision > 0 && t->precision <= 38
                   ? arena_printf(a, "decimal(%d,%d)", t->precision, t->scale < 0 ? 0 : t->scale)
                   : STR("string");
    case DMS_TYPE_REAL4:
        return STR("float");
    case DMS_TYPE_REAL8:
        return STR("double");
    case DMS_TYPE_DATE:
        return STR("date");
    case DMS_TYPE_DATETIME:
        return STR("timestamp");
    default:
        return STR("string");
    }
}
