/* What the codes of servers and of the client library mean for us. */
#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"

static const struct {
    unsigned code;
    enum mysql_err_kind kind;
} kinds[] = {
    { 2001, MYSQL_ERR_UNREACHABLE }, { 2002, MYSQL_ERR_UNREACHABLE },
    { 2003, MYSQL_ERR_UNREACHABLE }, { 2004, MYSQL_ERR_UNREACHABLE },
    { 2005, MYSQL_ERR_UNREACHABLE }, { 2012, MYSQL_ERR_UNREACHABLE },
    { 1129, MYSQL_ERR_UNREACHABLE }, { 1045, MYSQL_ERR_AUTH },
    { 1130, MYSQL_ERR_AUTH },        { 1131, MYSQL_ERR_AUTH },
    { 1251, MYSQL_ERR_AUTH },        { 1275, MYSQL_ERR_AUTH },
    { 1524, MYSQL_ERR_AUTH },        { 1698, MYSQL_ERR_AUTH },
    { 1820, MYSQL_ERR_AUTH },        { 1862, MYSQL_ERR_AUTH },
    { 2049, MYSQL_ERR_AUTH },        { 2058, MYSQL_ERR_AUTH },
    { 2059, MYSQL_ERR_AUTH },        { 2061, MYSQL_ERR_AUTH },
    { 3118, MYSQL_ERR_AUTH },        { 4151, MYSQL_ERR_AUTH },
    { 2026, MYSQL_ERR_TLS },         { 3159, MYSQL_ERR_TLS },
    { 1044, MYSQL_ERR_PRIVILEGE },   { 1142, MYSQL_ERR_PRIVILEGE },
    { 1143, MYSQL_ERR_PRIVILEGE },   { 1227, MYSQL_ERR_PRIVILEGE },
    { 1370, MYSQL_ERR_PRIVILEGE },   { 1410, MYSQL_ERR_PRIVILEGE },
    { 1053, MYSQL_ERR_LOST },        { 1152, MYSQL_ERR_LOST },
    { 1158, MYSQL_ERR_LOST },        { 1159, MYSQL_ERR_LOST },
    { 1160, MYSQL_ERR_LOST },        { 1161, MYSQL_ERR_LOST },
    { 1317, MYSQL_ERR_LOST },        { 3169, MYSQL_ERR_LOST },
    { 1184, MYSQL_ERR_LOST },        { 1927, MYSQL_ERR_LOST },
    { 2006, MYSQL_ERR_LOST },        { 2013, MYSQL_ERR_LOST },
    { 2055, MYSQL_ERR_LOST },        { 4031, MYSQL_ERR_LOST },
    { 1040, MYSQL_ERR_BUSY },        { 1203, MYSQL_ERR_BUSY },
    { 1205, MYSQL_ERR_BUSY },        { 1213, MYSQL_ERR_BUSY },
    { 3572, MYSQL_ERR_BUSY },        { 4052, MYSQL_ERR_BUSY },
    { 1049, MYSQL_ERR_MISSING },     { 1051, MYSQL_ERR_MISSING },
    { 1054, MYSQL_ERR_MISSING },     { 1146, MYSQL_ERR_MISSING },
    { 1412, MYSQL_ERR_CHANGED },     { 1381, MYSQL_ERR_CONFIG },
    { 1236, MYSQL_ERR_PURGED },      { 1373, MYSQL_ERR_PURGED },
    { 2008, MYSQL_ERR_LIMIT },       { 2020, MYSQL_ERR_LIMIT },
    { 2027, MYSQL_ERR_CORRUPT },     { MYSQL_CODE_PLUGIN_NOT_ALLOWED, MYSQL_ERR_AUTH },
};

/* Of TLS's errors: did the network break, and nothing else? */
static bool is_broken_network(const char *text)
{
    static const char *const words[] = { "unexpected eof", "Connection reset",
                                         "Broken pipe",    "timed out",
                                         "Success",        "temporarily unavailable" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strstr(text, words[i])) {
            return true;
        }
    }
    return false;
}

enum mysql_err_kind mysql_conn_kind(unsigned code, const char *text, bool logged_in)
{
    /* Once the session is there, everything between us has agreed. */
    if (code == 2026 && (logged_in || is_broken_network(text))) {
        return MYSQL_ERR_LOST;
    }
    /* The same code also says that another replica took our server id, and that the log is off. */
    if (code == 1236 && strstr(text, "same server_")) {
        return MYSQL_ERR_BUSY;
    }
    if (code == 1236 && (strstr(text, "Binary log is not open") || strstr(text, "server_id"))) {
        return MYSQL_ERR_CONFIG;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].code == code) {
            return kinds[i].kind;
        }
    }
    return MYSQL_ERR_FATAL;
}
