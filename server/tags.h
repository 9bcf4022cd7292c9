/* Tags of a service's resources by their ARNs: a table a service.
 *
 *   const struct tags glue_tags = TAGS_TABLE("glue_tag");
 *   st = tags_set(db, &glue_tags, arn, &in->TagsToAdd);
 *   st = tags_list(db, a, &glue_tags, arn, &ret_out->Tags);
 *
 * Lists are those of a model, or maps of it: items whose first two members are the texts of key and
 * value. Any handle, in the current transaction. */
#ifndef CISTERN_TAGS_H
#define CISTERN_TAGS_H

#include "server/store/db_read.h"

#define TAGS_SCHEMA(table)                                                                   \
    "CREATE TABLE IF NOT EXISTS " table "(arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT " \
    "NOT NULL, PRIMARY KEY(arn, key)) WITHOUT ROWID;"

struct tags {
    const char *set;   /* ARN, key, value */
    const char *unset; /* ARN, key */
    const char *clear; /* ARN */
    const char *list;  /* ARN */
};
#define TAGS_TABLE(table)                                                                       \
    {                                                                                           \
        "INSERT OR REPLACE INTO " table " VALUES(?,?,?)",                                       \
            "DELETE FROM " table " WHERE arn=? AND key=?", "DELETE FROM " table " WHERE arn=?", \
            "SELECT key, value, arn FROM " table " WHERE arn=? ORDER BY key",                   \
    }

/* Adds or replaces those of the list; a value that is absent becomes empty. */
#define tags_set(db, t, arn, list) \
    tags_set_n((db), (t), (arn), (list)->n, sizeof(*(list)->v), (list)->v)
enum status tags_set_n(struct db *db, const struct tags *t, struct str arn, size_t n, size_t size,
                       const void *v) MUST_CHECK;
/* Removes those of a list of keys. */
#define tags_unset(db, t, arn, keys) tags_unset_n((db), (t), (arn), (keys)->n, (keys)->v)
enum status tags_unset_n(struct db *db, const struct tags *t, struct str arn, size_t n,
                         const struct str *keys) MUST_CHECK;
/* Removes all of the resource. */
enum status tags_clear(struct db *db, const struct tags *t, struct str arn) MUST_CHECK;
/* In the order of their keys. Items may have a third text, which is the ARN. */
#define tags_list(db, a, t, arn, ret) \
    db_read((db), ALL_TEXTS((a), &(ret)->v, &(ret)->n), (t)->list, bs(arn))

#endif
