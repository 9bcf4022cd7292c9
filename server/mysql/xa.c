/* In the file, as in memory, an event is: length (4 bytes), type (1), bytes. A transaction is in
 * one piece, since it is so in the log: its first part in the file, the last one, or all, in
 * memory. */
#include "server/mysql/xa.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/buf.h"
#include "server/base/list.h"
#include "server/base/map.h"
#include "server/base/mem.h"
#include "server/mysql/conn_raw.h"

#define OWN_MEMORY ((size_t)256 * 1024)         /* of one transaction, before it goes to the file */
#define ALL_MEMORY ((size_t)8 * 1024 * 1024)    /* of all together, likewise */
#define WITHOUT_FILE ((size_t)64 * 1024 * 1024) /* of all together, when no file may be made */
#define EVENT_HEAD 5u
#define EVENT_BYTES_MAX ((size_t)UINT32_MAX)
#define KEPT_BUFFER ((size_t)1024 * 1024)

struct mysql_xa_tx {
    struct link link; /* in the order of the log */
    struct mysql_position start, end;
    struct mysql_xa_id id;
    bool prepared, ended;
    uint64_t offset, in_file; /* its part of the file */
    struct buf memory;
};

struct mysql_xa {
    char *spool_dir;
    struct link all;
    struct map prepared; /* that haven't ended, by id */
    struct mysql_xa_tx *open;
    size_t memory; /* of all */
    size_t filed;  /* transactions with a part in the file */
    int fd;
    uint64_t file_end;
    struct buf event; /* read from the file */
};

struct mysql_xa *mysql_xa_new(const char *spool_dir)
{
    struct mysql_xa *x = xcalloc(1, sizeof(*x));
    x->spool_dir = spool_dir ? xstrdup(spool_dir) : NULL;
    x->fd = -1;
    list_init(&x->all);
    map_init(&x->prepared);
    buf_init(&x->event, EVENT_BYTES_MAX);
    return x;
}

/* It has no padding. */
static struct str key_of(const struct mysql_xa_id *id)
{
    return (struct str){ (const char *)id, sizeof(*id) };
}

static struct mysql_xa_tx *tx_of(struct link *link)
{
    return CONTAINER_OF(link, struct mysql_xa_tx, link);
}

/* Its events are not needed any more. */
static void forget_events(struct mysql_xa *x, struct mysql_xa_tx *t)
{
    x->memory -= t->memory.n;
    buf_fini(&t->memory);
    if (t->in_file > 0) {
        t->in_file = 0;
        x->filed--;
    }
    if (x->filed == 0 && x->file_end > 0) {
        x->file_end = 0;
        if (ftruncate(x->fd, 0) < 0) { /* the room is used again anyway */
            errno = 0;
        }
    }
}

static void forget(struct mysql_xa *x, struct mysql_xa_tx *t)
{
    forget_events(x, t);
    list_remove(&t->link);
    if (t->prepared && !t->ended) {
        map_del(&x->prepared, key_of(&t->id));
    }
    if (x->open == t) {
        x->open = NULL;
    }
    free(t);
}

void mysql_xa_free(struct mysql_xa *x)
{
    if (!x) {
        return;
    }
    LIST_FOREACH(link, &x->all)
    {
        forget(x, tx_of(link));
    }
    if (x->fd >= 0) {
        close(x->fd);
    }
    map_fini(&x->prepared);
    buf_fini(&x->event);
    free(x->spool_dir);
    free(x);
}

/* --- places ----------------------------------------------------------------------------------- */

/* From the youngest on: what lowers the place may make an older one necessary, never a younger. */
static void lower(struct mysql_xa *x, struct mysql_position *at)
{
    for (struct link *link = x->all.prev; link != &x->all; link = link->prev) {
        const struct mysql_xa_tx *t = tx_of(link);
        if (mysql_position_cmp(&t->start, at) < 0 &&
            (!t->ended || mysql_position_cmp(&t->end, at) >= 0)) {
            *at = t->start;
        }
    }
}

void mysql_xa_rewind(struct mysql_xa *x, struct mysql_position *at)
{
    lower(x, at);
    LIST_FOREACH(link, &x->all)
    {
        forget(x, tx_of(link));
    }
}

void mysql_xa_hold(struct mysql_xa *x, struct mysql_position *at)
{
    struct mysql_position given = *at;
    const struct mysql_xa_tx *next = NULL;
    lower(x, at);
    /* One that ended before is still needed while another begins within it: that other one's start
     * may become the place. */
    for (struct link *link = x->all.prev, *older; link != &x->all; link = older) {
        struct mysql_xa_tx *t = tx_of(link);
        older = link->prev;
        if (t->ended && mysql_position_cmp(&t->end, &given) < 0 &&
            (!next || mysql_position_cmp(&next->start, &t->end) > 0)) {
            forget(x, t);
        } else {
            next = t;
        }
    }
}

/* --- keeping ---------------------------------------------------------------------------------- */

static enum status file_failed(const struct mysql_xa *x, const char *what, struct mysql_err *err)
{
    const char *why = strerrordesc_np(errno);
    return mysql_err_set(err, ST_IO, MYSQL_ERR_LOST,
                         "A prepared XA transaction can't be kept in a file in %s: %s: %s.",
                         x->spool_dir, what, why ? why : "unknown error");
}

static enum status open_file(struct mysql_xa *x, struct mysql_err *err)
{
    x->fd = open(x->spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (x->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        CLEANUP(free_ptr) char *path = xasprintf("%s/xa-XXXXXX", x->spool_dir);
        x->fd = mkostemp(path, O_CLOEXEC);
        if (x->fd >= 0) {
            unlink(path);
        }
    }
    return x->fd >= 0 ? ST_OK : file_failed(x, "no temporary file", err);
}

/* What it has in memory goes to the file. */
static enum status to_file(struct mysql_xa *x, struct mysql_xa_tx *t, struct mysql_err *err)
{
    enum status st = x->fd >= 0 ? ST_OK : open_file(x, err);
    if (st) {
        return st;
    }
    for (size_t done = 0; done < t->memory.n;) {
        ssize_t n =
            pwrite(x->fd, t->memory.p + done, t->memory.n - done, (off_t)(x->file_end + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return file_failed(x, "write", err);
        }
        done += (size_t)n;
    }
    if (t->in_file == 0) {
        t->offset = x->file_end;
        x->filed++;
    }
    t->in_file += t->memory.n;
    x->file_end += t->memory.n;
    x->memory -= t->memory.n;
    buf_fini(&t->memory);
    buf_init(&t->memory, SIZE_MAX);
    return ST_OK;
}

void mysql_xa_open(struct mysql_xa *x, const struct mysql_position *start)
{
    mysql_xa_drop_open(x);
    struct mysql_xa_tx *t = xcalloc(1, sizeof(*t));
    t->start = *start;
    buf_init(&t->memory, SIZE_MAX);
    list_append(&x->all, &t->link);
    x->open = t;
}

void mysql_xa_drop_open(struct mysql_xa *x)
{
    if (x->open) {
        forget(x, x->open);
    }
}

enum status mysql_xa_add(struct mysql_xa *x, uint8_t type, const void *p, size_t n,
                         struct mysql_err *err)
{
    struct mysql_xa_tx *t = x->open;
    if (!x->spool_dir && x->memory + n > WITHOUT_FILE) {
        return mysql_err_set(err, ST_NOMEM, MYSQL_ERR_LIMIT,
                             "The prepared XA transactions have more than %zu MiB of changes.",
                             WITHOUT_FILE >> 20);
    }
    uint32_t length = (uint32_t)n; /* of an event: below 2 GiB */
    size_t before = t->memory.n;
    buf_add(&t->memory, &length, sizeof(length));
    buf_add(&t->memory, &type, 1);
    buf_add(&t->memory, p, n);
    x->memory += t->memory.n - before;
    return x->spool_dir && t->memory.n > OWN_MEMORY ? to_file(x, t, err) : ST_OK;
}

struct mysql_xa_tx *mysql_xa_find(struct mysql_xa *x, const struct mysql_xa_id *id)
{
    return map_get(&x->prepared, key_of(id));
}

enum status mysql_xa_prepared(struct mysql_xa *x, const struct mysql_xa_id *id,
                              struct mysql_err *err)
{
    struct mysql_xa_tx *t = x->open;
    struct mysql_xa_tx *old = mysql_xa_find(x, id);
    if (old) { /* a server has no two; it lost that one in a crash */
        forget(x, old);
    }
    t->id = *id;
    t->prepared = true;
    map_put(&x->prepared, key_of(id), t);
    x->open = NULL;
    bool much = t->in_file > 0 || x->memory > ALL_MEMORY;
    return x->spool_dir && much && t->memory.n > 0 ? to_file(x, t, err) : ST_OK;
}

struct mysql_xa_tx *mysql_xa_at_hand(struct mysql_xa *x)
{
    return x->open;
}

bool mysql_xa_has_events(const struct mysql_xa_tx *t)
{
    return t && (t->in_file > 0 || t->memory.n > 0);
}

void mysql_xa_ended(struct mysql_xa *x, struct mysql_xa_tx *t, const struct mysql_position *at)
{
    if (t->prepared) {
        map_del(&x->prepared, key_of(&t->id));
    }
    t->ended = true;
    t->end = *at;
    forget_events(x, t);
    if (x->open == t) {
        x->open = NULL;
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum status read_file(struct mysql_xa *x, uint64_t offset, void *p, size_t n,
                             struct mysql_err *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(x->fd, (char *)p + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return file_failed(x, "read", err);
        }
        done += (size_t)got;
    }
    return ST_OK;
}

static enum status event_from_file(struct mysql_xa *x, uint64_t offset, uint8_t *ret_type,
                                   struct str *ret, struct mysql_err *err)
{
    uint8_t head[EVENT_HEAD];
    enum status st = read_file(x, offset, head, sizeof(head), err);
    if (st) {
        return st;
    }
    uint32_t n;
    memcpy(&n, head, sizeof(n));
    if (x->event.cap > KEPT_BUFFER) {
        buf_fini(&x->event);
        buf_init(&x->event, EVENT_BYTES_MAX);
    }
    buf_clear(&x->event);
    char *p = n > 0 ? buf_reserve(&x->event, n) : NULL;
    *ret_type = head[sizeof(n)];
    *ret = (struct str){ p, n };
    return n > 0 ? read_file(x, offset + sizeof(head), p, n, err) : ST_OK;
}

enum status mysql_xa_read(struct mysql_xa *x, const struct mysql_xa_tx *t, uint64_t *cursor,
                          uint8_t *ret_type, struct str *ret, struct mysql_err *err)
{
    enum status st = ST_OK;
    if (*cursor < t->in_file) {
        st = event_from_file(x, t->offset + *cursor, ret_type, ret, err);
    } else if (*cursor - t->in_file < t->memory.n) {
        const char *head = t->memory.p + (*cursor - t->in_file);
        uint32_t n;
        memcpy(&n, head, sizeof(n));
        *ret_type = (uint8_t)head[sizeof(n)];
        *ret = (struct str){ head + EVENT_HEAD, n };
    } else {
        return ST_NOT_FOUND;
    }
    *cursor += EVENT_HEAD + ret->n;
    return st;
}
