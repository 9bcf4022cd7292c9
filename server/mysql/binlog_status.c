/* A QUERY event's status variables: how its text is to be read. */
#include "server/base/mem.h"
#include "server/mysql/binlog_parts.h"

/* In the order in which servers write them; what comes behind isn't needed. */
enum status_variable {
    STATUS_FLAGS2 = 0,
    STATUS_SQL_MODE = 1,
    STATUS_CATALOG = 6,
    STATUS_AUTO_INCREMENT = 3,
    STATUS_CHARSET = 4,
};
#define SQL_MODE_ANSI_QUOTES 0x4u
#define SQL_MODE_NO_BACKSLASH_ESCAPES 0x100000u

/* The collations that a client's texts can have, by number, other than those of UTF-8. */
static const struct {
    const char *charset;
    uint8_t ids[8];
} collations[] = {
    { "big5", { 1, 84 } },
    { "dec8", { 3, 69 } },
    { "cp850", { 4, 80 } },
    { "hp8", { 6, 72 } },
    { "koi8r", { 7, 74 } },
    { "latin1", { 5, 8, 15, 31, 47, 48, 49, 94 } },
    { "latin2", { 2, 9, 21, 27, 77 } },
    { "ujis", { 12, 91 } },
    { "sjis", { 13, 88 } },
    { "cp1251", { 14, 23, 50, 51, 52 } },
    { "hebrew", { 16, 71 } },
    { "tis620", { 18, 89 } },
    { "euckr", { 19, 85 } },
    { "latin7", { 20, 41, 42, 79 } },
    { "koi8u", { 22, 75 } },
    { "gb2312", { 24, 86 } },
    { "greek", { 25, 70 } },
    { "cp1250", { 26, 34, 44, 66, 99 } },
    { "gbk", { 28, 87 } },
    { "cp1257", { 29, 58, 59 } },
    { "latin5", { 30, 78 } },
    { "armscii8", { 32, 64 } },
    { "cp866", { 36, 68 } },
    { "macce", { 38, 43 } },
    { "macroman", { 39, 53 } },
    { "cp852", { 40, 81 } },
    { "cp1256", { 57, 67 } },
    { "cp932", { 95, 96 } },
    { "eucjpms", { 97, 98 } },
    { "gb18030", { 248, 249, 250 } },
};

static struct str charset_of(uint64_t collation)
{
    for (size_t i = 0; collation > 0 && i < ARRAY_LEN(collations); i++) {
        for (size_t k = 0; k < ARRAY_LEN(collations[i].ids); k++) {
            if (collations[i].ids[k] == collation) {
                return str_z(collations[i].charset);
            }
        }
    }
    return STR_NONE;
}

struct query_status binlog_query_status(struct rd vars)
{
    struct query_status s = { .charset = STR_NONE };
    while (rd_left(&vars) > 0 && !vars.bad) {
        uint64_t mode;
        switch ((enum status_variable)rd_le(&vars, 1)) {
        case STATUS_FLAGS2:
            rd_take(&vars, 4);
            break;
        case STATUS_SQL_MODE:
            mode = rd_le(&vars, 8);
            s.ansi_quotes = mode & SQL_MODE_ANSI_QUOTES;
            s.no_escapes = mode & SQL_MODE_NO_BACKSLASH_ESCAPES;
            break;
        case STATUS_CATALOG:
            rd_take(&vars, (size_t)rd_le(&vars, 1));
            break;
        case STATUS_AUTO_INCREMENT:
            rd_take(&vars, 4);
            break;
        case STATUS_CHARSET: /* of the client; then of the connection and of the server */
            s.charset = charset_of(rd_le(&vars, 2));
            return s;
        default:
            return s;
        }
    }
    return s;
}
