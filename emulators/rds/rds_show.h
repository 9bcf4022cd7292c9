/* Building the documents that Describe shows. Core thread; everything in the call's arena. */
#ifndef CISTERN_RDS_SHOW_H
#define CISTERN_RDS_SHOW_H

#include "emulators/rds/rds_internal.h"

/* Parts that instances from scratch and restored ones have in common. */
struct rds_wish {
    struct str name, class_, engine, version, master, db_name;
    struct str parameter_group, subnet_group, zone, storage_type;
    struct str backup_window, maintenance_window, license;
    struct opt_i64 storage, port, backup_days, iops, max_storage;
    struct opt_bool public, minor_upgrade, copy_tags, protected;
    const struct rds_vpc_security_group_id_list *groups;
    const struct rds_log_type_list *exports;
    const struct rds_tag_list *tags;
};

/* A new instance in state "creating" after the checks that all have in common; the call has failed
 * otherwise. */
enum status rds_new_instance(struct call *c, const struct rds_wish *wish,
                             struct rds_instance *ret) MUST_CHECK;
/* Is it one of the engines that can be? */
enum status rds_check_engine_name(struct call *c, struct str engine) MUST_CHECK;
/* Type and size of its storage are such as RDS takes. */
enum status rds_check_storage(struct call *c, const struct rds_instance *i) MUST_CHECK;
/* The group by name, or the default one of the engine; DBParameterGroupNotFound. */
enum status rds_use_group(struct call *c, const struct rds_instance *i, struct str name,
                          const char *status, struct rds_db_instance *doc) MUST_CHECK;
struct rds_vpc_security_group_membership_list
rds_memberships(struct call *c, const struct rds_vpc_security_group_id_list *ids);
/* What Describe answers: the kept document with the tags of now. */
enum status rds_show(struct call *c, const struct rds_instance *i,
                     struct rds_db_instance **ret) MUST_CHECK;

#endif
