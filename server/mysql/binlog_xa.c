/* XA transactions: kept when they are prepared, delivered when they are committed. */
#include <string.h>

#include "server/base/mem.h"
#include "server/mysql/binlog_parts.h"

#define PART_MAX 64u /* bytes of each part of a name */

/* --- names ------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* X'6162' at the beginning of *s, which moves behind it. */
static bool take_hex(struct str *s, struct mysql_xa_id *id, uint32_t *ret_n)
{
    size_t used = (size_t)id->global_n + id->branch_n;
    if (s->n < 3 || (s->p[0] != 'X' && s->p[0] != 'x') || s->p[1] != '\'') {
        return false;
    }
    size_t i = 2;
    uint32_t n = 0;
    for (; i + 1 < s->n && s->p[i] != '\''; i += 2) {
        int high = hex_digit(s->p[i]), low = hex_digit(s->p[i + 1]);
        if (high < 0 || low < 0 || n >= PART_MAX) {
            return false;
        }
        id->p[used + n++] = (uint8_t)(high * 16 + low);
    }
    if (i >= s->n || s->p[i] != '\'') {
        return false;
    }
    *ret_n = n;
    *s = str_sub(*s, i + 1, s->n);
    return true;
}

/* "X'78',X'',1", as servers write names in their logs. */
static bool parse_id(struct str s, struct mysql_xa_id *ret)
{
    *ret = (struct mysql_xa_id){ 0 };
    uint64_t format;
    s = str_trim(s);
    if (!take_hex(&s, ret, &ret->global_n) || s.n == 0 || s.p[0] != ',') {
        return false;
    }
    s = str_sub(s, 1, s.n);
    if (!take_hex(&s, ret, &ret->branch_n) || s.n == 0 || s.p[0] != ',') {
        return false;
    }
    struct str number = str_trim(str_sub(s, 1, s.n));
    if (str_u64(number, &format) != ST_OK || format > UINT32_MAX) {
        return false;
    }
    ret->format = (int32_t)(uint32_t)format;
    return true;
}

/* The body of XA_PREPARE: is it a commit in one phase?, format, lengths, bytes. */
static bool read_id(struct rd *r, bool *ret_one_phase, struct mysql_xa_id *ret)
{
    *ret = (struct mysql_xa_id){ 0 };
    *ret_one_phase = rd_le(r, 1) != 0;
    ret->format = (int32_t)(uint32_t)rd_le(r, 4);
    uint64_t global_n = rd_le(r, 4), branch_n = rd_le(r, 4);
    if (r->bad || global_n > PART_MAX || branch_n > PART_MAX) {
        return false;
    }
    ret->global_n = (uint32_t)global_n;
    ret->branch_n = (uint32_t)branch_n;
    const uint8_t *p = rd_take(r, (size_t)(global_n + branch_n));
    if (!p) {
        return false;
    }
    memcpy(ret->p, p, (size_t)(global_n + branch_n));
    return true;
}

/* --- at PREPARE ------------------------------------------------------------------------------- */

void binlog_xa_begin(struct mysql_binlog *b)
{
    if (!b->xa) {
        b->xa = true;
        mysql_xa_open(b->xa_kept, &b->tx.start);
    }
}

enum status binlog_xa_keep(struct mysql_binlog *b, const struct event *e, struct mysql_err *err)
{
    return mysql_xa_add(b->xa_kept, e->type, e->body.p, rd_left(&e->body), err);
}

/* Its events, as if they came now. */
static enum status deliver(struct mysql_binlog *b, const struct event *at,
                           const struct mysql_xa_tx *t, struct mysql_err *err)
{
    uint64_t cursor = 0;
    b->xa = false;
    for (;;) {
        struct event e = { .stamp = at->stamp, .inner = true };
        struct str bytes;
        enum status st = mysql_xa_read(b->xa_kept, t, &cursor, &e.type, &bytes, err);
        if (st) {
            return st == ST_NOT_FOUND ? ST_OK : st;
        }
        const uint8_t *p = (const uint8_t *)bytes.p;
        e.body = (struct rd){ p, p + bytes.n, false };
        st = e.type == EVENT_TABLE_MAP ? binlog_table_map(b, &e, err) : binlog_rows(b, &e, err);
        if (st) {
            return st;
        }
    }
}

enum status binlog_xa_prepare(struct mysql_binlog *b, struct event *e, struct mysql_err *err)
{
    struct mysql_xa_id id;
    bool one_phase;
    if (b->group != GROUP_OPEN || !b->xa) {
        return binlog_corrupt(b, e, "an XA PREPARE without its XA START", err);
    }
    if (!read_id(&e->body, &one_phase, &id)) {
        return binlog_corrupt(b, e, "an XA PREPARE event is malformed", err);
    }
    enum status st = one_phase ? deliver(b, e, mysql_xa_at_hand(b->xa_kept), err)
                               : mysql_xa_prepared(b->xa_kept, &id, err);
    if (st) {
        return st;
    }
    mysql_xa_drop_open(b->xa_kept);
    return binlog_commit(b, e, err);
}

/* --- at the end ------------------------------------------------------------------------------- */

static enum status orphan(struct mysql_binlog *b, struct str name, struct mysql_err *err)
{
    if (b->calls.orphan) {
        return binlog_called(b->calls.orphan(b->ctx, name, &b->tx), err);
    }
    return binlog_refuse(b, MYSQL_ERR_UNSUPPORTED,
                         "an XA transaction is committed that was prepared before the place where "
                         "reading began, so that its changes are not known. Reload the tables.",
                         err);
}

static enum status end(struct mysql_binlog *b, const struct event *e, struct str name, bool commit,
                       struct mysql_err *err)
{
    struct mysql_xa_id id;
    if (!parse_id(name, &id)) {
        return binlog_corrupt(b, e, "the name of an XA transaction is malformed", err);
    }
    struct mysql_xa_tx *t = mysql_xa_find(b->xa_kept, &id);
    if (!t) {
        return commit ? orphan(b, name, err) : ST_OK;
    }
    enum status st = commit ? deliver(b, e, t, err) : ST_OK;
    if (!st) {
        mysql_xa_ended(b->xa_kept, t, &b->tx.start);
    }
    return st;
}

static bool begins(struct str *s, const char *words)
{
    size_t n = strlen(words);
    if (s->n < n || !str_ieqz(str_sub(*s, 0, n), words)) {
        return false;
    }
    *s = str_sub(*s, n, s->n);
    return true;
}

enum status binlog_xa_query(struct mysql_binlog *b, const struct event *e, struct str text,
                            struct mysql_err *err)
{
    struct str rest = str_trim(text);
    if (begins(&rest, "XA START ") || begins(&rest, "XA BEGIN ")) {
        binlog_xa_begin(b);
        return ST_OK;
    }
    bool commit = begins(&rest, "XA COMMIT ");
    if (commit || begins(&rest, "XA ROLLBACK ")) {
        return end(b, e, rest, commit, err);
    }
    return ST_OK; /* XA END */
}
