/* Parameter groups, subnet groups and tags in the database. */
#include "emulators/rds/rds_store.h"
#include "server/store/db_read.h"

/* --- parameter groups ------------------------------------------------------------------------- */
static const struct documents groups = {
    { rds_ops, RDS_N_OPS, "CreateDBParameterGroup", "DBParameterGroup" },
    DOCUMENTS_BY_NAME("rds_group"),
};

enum status rds_store_add_group(struct db *db, struct arena *a, const struct rds_owner *o,
                                struct rds_db_parameter_group *g)
{
    return documents_add(db, a, &groups, DOCUMENT_NAMED(o, g->DBParameterGroupName), g);
}

enum status rds_store_group(struct db *db, struct arena *a, const struct rds_owner *o,
                            struct str name, struct rds_db_parameter_group **ret)
{
    return documents_get(db, a, &groups, DOCUMENT_NAMED(o, name), ret);
}

enum status rds_store_groups(struct db *db, struct arena *a, const struct rds_owner *o,
                             struct rds_db_parameter_group_list *ret)
{
    return documents_list(db, a, &groups, DOCUMENT_PAGE(o, STR_NONE, -1), ret);
}

enum status rds_store_remove_group(struct db *db, const struct rds_owner *o, struct str name)
{
    enum status st = rds_store_unset(db, o, name, STR_NONE);
    return st != ST_OK
               ? st
               : db_exec(db, "DELETE FROM rds_group WHERE account=? AND region=? AND name=?",
                         OWNER(o), bs(name));
}

enum status rds_store_set(struct db *db, const struct rds_owner *o, struct str group,
                          const struct rds_setting *s)
{
    return db_exec(db, "INSERT OR REPLACE INTO rds_setting VALUES(?,?,?,?,?,?)", OWNER(o),
                   bs(group), bs(s->name), bs(s->value), bs(s->method));
}

enum status rds_store_unset(struct db *db, const struct rds_owner *o, struct str group,
                            struct str name)
{
    return db_exec(db,
                   "DELETE FROM rds_setting WHERE account=?1 AND region=?2 AND grp=?3"
                   " AND (?4 IS NULL OR name=?4)",
                   OWNER(o), bs(group), bs(name));
}

enum status rds_store_settings(struct db *db, struct arena *a, const struct rds_owner *o,
                               struct str group, struct rds_settings *ret)
{
    return db_read(db, ALL_TEXTS(a, &ret->v, &ret->n),
                   "SELECT name, value, method FROM rds_setting"
                   " WHERE account=? AND region=? AND grp=? ORDER BY name",
                   OWNER(o), bs(group));
}

/* --- subnet groups ---------------------------------------------------------------------------- */
static const struct documents subnets = {
    { rds_ops, RDS_N_OPS, "CreateDBSubnetGroup", "DBSubnetGroup" },
    DOCUMENTS_BY_NAME("rds_subnets"),
};

enum status rds_store_put_subnets(struct db *db, struct arena *a, const struct rds_owner *o,
                                  struct rds_db_subnet_group *g, bool replace)
{
    const struct document_key *key = DOCUMENT_NAMED(o, g->DBSubnetGroupName);
    return replace ? documents_set(db, a, &subnets, key, g)
                   : documents_add(db, a, &subnets, key, g);
}

enum status rds_store_subnets(struct db *db, struct arena *a, const struct rds_owner *o,
                              struct str name, struct rds_db_subnet_group **ret)
{
    return documents_get(db, a, &subnets, DOCUMENT_NAMED(o, name), ret);
}

enum status rds_store_all_subnets(struct db *db, struct arena *a, const struct rds_owner *o,
                                  struct rds_db_subnet_groups *ret)
{
    return documents_list(db, a, &subnets, DOCUMENT_PAGE(o, STR_NONE, -1), ret);
}

enum status rds_store_remove_subnets(struct db *db, const struct rds_owner *o, struct str name)
{
    return documents_remove(db, &subnets, DOCUMENT_NAMED(o, name));
}

const struct tags rds_tags = TAGS_TABLE("rds_tag");
