/* Runs, as the API shows them: start, look, stop. */
#include "emulators/glue/glue_internal.h"
#include "server/base/clock.h"
#include "server/wire/codec.h"

#define RUNS_PAGE 200

static enum status check_start(struct call *c, const struct glue_start_job_run_request *in)
{
    if (in->NotificationProperty && in->NotificationProperty->NotifyDelayAfter.set) {
        return call_fail(c, &wire_NotImplemented,
                         "NotificationProperty isn't implemented: leave it out of the run.");
    }
    if (str_set(in->ExecutionRoleSessionPolicy)) {
        return call_fail(c, &wire_NotImplemented,
                         "ExecutionRoleSessionPolicy isn't implemented: leave it out of the run.");
    }
    if (in->Timeout.set && (in->Timeout.v < 1 || in->Timeout.v > GLUE_TIMEOUT_MAX)) {
        return call_fail(c, &glue_InvalidInputException, "Timeout must be 1 to %d minutes.",
                         GLUE_TIMEOUT_MAX);
    }
    if (in->MaxCapacity.set && (str_set(in->WorkerType) || in->NumberOfWorkers.set)) {
        return call_fail(c, &glue_InvalidInputException,
                         "Please do not set Max Capacity if using Worker Type and Number of "
                         "Workers.");
    }
    return glue_security_check(c, in->SecurityConfiguration);
}

enum status glue_start_job_run(struct call *c, const struct glue_start_job_run_request *in,
                               struct glue_start_job_run_response *ret_out)
{
    struct glue_job *job;
    struct glue_owner owner = glue_owner_of(c);
    const struct glue_submission how = { .in = in };
    enum status st = glue_find_job(c, in->JobName, &job);
    st = st == ST_OK ? check_start(c, in) : st;
    if (st != ST_OK) {
        return st;
    }
    st = glue_runner_submit(c->state, c->arena, &owner, job, &how, &ret_out->JobRunId);
    if (st == ST_CONFLICT) {
        return call_fail(c, &glue_ConcurrentRunsExceededException,
                         "Concurrent runs exceeded for %.*s", STR_ARG(in->JobName));
    }
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException,
                         "JobRunId %.*s: the job %.*s has no such run to retry.",
                         STR_ARG(in->JobRunId), STR_ARG(in->JobName));
    }
    return call_status(c, st);
}

/* The run as shown now: ExecutionTime of a run under way grows; predecessors are for those who ask.
 */
static void bring_up_to_date(struct glue_job_run *run, bool predecessors)
{
    if (!run->CompletedOn.set && run->StartedOn.set && str_eqz(run->JobRunState, "RUNNING")) {
        run->ExecutionTime = OPT_I64((clock_now_ms() - run->StartedOn.ms) / 1000);
    }
    if (!predecessors) {
        run->PredecessorRuns.n = 0;
    }
}

enum status glue_get_job_run(struct call *c, const struct glue_get_job_run_request *in,
                             struct glue_get_job_run_response *ret_out)
{
    struct glue_run_row row;
    struct glue_owner owner = glue_owner_of(c);
    enum status st = glue_store_run(c->db, c->arena, in->RunId, &row);
    if (st == ST_NOT_FOUND || (st == ST_OK && (!str_eq(row.run->JobName, in->JobName) ||
                                               !str_eq(row.owner.account, owner.account) ||
                                               !str_eq(row.owner.region, owner.region)))) {
        return call_fail(c, &glue_EntityNotFoundException, "Job run %.*s not found for job %.*s.",
                         STR_ARG(in->RunId), STR_ARG(in->JobName));
    }
    if (st == ST_OK) {
        bring_up_to_date(row.run, in->PredecessorsIncluded.v);
        ret_out->JobRun = row.run;
    }
    return call_status(c, st);
}

enum status glue_get_job_runs(struct call *c, const struct glue_get_job_runs_request *in,
                              struct glue_get_job_runs_response *ret_out)
{
    struct glue_job *job;
    struct glue_run_rows rows;
    struct glue_owner owner = glue_owner_of(c);
    int64_t limit = in->MaxResults.set && in->MaxResults.v >= 1 && in->MaxResults.v < RUNS_PAGE
                        ? in->MaxResults.v
                        : RUNS_PAGE;
    struct glue_run_query query = { in->JobName, INT64_MAX, limit };
    enum status st = glue_find_job(c, in->JobName, &job);
    if (st != ST_OK) {
        return st;
    }
    if (str_set(in->NextToken) && str_i64(in->NextToken, &query.before) != ST_OK) {
        return call_fail(c, &glue_InvalidInputException, "NextToken isn't one that we gave.");
    }
    st = glue_store_runs(c->db, c->arena, &owner, &query, &rows);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if ((int64_t)rows.n > limit) {
        rows.n = (size_t)limit;
        ret_out->NextToken = arena_printf(c->arena, "%lld", (long long)rows.v[rows.n - 1].number);
    }
    ret_out->JobRuns.n = rows.n;
    ret_out->JobRuns.v = ARENA_ARRAY(c->arena, struct glue_job_run, rows.n + 1);
    for (size_t i = 0; i < rows.n; i++) {
        bring_up_to_date(rows.v[i].run, false);
        ret_out->JobRuns.v[i] = *rows.v[i].run;
    }
    return ST_OK;
}

static void stop_failed(struct call *c, struct glue_batch_stop_job_run_response *out,
                        const struct glue_batch_stop_job_run_request *in, size_t i,
                        const char *code)
{
    struct glue_error_detail *detail = ARENA_NEW(c->arena, struct glue_error_detail);
    bool missing = strcmp(code, "EntityNotFoundException") == 0;
    detail->ErrorCode = str_z(code);
    detail->ErrorMessage = arena_printf(c->arena, "Job run %.*s %s", STR_ARG(in->JobRunIds.v[i]),
                                        missing ? "not found." : "has ended already.");
    out->Errors.v[out->Errors.n++] =
        (struct glue_batch_stop_job_run_error){ in->JobName, in->JobRunIds.v[i], detail };
}

enum status glue_batch_stop_job_run(struct call *c,
                                    const struct glue_batch_stop_job_run_request *in,
                                    struct glue_batch_stop_job_run_response *ret_out)
{
    size_t n = in->JobRunIds.n;
    struct glue_owner owner = glue_owner_of(c);
    ret_out->Errors.v = ARENA_ARRAY(c->arena, struct glue_batch_stop_job_run_error, n + 1);
    ret_out->SuccessfulSubmissions.v =
        ARENA_ARRAY(c->arena, struct glue_batch_stop_job_run_successful_submission, n + 1);
    for (size_t i = 0; i < n; i++) {
        enum status st =
            glue_runner_stop(c->state, c->arena, &owner, in->JobName, in->JobRunIds.v[i]);
        if (st == ST_OK) {
            ret_out->SuccessfulSubmissions.v[ret_out->SuccessfulSubmissions.n++] =
                (struct glue_batch_stop_job_run_successful_submission){ in->JobName,
                                                                        in->JobRunIds.v[i] };
        } else if (st == ST_NOT_FOUND) {
            stop_failed(c, ret_out, in, i, "EntityNotFoundException");
        } else if (st == ST_CONFLICT) {
            stop_failed(c, ret_out, in, i, "JobRunNotInTerminalStateException");
        } else {
            return call_status(c, st);
        }
    }
    return ST_OK;
}
