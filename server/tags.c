#include "server/tags.h"

#include <string.h>

enum status tags_set_n(struct db *db, const struct tags *t, struct str arn, size_t n, size_t size,
                       const void *v)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        struct str tag[2];
        memcpy(tag, (const char *)v + i * size, sizeof(tag));
        st = db_exec(db, t->set, bs(arn), bs(tag[0]), bs_or_empty(tag[1]));
    }
    return st;
}

enum status tags_unset_n(struct db *db, const struct tags *t, struct str arn, size_t n,
                         const struct str *keys)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        st = db_exec(db, t->unset, bs(arn), bs(keys[i]));
    }
    return st;
}

enum status tags_clear(struct db *db, const struct tags *t, struct str arn)
{
    return db_exec(db, t->clear, bs(arn));
}
