/* Log groups, their retention and tags. */
#include "emulators/logs/logs_find.h"
#include "server/base/clock.h"
#include "server/base/mem.h"

#define GROUPS_PAGE 50 /* the service's maximum and default */

static enum status check_name(struct call *c, struct str name)
{
    bool good = name.n >= 1 && name.n <= 512;
    for (size_t i = 0; good && i < name.n; i++) {
        char ch = name.p[i];
        good = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
               (ch && strchr("_-/.#", ch));
    }
    if (good) {
        return ST_OK;
    }
    return call_fail(
        c, &logs_InvalidParameterException,
        "1 validation error detected: Value '%.*s' at 'logGroupName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
        STR_ARG(name));
}

static struct str arn_of(struct call *c, struct str name)
{
    return call_arn(c, "logs", "log-group:%.*s", STR_ARG(name));
}

enum status logs_create_log_group(struct call *c, const struct logs_create_log_group_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    int64_t id;
    struct logs_owner owner = logs_owner_of(c);
    enum status st = check_name(c, in->logGroupName);
    if (st != ST_OK) {
        return st;
    }
    st = logs_store_add_group(c->db, &owner, in->logGroupName, clock_now_ms(), &id);
    if (st == ST_EXISTS) {
        return call_fail(c, &logs_ResourceAlreadyExistsException,
                         "The specified log group already exists");
    }
    for (size_t i = 0; st == ST_OK && i < in->tags.n; i++) {
        st = logs_store_set_tag(c->db, id, in->tags.v[i].key, in->tags.v[i].value);
    }
    return call_status(c, st);
}

enum status logs_describe_log_groups(struct call *c,
                                     const struct logs_describe_log_groups_request *in,
                                     struct logs_describe_log_groups_response *ret_out)
{
    struct logs_owner owner = logs_owner_of(c);
    int64_t limit = in->limit.set ? in->limit.v : GROUPS_PAGE;
    struct logs_group_query query = { in->logGroupNamePrefix, in->logGroupNamePattern,
                                      in->nextToken, limit > GROUPS_PAGE ? GROUPS_PAGE : limit };
    struct logs_group_row *rows;
    size_t n;
    enum status st = logs_store_groups(c->db, c->arena, &owner, &query, &rows, &n);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if ((int64_t)n > query.limit) {
        n = (size_t)query.limit;
        ret_out->nextToken = rows[n - 1].name;
    }
    ret_out->logGroups.n = n;
    ret_out->logGroups.v = ARENA_ARRAY(c->arena, struct logs_log_group, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct str arn = arn_of(c, rows[i].name);
        ret_out->logGroups.v[i] = (struct logs_log_group){
            .logGroupName = rows[i].name,
            .creationTime = OPT_I64(rows[i].created_ms),
            .retentionInDays = { rows[i].retention_days, rows[i].retention_days != 0 },
            .metricFilterCount = OPT_I64(0),
            .arn = arena_printf(c->arena, "%.*s:*", STR_ARG(arn)),
            .logGroupArn = arn,
            .storedBytes = OPT_I64(rows[i].bytes),
            .logGroupClass = STR("STANDARD"),
        };
    }
    return ST_OK;
}

enum status logs_delete_log_group(struct call *c, const struct logs_delete_log_group_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    struct logs_group_row group;
    enum status st = logs_find_group(c, in->logGroupName, STR_NONE, &group);
    return st == ST_OK ? call_status(c, logs_store_delete_group(c->db, group.id)) : st;
}

/* --- retention -------------------------------------------------------------------------------- */
enum status logs_put_retention_policy(struct call *c,
                                      const struct logs_put_retention_policy_request *in,
                                      void *ret_out)
{
    (void)ret_out;
    static const int allowed[] = { 1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                   365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 };
    bool good = false;
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        good = good || allowed[i] == in->retentionInDays.v;
    }
    if (!good) {
        return call_fail(c, &logs_InvalidParameterException,
                         "1 validation error detected: Value '%lld' at 'retentionInDays' failed to "
                         "satisfy constraint: Member must satisfy enum value set: [1, 3, 5, 7, 14, "
                         "30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, "
                         "2922, 3288, 3653]",
                         (long long)in->retentionInDays.v);
    }
    struct logs_group_row group;
    enum status st = logs_find_group(c, in->logGroupName, STR_NONE, &group);
    if (st != ST_OK) {
        return st;
    }
    st = logs_store_set_retention(c->db, group.id, in->retentionInDays.v);
    if (st == ST_OK) {
        group.retention_days = in->retentionInDays.v;
        st = logs_store_expire(c->db, &group, clock_now_ms());
    }
    return call_status(c, st);
}

enum status logs_delete_retention_policy(struct call *c,
                                         const struct logs_delete_retention_policy_request *in,
                                         void *ret_out)
{
    (void)ret_out;
    struct logs_group_row group;
    enum status st = logs_find_group(c, in->logGroupName, STR_NONE, &group);
    return st == ST_OK ? call_status(c, logs_store_set_retention(c->db, group.id, 0)) : st;
}

/* --- tags ------------------------------------------------------------------------------------- */
enum status logs_tag_resource(struct call *c, const struct logs_tag_resource_request *in,
                              void *ret_out)
{
    (void)ret_out;
    struct logs_group_row group;
    enum status st = logs_find_group(c, in->resourceArn, STR_NONE, &group);
    for (size_t i = 0; st == ST_OK && i < in->tags.n; i++) {
        st = logs_store_set_tag(c->db, group.id, in->tags.v[i].key, in->tags.v[i].value);
    }
    return call_status(c, st);
}

enum status logs_untag_resource(struct call *c, const struct logs_untag_resource_request *in,
                                void *ret_out)
{
    (void)ret_out;
    struct logs_group_row group;
    enum status st = logs_find_group(c, in->resourceArn, STR_NONE, &group);
    for (size_t i = 0; st == ST_OK && i < in->tagKeys.n; i++) {
        st = logs_store_delete_tag(c->db, group.id, in->tagKeys.v[i]);
    }
    return call_status(c, st);
}

enum status logs_list_tags_for_resource(struct call *c,
                                        const struct logs_list_tags_for_resource_request *in,
                                        struct logs_list_tags_for_resource_response *ret_out)
{
    struct logs_group_row group;
    enum status st = logs_find_group(c, in->resourceArn, STR_NONE, &group);
    return st == ST_OK ? call_status(c, logs_store_tags(c->db, c->arena, group.id, &ret_out->tags))
                       : st;
}

enum status logs_list_tags_log_group(struct call *c,
                                     const struct logs_list_tags_log_group_request *in,
                                     struct logs_list_tags_log_group_response *ret_out)
{
    struct logs_group_row group;
    enum status st = logs_find_group(c, in->logGroupName, STR_NONE, &group);
    return st == ST_OK ? call_status(c, logs_store_tags(c->db, c->arena, group.id, &ret_out->tags))
                       : st;
}
