/* ModifyReplicationInstance, RebootReplicationInstance, MoveReplicationTask. */
#include "emulators/dms/control/control.h"
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_event.h"
#include "emulators/dms/task/task.h"
#include "emulators/dms/worker/worker.h"
#include "server/base/log.h"

/* --- modify ----------------------------------------------------------------------------------- */

static enum status check(struct call *c, const struct dms_modify_replication_instance_request *in)
{
    if (in->KerberosAuthenticationSettings) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "KerberosAuthenticationSettings is not implemented here.");
    }
    return dms_instance_check(c, in->ReplicationInstanceIdentifier, in->ReplicationInstanceClass,
                              in->AllocatedStorage);
}

/* What waits for a reboot, or with ApplyImmediately for nothing. */
static void change_pending(const struct dms_modify_replication_instance_request *in,
                           struct dms_replication_pending_modified_values *p)
{
    if (str_set(in->ReplicationInstanceClass)) {
        p->ReplicationInstanceClass = in->ReplicationInstanceClass;
    }
    if (in->AllocatedStorage.set) {
        p->AllocatedStorage = in->AllocatedStorage;
    }
    if (in->MultiAZ.set) {
        p->MultiAZ = in->MultiAZ;
    }
    if (str_set(in->EngineVersion)) {
        p->EngineVersion = in->EngineVersion;
    }
    if (str_set(in->NetworkType)) {
        p->NetworkType = in->NetworkType;
    }
}

static void apply_pending(struct dms_replication_instance *r)
{
    struct dms_replication_pending_modified_values *p = r->PendingModifiedValues;
    if (!p) {
        return;
    }
    if (str_set(p->ReplicationInstanceClass)) {
        r->ReplicationInstanceClass = p->ReplicationInstanceClass;
    }
    if (p->AllocatedStorage.set) {
        r->AllocatedStorage = p->AllocatedStorage;
    }
    if (p->MultiAZ.set) {
        r->MultiAZ = p->MultiAZ;
    }
    if (str_set(p->EngineVersion)) {
        r->EngineVersion = p->EngineVersion;
    }
    if (str_set(p->NetworkType)) {
        r->NetworkType = p->NetworkType;
    }
    *p = (struct dms_replication_pending_modified_values){ 0 };
}

/* What AWS changes at once, whatever ApplyImmediately says. */
static void change_now(struct call *c, const struct dms_modify_replication_instance_request *in,
                       struct dms_replication_instance *r)
{
    if (str_set(in->ReplicationInstanceIdentifier)) {
        r->ReplicationInstanceIdentifier = arena_lower(c->arena, in->ReplicationInstanceIdentifier);
    }
    if (str_set(in->PreferredMaintenanceWindow)) {
        r->PreferredMaintenanceWindow = in->PreferredMaintenanceWindow;
    }
    if (in->AutoMinorVersionUpgrade.set) {
        r->AutoMinorVersionUpgrade = in->AutoMinorVersionUpgrade;
    }
    if (in->VpcSecurityGroupIds.n > 0) {
        r->VpcSecurityGroups = dms_instance_groups(c->arena, &in->VpcSecurityGroupIds);
    }
}

enum status
dms_modify_replication_instance(struct call *c,
                                const struct dms_modify_replication_instance_request *in,
                                struct dms_modify_replication_instance_response *ret_out)
{
    struct dms_resource row;
    struct dms_replication_instance *r = NULL;
    enum status st = dms_need(c, &dms_instances, in->ReplicationInstanceArn, &row, &r);
    if (st == ST_OK) {
        st = check(c, in);
    }
    if (st != ST_OK) {
        return st;
    }
    if (!r->PendingModifiedValues) {
        r->PendingModifiedValues =
            ARENA_NEW(c->arena, struct dms_replication_pending_modified_values);
    }
    change_now(c, in, r);
    change_pending(in, r->PendingModifiedValues);
    if (in->ApplyImmediately.v) {
        apply_pending(r);
    }
    row.ident = r->ReplicationInstanceIdentifier;
    st = dms_keep(c, &dms_instances, &row, r);
    if (st == ST_OK) {
        st = call_status(c, dms_event_instance(c->core, &row, DMS_EVENT_INSTANCE_MODIFIED));
    }
    r->ReplicationInstanceStatus = STR("modifying"); /* shown once; the row says available */
    ret_out->ReplicationInstance = r;
    return st;
}

/* --- reboot ----------------------------------------------------------------------------------- */

/* The worker has ended without a word: its task goes on, or was stopped meanwhile. */
static void start_again(void *arg)
{
    struct dms_control_wake *k = arg;
    struct dms *dms = k->dms;
    int64_t id = k->task;
    free(k);
    CLEANUP(arena_freep) struct arena *a = arena_new(64u << 20);
    struct dms_task_row t;
    if (core_stopping(dms->core) || dms_store_task_by_id(core_db(dms->core), a, id, &t) != ST_OK) {
        return;
    }
    struct str why = STR_NONE;
    if (dms_task_in(&t, DMS_TASK_STOPPING)) {
        dms_task_ended(dms, id, DMS_END_STOPPED, STR_NONE);
    } else if (dms_task_in(&t, DMS_TASK_RUNNING) || dms_task_in(&t, DMS_TASK_STARTING)) {
        if (dms_worker_start(dms, &t, true, &why, a) != ST_OK) {
            dms_task_ended(dms, id, DMS_END_FAILED, why);
        }
    }
}

static enum status restart_tasks(struct call *c, struct str instance)
{
    struct dms_task_row *rows = NULL;
    size_t n = 0;
    enum status st =
        dms_store_task_list(c->db, c->arena, c->caller.account, c->caller.region, &rows, &n);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        struct dms_worker *w =
            str_eq(rows[i].instance_arn, instance) ? dms_worker_find(dms_of(c), rows[i].id) : NULL;
        if (w) {
            struct dms_control_wake *k = xcalloc(1, sizeof(*k));
            *k = (struct dms_control_wake){ dms_of(c), rows[i].id };
            dms_worker_when_ended(w, start_again, k);
            dms_worker_stop(w, false);
        }
    }
    return call_status(c, st);
}

enum status
dms_reboot_replication_instance(struct call *c,
                                const struct dms_reboot_replication_instance_request *in,
                                struct dms_reboot_replication_instance_response *ret_out)
{
    struct dms_resource row;
    struct dms_replication_instance *r = NULL;
    enum status st = dms_need(c, &dms_instances, in->ReplicationInstanceArn, &row, &r);
    if (st != ST_OK) {
        return st;
    }
    if ((in->ForceFailover.v || in->ForcePlannedFailover.v) && !r->MultiAZ.v) {
        return call_fail(c, &dms_InvalidParameterCombinationException,
                         "The replication instance %.*s is not Multi-AZ: it can't fail over.",
                         STR_ARG(row.ident));
    }
    apply_pending(r);
    st = dms_keep(c, &dms_instances, &row, r);
    if (st == ST_OK) {
        st = call_status(c, dms_event_instance(c->core, &row, DMS_EVENT_INSTANCE_REBOOTED));
    }
    if (st == ST_OK) {
        st = restart_tasks(c, row.arn);
    }
    r->ReplicationInstanceStatus = STR("rebooting"); /* shown once */
    ret_out->ReplicationInstance = r;
    return st;
}

/* --- move ------------------------------------------------------------------------------------- */

enum status dms_move_replication_task(struct call *c,
                                      const struct dms_move_replication_task_request *in,
                                      struct dms_move_replication_task_response *ret_out)
{
    struct dms_task_row t;
    struct dms_resource row;
    enum status st = dms_task_need(c, in->ReplicationTaskArn, &t);
    if (st == ST_OK) {
        st = dms_need(c, &dms_instances, in->TargetReplicationInstanceArn, &row, NULL);
    }
    if (st != ST_OK) {
        return st;
    }
    if (str_eq(t.instance_arn, row.arn)) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s is on that instance already.", STR_ARG(t.ident));
    }
    if (!dms_task_in(&t, DMS_TASK_READY) && !dms_task_in(&t, DMS_TASK_STOPPED) &&
        !dms_task_in(&t, DMS_TASK_FAILED)) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s is %.*s and can't be moved; stop it first.",
                         STR_ARG(t.ident), STR_ARG(t.state));
    }
    t.instance_arn = row.arn;
    st = dms_store_task_move(c->db, &t);
    if (st == ST_OK) {
        st = dms_event_task(c->core, &t, DMS_EVENT_TASK_MOVED, STR_NONE);
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    return dms_task_show(c, &t, STR("moving"), true, &ret_out->ReplicationTask);
}
