/* DescribeReplicationInstanceTaskLogs: how large the logs of an instance's tasks are. */
#include "emulators/dms/dms_doc.h"
#include "emulators/facade/logs.h"
#include "server/core.h"

#define LOGS_MAX_RECORDS 100

/* Tasks without a log yet are not listed. */
static enum status show(struct call *c, const struct dms_task_row *t, struct str instance,
                        struct dms_replication_instance_task_log *items, size_t *n)
{
    const struct logs_owner owner = { t->account, t->region };
    struct str group, stream;
    int64_t bytes = 0;
    dms_log_names(c->arena, t, instance, &group, &stream);
    enum status st = logs_stream_bytes(c->core, &owner, group, stream, &bytes);
    if (st == ST_OK && bytes > 0) {
        items[(*n)++] = (struct dms_replication_instance_task_log){
            .ReplicationTaskName = t->ident,
            .ReplicationTaskArn = t->arn,
            .ReplicationInstanceTaskLogSize = OPT_I64(bytes),
        };
    }
    return st;
}

enum status dms_describe_replication_instance_task_logs(
    struct call *c, const struct dms_describe_replication_instance_task_logs_request *in,
    struct dms_describe_replication_instance_task_logs_response *ret_out)
{
    struct dms_resource instance;
    struct dms_task_row *rows = NULL;
    size_t n = 0, shown = 0;
    enum status st = dms_need(c, &dms_instances, in->ReplicationInstanceArn, &instance, NULL);
    if (st == ST_OK) {
        st = dms_store_task_list(c->db, c->arena, instance.account, instance.region, &rows, &n);
    }
    struct dms_replication_instance_task_log *items =
        ARENA_ARRAY(c->arena, struct dms_replication_instance_task_log, n + 1);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        if (str_eq(rows[i].instance_arn, instance.arn)) {
            st = show(c, &rows[i], instance.ident, items, &shown);
        }
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    ret_out->ReplicationInstanceArn = instance.arn;
    ret_out->ReplicationInstanceTaskLogs.v = items;
    ret_out->ReplicationInstanceTaskLogs.n = shown;
    return dms_cut(c, DMS_ASK_ALL(in), LOGS_MAX_RECORDS, &ret_out->ReplicationInstanceTaskLogs,
                   &ret_out->Marker);
}
