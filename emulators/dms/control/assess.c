/* Premigration assessments: the checks of assess_checks.c on a task's source, their results as JSON
 * objects in the user's bucket. A run and its individual assessments are kept as resources. */
#include "emulators/dms/control/assess.h"
#include "emulators/dms/control/assess_checks.h"
#include "emulators/dms/control/probe.h"
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/endpoint/mysql_settings.h"
#include "emulators/dms/file/file.h"
#include "emulators/dms/file/names.h"
#include "emulators/dms/task/task.h"
#include "emulators/dms/worker/worker.h"
#include "emulators/facade/s3.h"
#include "server/base/log.h"
#include "server/core.h"
#include "server/wire/doc.h"
#include "server/wire/json.h"

#define RUN_ARENA_MAX (256u << 20)
#define RESULT_MAX ((size_t)1 << 20)

/* A run under way. */
struct assessing {
    struct arena *arena;
    struct dms_check_scene scene;
    struct str run_arn, task_arn;
    struct dms_owner owner;
    const struct dms_check **checks;
    struct dms_check_result *results;
    size_t n, done;
};

/* --- the visit: worker thread ----------------------------------------------------------------- */

static enum status visit(struct mysql_conn *conn, void *arg, struct mysql_err *err)
{
    struct assessing *r = arg;
    r->scene.conn = conn;
    enum status st = dms_check_prepare(&r->scene, err);
    for (size_t i = 0; i < r->n && st == ST_OK; i++) {
        r->results[i] = r->checks[i]->run(&r->scene);
        r->done = i + 1;
    }
    return st;
}

/* --- results: core thread --------------------------------------------------------------------- */

static struct str result_json(struct arena *a, const struct assessing *r, size_t i,
                              const struct dms_replication_task_assessment_run *run)
{
    const struct dms_check_result *x = &r->results[i];
    CLEANUP(buf_fini) struct buf b = BUF_INIT(RESULT_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "assessment-run-name", run->AssessmentRunName);
    json_pair(&o, "replication-task-arn", r->task_arn);
    json_pair(&o, "individual-assessment-name", str_z(r->checks[i]->name));
    json_pair(&o, "status", dms_check_status_name(x->status));
    json_pair(&o, "message", str_set(x->text) ? x->text : STR(""));
    json_keyz(&o, "objects");
    json_open(&o, '[');
    for (size_t k = 0; k < x->objects_n; k++) {
        json_str(&o, x->objects[k]);
    }
    json_close(&o, ']');
    json_close(&o, '}');
    return arena_str(a, buf_ok(&b) ? buf_str(&b) : STR("{}"));
}

static enum status put_json(struct core *core, struct str bucket, struct str key, struct str text)
{
    struct dms_file f;
    struct dms_piece piece;
    dms_file_init(&f, core_blobs(core), false);
    buf_str_add(&f.pending, text);
    enum status st = dms_file_finish(&f, &piece);
    if (st == ST_OK) {
        st = s3_object_put(core, &(struct s3_put){ .bucket = bucket,
                                                   .key = key,
                                                   .ref = piece.ref,
                                                   .md5 = piece.md5,
                                                   .part_bytes = piece.part_bytes,
                                                   .content_type = STR("application/json") });
    }
    dms_file_discard(&f);
    return st;
}

static struct str key_of(struct arena *a, const struct dms_replication_task_assessment_run *run,
                         const char *check)
{
    struct str folder = dms_name_folder(run->ResultLocationFolder);
    return arena_printf(a, "%.*s%s%.*s/%s.json", STR_ARG(folder), folder.n > 0 ? "/" : "",
                        STR_ARG(run->AssessmentRunName), check);
}

static enum status keep_one(struct core *core, const struct assessing *r, size_t i,
                            const struct dms_replication_task_assessment_run *run)
{
    struct str name = str_z(r->checks[i]->name);
    struct dms_replication_task_individual_assessment one = {
        .ReplicationTaskIndividualAssessmentArn =
            arena_printf(r->arena, "%.*s:%.*s", STR_ARG(r->run_arn), STR_ARG(name)),
        .ReplicationTaskAssessmentRunArn = r->run_arn,
        .IndividualAssessmentName = name,
        .Status = dms_check_status_name(r->results[i].status),
        .ReplicationTaskIndividualAssessmentStartDate =
            run->ReplicationTaskAssessmentRunCreationDate,
    };
    struct dms_resource row = { .arn = one.ReplicationTaskIndividualAssessmentArn,
                                .account = r->owner.account,
                                .region = r->owner.region,
                                .ident = one.ReplicationTaskIndividualAssessmentArn };
    enum status st = dms_doc_write(&dms_ones, r->arena, &one, &row);
    if (st == ST_OK) {
        st = dms_store_resource_add(core_db(core), DMS_KIND_ONE, &row, clock_now_ms());
    }
    return st == ST_OK ? put_json(core, run->ResultLocationBucket,
                                  key_of(r->arena, run, r->checks[i]->name),
                                  result_json(r->arena, r, i, run))
                       : st;
}

static void count_up(const struct assessing *r, struct dms_replication_task_assessment_run *run)
{
    struct dms_replication_task_assessment_run_result_statistic *s =
        ARENA_NEW(r->arena, struct dms_replication_task_assessment_run_result_statistic);
    int64_t counts[4] = { 0 };
    for (size_t i = 0; i < r->n; i++) {
        counts[r->results[i].status]++;
    }
    *s = (struct dms_replication_task_assessment_run_result_statistic){
        .Passed = OPT_I64(counts[DMS_CHECK_PASSED]),
        .Failed = OPT_I64(counts[DMS_CHECK_FAILED]),
        .Error = OPT_I64(counts[DMS_CHECK_ERROR]),
        .Warning = OPT_I64(counts[DMS_CHECK_WARNING]),
        .Cancelled = OPT_I64(0),
        .Skipped = OPT_I64(0),
    };
    run->ResultStatistic = s;
    run->AssessmentProgress->IndividualAssessmentCompletedCount = OPT_I64((int64_t)r->n);
    run->Status = counts[DMS_CHECK_ERROR]     ? STR("error-executing")
                  : counts[DMS_CHECK_FAILED]  ? STR("failed")
                  : counts[DMS_CHECK_WARNING] ? STR("warning")
                                              : STR("passed");
}

static enum status conclude(struct dms *dms, struct assessing *r, enum status outcome,
                            const struct mysql_err *err)
{
    struct db *db = core_db(dms->core);
    struct dms_resource row;
    struct dms_replication_task_assessment_run *run = NULL;
    enum status st = dms_store_resource_get(db, r->arena, DMS_KIND_RUN, r->run_arn, &row);
    if (st == ST_OK) {
        st = dms_doc_read(&dms_runs, r->arena, &row, &run);
    }
    if (st != ST_OK || !dms_assess_under_way(run)) {
        return st == ST_NOT_FOUND ? ST_OK : st; /* cancelled, or forgotten by a reset */
    }
    if (outcome == ST_OK) {
        count_up(r, run);
        for (size_t i = 0; i < r->n && st == ST_OK; i++) {
            st = keep_one(dms->core, r, i, run);
        }
        if (st == ST_NOT_FOUND) {
            run->Status = STR("error-executing");
            run->LastFailureMessage = STR("The bucket for the results does not exist (any more).");
        }
    } else {
        run->Status = STR("error-executing");
        run->LastFailureMessage = dms_probe_failure(r->arena, err);
    }
    st = dms_doc_write(&dms_runs, r->arena, run, &row);
    return st == ST_OK ? dms_store_resource_update(db, &row) : st;
}

/* The task isn't "testing" any more. */
static void release_task(struct dms *dms, struct assessing *r)
{
    struct dms_task_row t;
    if (dms_store_task_get(core_db(dms->core), r->arena, r->task_arn, &t) == ST_OK &&
        str_eqz(t.surface, "testing")) {
        t.surface = STR_NONE;
        status_ignore(dms_store_task_update(core_db(dms->core), &t)); /* logged by the store */
    }
}

static void finish(struct dms *dms, void *arg, enum status st, const struct mysql_err *err)
{
    struct assessing *r = arg;
    enum status kept = core_stopping(dms->core) ? ST_OK : conclude(dms, r, st, err);
    if (kept != ST_OK) {
        log_error("dms", "the results of assessment %.*s can't be stored: %s", STR_ARG(r->run_arn),
                  status_name(kept));
    }
    release_task(dms, r);
    arena_free(r->arena);
    free(r);
}

/* --- start ------------------------------------------------------------------------------------ */

static bool names(struct str *v, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eqz(v[i], name)) {
            return true;
        }
    }
    return false;
}

bool dms_assess_applies(const struct dms_check *check, struct str type)
{
    return !check->for_changes || !str_eqz(type, "full-load");
}

static enum status check_names(struct call *c, struct str *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t k = 0; k < dms_checks_n && !known; k++) {
            known = str_eqz(v[i], dms_checks[k].name);
        }
        if (!known) {
            return call_fail(c, &dms_InvalidParameterValueException,
                             "'%.*s' is not the name of an individual assessment: ask "
                             "DescribeApplicableIndividualAssessments.",
                             STR_ARG(v[i]));
        }
    }
    return ST_OK;
}

static enum status check_start(struct call *c,
                               const struct dms_start_replication_task_assessment_run_request *in,
                               const struct dms_task_row *t)
{
    if (!dms_task_in(t, DMS_TASK_READY) && !dms_task_in(t, DMS_TASK_STOPPED) &&
        !dms_task_in(t, DMS_TASK_FAILED)) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "Replication task %.*s is %.*s and can't be assessed; stop it first.",
                         STR_ARG(t->ident), STR_ARG(t->state));
    }
    if (in->IncludeOnly.n > 0 && in->Exclude.n > 0) {
        return call_fail(c, &dms_InvalidParameterCombinationException,
                         "IncludeOnly and Exclude can't both be given.");
    }
    if (str_empty(in->AssessmentRunName) || str_find(in->AssessmentRunName, '/', 0) >= 0) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "AssessmentRunName must be a name without slashes.");
    }
    if (!str_empty(in->ResultEncryptionMode) && !str_eqz(in->ResultEncryptionMode, "SSE_S3")) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "ResultEncryptionMode can only be SSE_S3 here.");
    }
    if (!s3_bucket_exists(c->db, in->ResultLocationBucket)) {
        return call_fail(c, &dms_S3ResourceNotFoundFault, "The bucket %.*s does not exist.",
                         STR_ARG(in->ResultLocationBucket));
    }
    enum status st = check_names(c, in->IncludeOnly.v, in->IncludeOnly.n);
    return st == ST_OK ? check_names(c, in->Exclude.v, in->Exclude.n) : st;
}

static void choose(struct assessing *r,
                   const struct dms_start_replication_task_assessment_run_request *in,
                   struct str type)
{
    r->checks = ARENA_ARRAY(r->arena, const struct dms_check *, dms_checks_n);
    r->results = ARENA_ARRAY(r->arena, struct dms_check_result, dms_checks_n);
    for (size_t i = 0; i < dms_checks_n; i++) {
        const struct dms_check *check = &dms_checks[i];
        bool in_list =
            in->IncludeOnly.n == 0 || names(in->IncludeOnly.v, in->IncludeOnly.n, check->name);
        if (in_list && !names(in->Exclude.v, in->Exclude.n, check->name) &&
            dms_assess_applies(check, type)) {
            r->checks[r->n++] = check;
        }
    }
}

/* Sets the thread going; `r` is handed over or freed. */
static enum status begin(struct call *c, struct assessing *r, const struct dms_task_row *t)
{
    struct dms_resource source;
    const struct dms_endpoint *endpoint = NULL;
    struct dms_source settings = { 0 };
    struct str why = STR("the source endpoint is gone");
    enum status st =
        dms_store_resource_get(c->db, c->arena, DMS_KIND_ENDPOINT, t->source_arn, &source);
    if (st == ST_OK) {
        st = dms_doc_read(&dms_endpoints, c->arena, &source, &endpoint);
    }
    if (st == ST_OK) {
        st = dms_mysql_read(c->arena, endpoint, &settings, &why);
        r->scene.partition_ddl = settings.partition_ddl;
    }
    if (st == ST_OK) {
        st = dms_mapping_parse(r->arena, arena_str(r->arena, t->mappings), &r->scene.mapping, &why);
    }
    if (st == ST_OK) {
        const struct dms_probe_job job = { visit, finish, r, "an assessment is running" };
        st = dms_probe_start(dms_of(c), c->arena, &source, &job, &why);
    }
    if (st == ST_OK) {
        return ST_OK;
    }
    st = call_fail(c, &dms_InvalidResourceStateFault, "The task can't be assessed: %.*s",
                   STR_ARG(why));
    arena_free(r->arena);
    free(r);
    return st;
}

static struct assessing *new_assessing(struct call *c, struct str run_arn,
                                       const struct dms_task_row *t)
{
    struct assessing *r = xcalloc(1, sizeof(*r));
    r->arena = arena_new(RUN_ARENA_MAX);
    r->scene = (struct dms_check_scene){ .arena = r->arena,
                                         .captures = !str_eqz(t->type, "full-load"),
                                         .server_id = (uint32_t)t->server_id };
    r->run_arn = arena_str(r->arena, run_arn);
    r->task_arn = arena_str(r->arena, t->arn);
    r->owner = (struct dms_owner){ arena_str(r->arena, c->caller.account),
                                   arena_str(r->arena, c->caller.region) };
    return r;
}

static enum status keep_new(struct call *c, struct dms_replication_task_assessment_run *run,
                            const struct dms_start_replication_task_assessment_run_request *in,
                            struct dms_task_row *t)
{
    struct dms_resource row = { .arn = run->ReplicationTaskAssessmentRunArn,
                                .ident = run->AssessmentRunName };
    run->Status = STR("running");
    enum status st = dms_keep_new(c, &dms_runs, &row, run, &in->Tags);
    if (st == ST_OK) {
        t->surface = STR("testing");
        st = dms_store_task_update(c->db, t);
    }
    return call_status(c, st);
}

enum status dms_start_replication_task_assessment_run(
    struct call *c, const struct dms_start_replication_task_assessment_run_request *in,
    struct dms_start_replication_task_assessment_run_response *ret_out)
{
    struct dms_task_row t;
    enum status st = dms_task_need(c, in->ReplicationTaskArn, &t);
    if (st == ST_OK) {
        st = check_start(c, in, &t);
    }
    if (st != ST_OK) {
        return st;
    }
    struct str arn = dms_new_arn(c, "assessment-run", STR_NONE);
    struct assessing *r = new_assessing(c, arn, &t);
    choose(r, in, t.type);
    struct dms_replication_task_assessment_run *run =
        ARENA_NEW(c->arena, struct dms_replication_task_assessment_run);
    *run = (struct dms_replication_task_assessment_run){
        .ReplicationTaskAssessmentRunArn = arn,
        .ReplicationTaskArn = t.arn,
        .ReplicationTaskAssessmentRunCreationDate = OPT_TIME(c->received_ms),
        .AssessmentProgress =
            ARENA_NEW(c->arena, struct dms_replication_task_assessment_run_progress),
        .ServiceAccessRoleArn = in->ServiceAccessRoleArn,
        .ResultLocationBucket = in->ResultLocationBucket,
        .ResultLocationFolder = in->ResultLocationFolder,
        .ResultEncryptionMode = in->ResultEncryptionMode,
        .AssessmentRunName = in->AssessmentRunName,
    };
    run->AssessmentProgress->IndividualAssessmentCount = OPT_I64((int64_t)r->n);
    run->AssessmentProgress->IndividualAssessmentCompletedCount = OPT_I64(0);
    st = keep_new(c, run, in, &t);
    if (st != ST_OK) {
        arena_free(r->arena);
        free(r);
        return st;
    }
    run->Status = STR("starting"); /* shown once */
    ret_out->ReplicationTaskAssessmentRun = run;
    return begin(c, r, &t);
}
