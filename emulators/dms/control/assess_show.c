/* The looks at assessments, and their end. */
#include "emulators/dms/control/assess.h"
#include "emulators/dms/control/assess_checks.h"
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/task/task.h"
#include "server/wire/doc.h"

/* --- kept documents --------------------------------------------------------------------------- */

enum status dms_assess_read_run(struct arena *a, struct str doc,
                                struct dms_replication_task_assessment_run **ret)
{
    void *out;
    enum status st = doc_read(dms_op("StartReplicationTaskAssessmentRun"), a, doc, &out);
    if (st == ST_OK) {
        *ret = ((struct dms_start_replication_task_assessment_run_response *)out)
                   ->ReplicationTaskAssessmentRun;
    }
    return st;
}

enum status dms_assess_write_run(struct arena *a, struct dms_replication_task_assessment_run *run,
                                 struct str *ret)
{
    struct dms_start_replication_task_assessment_run_response out = { run };
    return doc_write(dms_op("StartReplicationTaskAssessmentRun"), a, &out, ret);
}

enum status dms_assess_read_one(struct arena *a, struct str doc,
                                struct dms_replication_task_individual_assessment **ret)
{
    void *out;
    enum status st = doc_read(dms_op("DescribeReplicationTaskIndividualAssessments"), a, doc, &out);
    if (st == ST_OK) {
        *ret = ((struct dms_describe_replication_task_individual_assessments_response *)out)
                   ->ReplicationTaskIndividualAssessments.v;
    }
    return st;
}

enum status dms_assess_write_one(struct arena *a,
                                 struct dms_replication_task_individual_assessment *one,
                                 struct str *ret)
{
    struct dms_describe_replication_task_individual_assessments_response out = { 0 };
    out.ReplicationTaskIndividualAssessments.n = 1;
    out.ReplicationTaskIndividualAssessments.v = one;
    return doc_write(dms_op("DescribeReplicationTaskIndividualAssessments"), a, &out, ret);
}

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
        st = dms_assess_read_run(c->arena, rows[i].doc, &run);
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
    struct dms_page page;
    if (st == ST_OK) {
        st = dms_page(c, in->MaxRecords, in->Marker, fitting, 100, &page);
    }
    if (st == ST_OK) {
        ret_out->Marker = page.marker;
        ret_out->ReplicationTaskAssessmentRuns.v = items + page.from;
        ret_out->ReplicationTaskAssessmentRuns.n = page.to - page.from;
    }
    return st;
}

enum status dms_describe_replication_task_individual_assessments(
    struct call *c, const struct dms_describe_replication_task_individual_assessments_request *in,
    struct dms_describe_replication_task_individual_assessments_response *ret_out)
{
    static const char *const known[] = { "replication-task-assessment-run-arn", "status", NULL };
    enum status st = dms_check_filters(c, &in->Filters, known);
    struct dms_resource *rows = NULL;
    size_t n = 0, fitting = 0;
    if (st == ST_OK) {
        st = call_status(
            c, dms_store_resource_list(c->db, c->arena, DMS_KIND_ONE, dms_owner_of(c), &rows, &n));
    }
    struct dms_replication_task_individual_assessment *items =
        ARENA_ARRAY(c->arena, struct dms_replication_task_individual_assessment, n + 1);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        struct dms_replication_task_individual_assessment *one = NULL;
        st = call_status(c, dms_assess_read_one(c->arena, rows[i].doc, &one));
        if (st == ST_OK && one &&
            dms_filter_fits(&in->Filters, known[0], one->ReplicationTaskAssessmentRunArn) &&
            dms_filter_fits(&in->Filters, known[1], one->Status)) {
            items[fitting++] = *one;
        }
    }
    struct dms_page page;
    if (st == ST_OK) {
        st = dms_page(c, in->MaxRecords, in->Marker, fitting, 100, &page);
    }
    if (st == ST_OK) {
        ret_out->Marker = page.marker;
        ret_out->ReplicationTaskIndividualAssessments.v = items + page.from;
        ret_out->ReplicationTaskIndividualAssessments.n = page.to - page.from;
    }
    return st;
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
    struct dms_page page;
    if (st == ST_OK) {
        st = dms_page(c, in->MaxRecords, in->Marker, n, 100, &page);
    }
    if (st == ST_OK) {
        ret_out->Marker = page.marker;
        ret_out->IndividualAssessmentNames.v = items + page.from;
        ret_out->IndividualAssessmentNames.n = page.to - page.from;
    }
    return st;
}

static enum status need_run(struct call *c, struct str arn, struct dms_resource *row,
                            struct dms_replication_task_assessment_run **ret)
{
    enum status st = dms_store_resource_get(c->db, c->arena, DMS_KIND_RUN, arn, row);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "The assessment run %.*s could not be found.", STR_ARG(arn));
    }
    st = call_status(c, st == ST_OK ? dms_assess_read_run(c->arena, row->doc, ret) : st);
    if (st == ST_OK && *ret) {
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
    st = dms_assess_write_run(c->arena, run, &row.doc);
    if (st == ST_OK) {
        st = dms_store_resource_update(c->db, &row);
    }
    run->Status = STR("cancelling");
    ret_out->ReplicationTaskAssessmentRun = run;
    return call_status(c, st);
}

static enum status drop_ones(struct call *c, struct str run_arn)
{
    struct dms_resource *rows = NULL;
    size_t n = 0;
    enum status st =
        dms_store_resource_list(c->db, c->arena, DMS_KIND_ONE, dms_owner_of(c), &rows, &n);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        struct dms_replication_task_individual_assessment *one = NULL;
        st = dms_assess_read_one(c->arena, rows[i].doc, &one);
        if (st == ST_OK && one && str_eq(one->ReplicationTaskAssessmentRunArn, run_arn)) {
            st = dms_store_resource_delete(c->db, rows[i].arn);
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
