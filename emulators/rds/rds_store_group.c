/* Parameter groups, subnet groups and tags in the database. */
#include "emulators/rds/rds_store.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"
#include "server/wire/doc.h"

static const struct op *op_of(const char *name)
{
    return op_find(rds_ops, RDS_N_OPS, str_z(name));
}

/* --- parameter groups ----------------------------------------------------------------------------
 */
enum status rds_store_add_group(struct db *db, struct arena *a, const struct rds_owner *o,
                                struct rds_db_parameter_group *g)
{
    struct rds_create_db_parameter_group_response doc = { .DBParameterGroup = g };
    struct str text;
    enum status st = doc_write(op_of("CreateDBParameterGroup"), a, &doc, &text);
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO rds_group VALUES(?,?,?,?)", bs(o->account),
                                 bs(o->region), bs(g->DBParameterGroupName), bs(text));
}

static enum status group_of(struct arena *a, struct str text, struct rds_db_parameter_group **ret)
{
    void *doc;
    enum status st = doc_read(op_of("CreateDBParameterGroup"), a, text, &doc);
    if (st == ST_OK) {
        *ret = ((struct rds_create_db_parameter_group_response *)doc)->DBParameterGroup;
    }
    return st;
}

enum status rds_store_group(struct db *db, struct arena *a, const struct rds_owner *o,
                            struct str name, struct rds_db_parameter_group **ret)
{
    struct str text;
    enum status st = db_get_str(db, a, &text,
                                "SELECT doc FROM rds_group WHERE account=? AND region=? AND name=?",
                                bs(o->account), bs(o->region), bs(name));
    return st == ST_OK ? group_of(a, text, ret) : st;
}

enum status rds_store_groups(struct db *db, struct arena *a, const struct rds_owner *o,
                             struct rds_db_parameter_group_list *ret)
{
    struct rows q;
    *ret = (struct rds_db_parameter_group_list){ 0, NULL };
    enum status st =
        db_query(db, &q, "SELECT doc FROM rds_group WHERE account=? AND region=? ORDER BY name",
                 bs(o->account), bs(o->region));
    while (st == ST_OK && rows_next(&q)) {
        struct rds_db_parameter_group *g;
        st = group_of(a, rows_str(&q, a, 0), &g);
        if (st == ST_OK) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = *g;
        }
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status rds_store_remove_group(struct db *db, const struct rds_owner *o, struct str name)
{
    enum status st = rds_store_unset(db, o, name, STR_NONE);
    return st != ST_OK
               ? st
               : db_exec(db, "DELETE FROM rds_group WHERE account=? AND region=? AND name=?",
                         bs(o->account), bs(o->region), bs(name));
}

enum status rds_store_set(struct db *db, const struct rds_owner *o, struct str group,
                          const struct rds_setting *s)
{
    return db_exec(db, "INSERT OR REPLACE INTO rds_setting VALUES(?,?,?,?,?,?)", bs(o->account),
                   bs(o->region), bs(group), bs(s->name), bs(s->value), bs(s->method));
}

enum status rds_store_unset(struct db *db, const struct rds_owner *o, struct str group,
                            struct str name)
{
    return db_exec(db,
                   "DELETE FROM rds_setting WHERE account=?1 AND region=?2 AND grp=?3"
                   " AND (?4 IS NULL OR name=?4)",
                   bs(o->account), bs(o->region), bs(group), bs(name));
}

enum status rds_store_settings(struct db *db, struct arena *a, const struct rds_owner *o,
                               struct str group, struct rds_settings *ret)
{
    struct rows q;
    *ret = (struct rds_settings){ NULL, 0 };
    if (db_query(db, &q,
                 "SELECT name, value, method FROM rds_setting"
                 " WHERE account=? AND region=? AND grp=? ORDER BY name",
                 bs(o->account), bs(o->region), bs(group)) == ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] =
                (struct rds_setting){ rows_str(&q, a, 0), rows_str(&q, a, 1), rows_str(&q, a, 2) };
        }
    }
    return rows_end(&q);
}

/* --- subnet groups -------------------------------------------------------------------------------
 */
enum status rds_store_put_subnets(struct db *db, struct arena *a, const struct rds_owner *o,
                                  struct rds_db_subnet_group *g, bool replace)
{
    struct rds_create_db_subnet_group_response doc = { .DBSubnetGroup = g };
    struct str text;
    enum status st = doc_write(op_of("CreateDBSubnetGroup"), a, &doc, &text);
    if (st == ST_OK && replace) {
        st = rds_store_remove_subnets(db, o, g->DBSubnetGroupName);
    }
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO rds_subnets VALUES(?,?,?,?)", bs(o->account),
                                 bs(o->region), bs(g->DBSubnetGroupName), bs(text));
}

static enum status subnets_of(struct arena *a, struct str text, struct rds_db_subnet_group **ret)
{
    void *doc;
    enum status st = doc_read(op_of("CreateDBSubnetGroup"), a, text, &doc);
    if (st == ST_OK) {
        *ret = ((struct rds_create_db_subnet_group_response *)doc)->DBSubnetGroup;
    }
    return st;
}

enum status rds_store_subnets(struct db *db, struct arena *a, const struct rds_owner *o,
                              struct str name, struct rds_db_subnet_group **ret)
{
    struct str text;
    enum status st = db_get_str(
        db, a, &text, "SELECT doc FROM rds_subnets WHERE account=? AND region=? AND name=?",
        bs(o->account), bs(o->region), bs(name));
    return st == ST_OK ? subnets_of(a, text, ret) : st;
}

enum status rds_store_all_subnets(struct db *db, struct arena *a, const struct rds_owner *o,
                                  struct rds_db_subnet_groups *ret)
{
    struct rows q;
    *ret = (struct rds_db_subnet_groups){ 0, NULL };
    enum status st =
        db_query(db, &q, "SELECT doc FROM rds_subnets WHERE account=? AND region=? ORDER BY name",
                 bs(o->account), bs(o->region));
    while (st == ST_OK && rows_next(&q)) {
        struct rds_db_subnet_group *g;
        st = subnets_of(a, rows_str(&q, a, 0), &g);
        if (st == ST_OK) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = *g;
        }
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status rds_store_remove_subnets(struct db *db, const struct rds_owner *o, struct str name)
{
    return db_exec(db, "DELETE FROM rds_subnets WHERE account=? AND region=? AND name=?",
                   bs(o->account), bs(o->region), bs(name));
}

/* --- tags ----------------------------------------------------------------------------------------
 */
enum status rds_store_set_tags(struct db *db, struct str arn, const struct rds_tag_list *tags)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < tags->n; i++) {
        struct str value = str_set(tags->v[i].Value) ? tags->v[i].Value : STR("");
        st = db_exec(db, "INSERT OR REPLACE INTO rds_tag VALUES(?,?,?)", bs(arn),
                     bs(tags->v[i].Key), bs(value));
    }
    return st;
}

enum status rds_store_unset_tag(struct db *db, struct str arn, struct str key)
{
    return db_exec(db, "DELETE FROM rds_tag WHERE arn=?1 AND (?2 IS NULL OR key=?2)", bs(arn),
                   bs(key));
}

enum status rds_store_tags(struct db *db, struct arena *a, struct str arn, struct rds_tag_list *ret)
{
    struct rows q;
    *ret = (struct rds_tag_list){ 0, ARENA_NEW(a, struct rds_tag) };
    if (db_query(db, &q, "SELECT key, value FROM rds_tag WHERE arn=? ORDER BY key", bs(arn)) ==
        ST_OK) {
        while (rows_next(&q)) {
            ARENA_GROW(a, ret->v, ret->n);
            ret->v[ret->n++] = (struct rds_tag){ rows_str(&q, a, 0), rows_str(&q, a, 1) };
        }
    }
    return rows_end(&q);
}
