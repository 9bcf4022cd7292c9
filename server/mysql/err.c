#include "server/mysql/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"

static const char *const names[] = {
    [MYSQL_ERR_NONE] = "none",
    [MYSQL_ERR_UNREACHABLE] = "unreachable",
    [MYSQL_ERR_AUTH] = "auth",
    [MYSQL_ERR_TLS] = "tls",
    [MYSQL_ERR_PRIVILEGE] = "privilege",
    [MYSQL_ERR_LOST] = "lost",
    [MYSQL_ERR_ABORTED] = "aborted",
    [MYSQL_ERR_BUSY] = "busy",
    [MYSQL_ERR_MISSING] = "missing",
    [MYSQL_ERR_CHANGED] = "changed",
    [MYSQL_ERR_CONFIG] = "config",
    [MYSQL_ERR_PURGED] = "purged",
    [MYSQL_ERR_UNSUPPORTED] = "unsupported",
    [MYSQL_ERR_CORRUPT] = "corrupt",
    [MYSQL_ERR_LIMIT] = "limit",
    [MYSQL_ERR_FATAL] = "fatal",
};

const char *mysql_err_name(enum mysql_err_kind kind)
{
    return (size_t)kind < ARRAY_LEN(names) ? names[kind] : "unknown";
}

bool mysql_err_retryable(const struct mysql_err *err)
{
    return err->kind == MYSQL_ERR_UNREACHABLE || err->kind == MYSQL_ERR_LOST ||
           err->kind == MYSQL_ERR_BUSY;
}

/* A text that was cut must not end inside a UTF-8 sequence. */
static void trim_utf8(char *text, size_t size)
{
    size_t n = strlen(text);
    if (n + 1 < size) {
        return;
    }
    while (n > 0 && ((unsigned char)text[n - 1] & 0xC0) == 0x80) {
        n--;
    }
    if (n > 0 && ((unsigned char)text[n - 1] & 0x80)) {
        n--;
    }
    text[n] = '\0';
}

enum status mysql_err_set(struct mysql_err *err, enum status st, enum mysql_err_kind kind,
                          const char *fmt, ...)
{
    mysql_err_clear(err);
    err->kind = kind;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    trim_utf8(err->text, sizeof(err->text));
    return st;
}

void mysql_err_prefix(struct mysql_err *err, const char *fmt, ...)
{
    char old[MYSQL_ERR_TEXT];
    memcpy(old, err->text, sizeof(old));
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof(err->text)) {
        snprintf(err->text + n, sizeof(err->text) - (size_t)n, "%s", old);
    }
    trim_utf8(err->text, sizeof(err->text));
}

void mysql_err_clear(struct mysql_err *err)
{
    err->kind = MYSQL_ERR_NONE;
    err->code = 0;
    err->sqlstate[0] = '\0';
    err->text[0] = '\0';
}
