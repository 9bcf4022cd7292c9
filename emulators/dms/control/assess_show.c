/* The looks at assessments, and their end. */
#include "emulators/dms/control/assess.h"
#include "emulators/dms/control/assess_checks.h"
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/task/task.h"

bool dms_assess_under_way(const struct dms_replication_task_assessment_run *run)
{
    return str_eqz(run->Status, "starting") || str_eqz(run->Status, "running");
}

/* --- the others ------------------------------------------------------------------------------- */

/* A run of an earlier life of the server has no visit any more. */
static void settle(struct call *c, struct dms_replication_task_assessment_run *run)
{
    if (dms_assess_under_way(run) &&
        run->ReplicationTaskAssessmentRunCreationDate.ms < dms_of(c)->started_ms) {
        run->Status = STR("error-executing");
        run->LastFailureMessage = STR("The server was stopped meanwhile: start another run.");
    }
}

enum status dms_describe_replication_task_assessment_runs(
    struct call *c, const struct dms_describe_replication_task_assessment_runs_request *in,
    struct dms_describe_replication_task_assessment_runs_response *ret_out)
{
    static const char *const known[] = { "replication-task-assessment-run-arn",
                                         "replication-task-arn", "replication-instance-arn",
                                         "status", NULL };
    enum status st = dms_check_filters(c, &in->Filters, known);
    struct dms_resource *rows = NULL;
    size_t n = 0, fitting = 0;
    if (st == ST_OK) {
        st = call_status(
            c, dms_store_resource_list(c->db, c->arena, DMS_KIND_RUN, dms_owner_of(c), &rows, &n));
    }
    struct dms_replication_task_assessment_run *items =
        ARENA_ARRAY(c->arena, struct dms_replication_task_assessment_run, n + 1);
    for (size_t i = n; i-- > 0 && st == ST_OK;) { /* newest first */
        struct dms_replication_task_assessment_run *run = NULL;
        struct dms_task_row t = { 0 };
        st = dms_doc_read(&dms_runs, c->arena, &rows[i], &run);
        if (st == ST_OK) {
            enum status there = dms_store_task_get(c->db, c->arena, run->ReplicationTaskArn, &t);
            st = there == ST_NOT_FOUND ? ST_OK : there;
        }
        if (st == ST_OK && run) {
            settle(c, run);
        }
        if (st == ST_OK && run && dms_filter_fits(&in->Filters, known[0], rows[i].arn) &&
            dms_filter_fits(&in->Filters, known[1], run->ReplicationTaskArn) &&
            dms_filter_fits(&in->Filters, known[2], t.instance_arn) &&
            dms_filter_fits(&in->Filters, known[3], run->Status)) {
            bool latest = true;
            for (size_t k = 0; k < fitting && latest; k++) {
                latest = !str_eq(items[k].ReplicationTaskArn, run->ReplicationTaskArn);
            }
            items[fitting] = *run;
            items[fitting++].IsLatestTaskAssessmentRun = OPT_BOOL(latest);
        }
    }
    ret_out->ReplicationTaskAssessmentRuns.v = items;
    ret_out->ReplicationTaskAssessmentRuns.n = fitting;
    return st == ST_OK ? dms_cut(c, DMS_ASK(in), DMS_PAGE_MAX,
                                 &ret_out->ReplicationTaskAssessmentRuns, &ret_out->Marker)
                       : st;
}

enum status dms_describe_replication_task_individual_assessments(
    struct call *c, const struct dms_describe_replication_task_individual_assessments_request *in,
    struct dms_describe_replication_task_individual_assessments_response *ret_out)
{
    enum status st =
        dms_gather(c, &dms_ones, &in->Filters, &ret_out->ReplicationTaskIndividualAssessments);
    return st == ST_OK ? dms_cut(c, DMS_ASK(in), DMS_PAGE_MAX,
                                 &ret_out->ReplicationTaskIndividualAssessments, &ret_out->Marker)
                       : st;
}

enum status dms_describe_applicable_individual_assessments(
    struct call *c, const struct dms_describe_applicable_individual_assessments_request *in,
    struct dms_describe_applicable_individual_assessments_response *ret_out)
{
    struct str type = in->MigrationType;
    enum status st = ST_OK;
    if (str_set(in->ReplicationTaskArn)) {
        struct dms_task_row t;
        st = dms_task_need(c, in->ReplicationTaskArn, &t);
        type = st == ST_OK ? t.type : type;
    }
    struct str *items = ARENA_ARRAY(c->arena, struct str, dms_checks_n);
    size_t n = 0;
    for (size_t i = 0; i < dms_checks_n; i++) {
        if (dms_assess_applies(&dms_checks[i], type)) {
            items[n++] = str_z(dms_checks[i].name);
        }
    }
    ret_out->IndividualAssessmentNames.v = items;
    ret_out->IndividualAssessmentNames.n = n;
    return st == ST_OK ? dms_cut(c, DMS_ASK_ALL(in), DMS_PAGE_MAX,
                                 &ret_out->IndividualAssessmentNames, &ret_out->Marker)
                       : st;
}

static enum status need_run(struct call *c, struct str arn, struct dms_resource *row,
                            struct dms_replication_task_assessment_run **ret)
{
    enum status st = dms_need(c, &dms_runs, arn, row, ret);
    if (st == ST_OK) {
        settle(c, *ret);
    }
    return st;
}

enum status dms_cancel_replication_task_assessment_run(
    struct call *c, const struct dms_cancel_replication_task_assessment_run_request *in,
    struct dms_cancel_replication_task_assessment_run_response *ret_out)
{
    struct dms_resource row;
    struct dms_replication_task_assessment_run *run = NULL;
    enum status st = need_run(c, in->ReplicationTaskAssessmentRunArn, &row, &run);
    if (st != ST_OK || !run) {
        return st;
    }
    if (!dms_assess_under_way(run)) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "The assessment run is %.*s: there is nothing to cancel.",
                         STR_ARG(run->Status));
    }
    run->Status = STR("cancelled"); /* what its visit still finds is thrown away */
    st = dms_keep(c, &dms_runs, &row, run);
    run->Status = STR("cancelling");
    ret_out->ReplicationTaskAssessmentRun = run;
    return st;
}

static enum status drop_ones(struct call *c, struct str run_arn)
{
    struct dms_replication_task_individual_assessment_list all = { 0 };
    enum status st = dms_gather(c, &dms_ones, NULL, &all);
    for (size_t i = 0; i < all.n && st == ST_OK; i++) {
        if (str_eq(all.v[i].ReplicationTaskAssessmentRunArn, run_arn)) {
            st = dms_store_resource_delete(c->db, all.v[i].ReplicationTaskIndividualAssessmentArn);
        }
    }
    return st;
}

enum status dms_delete_replication_task_assessment_run(
    struct call *c, const struct dms_delete_replication_task_assessment_run_request *in,
    struct dms_delete_replication_task_assessment_run_response *ret_out)
{
    struct dms_resource row;
    struct dms_replication_task_assessment_run *run = NULL;
    enum status st = need_run(c, in->ReplicationTaskAssessmentRunArn, &row, &run);
    if (st != ST_OK || !run) {
        return st;
    }
    if (dms_assess_under_way(run)) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "The assessment run is %.*s: cancel it first.", STR_ARG(run->Status));
    }
    st = drop_ones(c, row.arn);
    if (st == ST_OK) {
        st = dms_store_resource_delete(c->db, row.arn);
    }
    run->Status = STR("deleting");
    ret_out->ReplicationTaskAssessmentRun = run;
    return call_status(c, st);
}
