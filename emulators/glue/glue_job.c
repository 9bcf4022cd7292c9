/* Jobs: definitions only; glue_run.c starts them. */
#include "emulators/glue/glue_bookmark_store.h"
#include "emulators/glue/glue_internal.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

#define JOBS_PAGE 100
#define TIMEOUT_MIN_DEFAULT 2880 /* two days; from Glue 5.0 on eight hours */
#define TIMEOUT_MIN_GLUE5 480
#define MAX_CONCURRENT_RUNS 1000
#define MAX_RETRIES 10

/* What CreateJob and UpdateJob give under the same names. */
#define JOB_SETTINGS(from)                                                                    \
    .JobRunQueuingEnabled = (from)->JobRunQueuingEnabled, .Description = (from)->Description, \
    .LogUri = (from)->LogUri, .ExecutionProperty = (from)->ExecutionProperty,                 \
    .DefaultArguments = (from)->DefaultArguments,                                             \
    .NonOverridableArguments = (from)->NonOverridableArguments,                               \
    .Connections = (from)->Connections, .MaxRetries = (from)->MaxRetries,                     \
    .AllocatedCapacity = (from)->AllocatedCapacity, .Timeout = (from)->Timeout,               \
    .MaxCapacity = (from)->MaxCapacity, .WorkerType = (from)->WorkerType,                     \
    .NumberOfWorkers = (from)->NumberOfWorkers,                                               \
    .SecurityConfiguration = (from)->SecurityConfiguration,                                   \
    .NotificationProperty = (from)->NotificationProperty, .GlueVersion = (from)->GlueVersion, \
    .CodeGenConfigurationNodes = (from)->CodeGenConfigurationNodes,                           \
    .ExecutionClass = (from)->ExecutionClass,                                                 \
    .SourceControlDetails = (from)->SourceControlDetails,                                     \
    .MaintenanceWindow = (from)->MaintenanceWindow

struct glue_owner glue_owner_of(const struct call *c)
{
    return (struct glue_owner){ c->caller.account, c->caller.region };
}

enum status glue_find_job(struct call *c, struct str name, struct glue_job **ret)
{
    struct glue_owner owner = glue_owner_of(c);
    enum status st = glue_store_job(c->db, c->arena, &owner, name, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Job %.*s not found.", STR_ARG(name));
    }
    return call_status(c, st);
}

static enum status check_command(struct call *c, const struct glue_job_command *command)
{
    enum glue_kind kind = command ? glue_kind_of(command->Name) : GLUE_KIND_UNKNOWN;
    if (kind == GLUE_KIND_UNKNOWN) {
        return call_fail(c, &glue_InvalidInputException,
                         "Command.Name '%.*s' isn't supported: use glueetl, pythonshell, "
                         "cistern-merge (the native merge) or cistern-executable (any program).",
                         STR_ARG(command ? command->Name : STR("")));
    }
    if (kind == GLUE_KIND_MERGE) {
        return ST_OK;
    }
    if (!str_starts(command->ScriptLocation, STR("s3://"))) {
        return call_fail(c, &glue_InvalidInputException,
                         "Command.ScriptLocation must be an S3 path (s3://bucket/key), not '%.*s'.",
                         STR_ARG(command->ScriptLocation));
    }
    return ST_OK;
}

/* Members that would promise something that isn't there. */
static enum status refuse_missing(struct call *c, const struct glue_job *job)
{
    const char *what =
        job->SourceControlDetails          ? "SourceControlDetails"
        : job->CodeGenConfigurationNodes.n ? "CodeGenConfigurationNodes"
        : str_set(job->MaintenanceWindow)  ? "MaintenanceWindow"
        : job->NotificationProperty && job->NotificationProperty->NotifyDelayAfter.set
            ? "NotificationProperty"
            : NULL;
    if (!what) {
        return ST_OK;
    }
    return call_fail(c, &wire_NotImplemented, "%s isn't implemented: leave it out of the job.",
                     what);
}

static enum status check_parts(struct call *c, const struct glue_job *job)
{
    enum status st = check_command(c, job->Command);
    st = st == ST_OK ? refuse_missing(c, job) : st;
    return st == ST_OK ? glue_security_check(c, job->SecurityConfiguration) : st;
}

static enum status check_limits(struct call *c, const struct glue_job *job)
{
    if (job->ExecutionProperty &&
        (job->ExecutionProperty->MaxConcurrentRuns.v < 1 ||
         job->ExecutionProperty->MaxConcurrentRuns.v > MAX_CONCURRENT_RUNS)) {
        return call_fail(c, &glue_InvalidInputException,
                         "ExecutionProperty.MaxConcurrentRuns must be 1 to %d.",
                         MAX_CONCURRENT_RUNS);
    }
    if (job->MaxRetries.v < 0 || job->MaxRetries.v > MAX_RETRIES) {
        return call_fail(c, &glue_InvalidInputException, "MaxRetries must be 0 to %d.",
                         MAX_RETRIES);
    }
    if (job->Timeout.set && (job->Timeout.v < 1 || job->Timeout.v > GLUE_TIMEOUT_MAX)) {
        return call_fail(c, &glue_InvalidInputException,
                         "Timeout must be 1 to %d minutes, not %lld.", GLUE_TIMEOUT_MAX,
                         (long long)job->Timeout.v);
    }
    if (job->MaxCapacity.set && (str_set(job->WorkerType) || job->NumberOfWorkers.set)) {
        return call_fail(c, &glue_InvalidInputException,
                         "Please do not set Max Capacity if using Worker Type and Number of "
                         "Workers.");
    }
    return ST_OK;
}

static enum status check_job(struct call *c, const struct glue_job *job)
{
    enum status st = check_parts(c, job);
    return st == ST_OK ? check_limits(c, job) : st;
}

/* What AWS fills in. ExecutionClass stays absent unless set: Terraform would plan for ever. */
static void fill_defaults(struct arena *a, struct glue_job *job)
{
    bool shell = glue_kind_of(job->Command->Name) == GLUE_KIND_PYTHON;
    if (!job->ExecutionProperty) {
        job->ExecutionProperty = ARENA_NEW(a, struct glue_execution_property);
    }
    if (!job->ExecutionProperty->MaxConcurrentRuns.set) {
        job->ExecutionProperty->MaxConcurrentRuns = OPT_I64(1);
    }
    if (!job->MaxRetries.set) {
        job->MaxRetries = OPT_I64(0);
    }
    if (!job->Timeout.set) {
        bool five = job->GlueVersion.n && job->GlueVersion.p[0] >= '5';
        job->Timeout = OPT_I64(five ? TIMEOUT_MIN_GLUE5 : TIMEOUT_MIN_DEFAULT);
    }
    if (!job->MaxCapacity.set) {
        job->MaxCapacity = shell ? OPT_F64(0.0625)
                                 : OPT_F64(job->NumberOfWorkers.set ? job->NumberOfWorkers.v : 10);
    }
    if (!job->AllocatedCapacity.set) {
        job->AllocatedCapacity = OPT_I64((int64_t)job->MaxCapacity.v);
    }
    if (!str_set(job->GlueVersion)) {
        job->GlueVersion = shell ? STR("3.0") : STR("5.0");
    }
}

enum status glue_create_job(struct call *c, const struct glue_create_job_request *in,
                            struct glue_create_job_response *ret_out)
{
    if (in->Name.n < 1 || in->Name.n > 255) {
        return call_fail(c, &glue_InvalidInputException, "Name must have 1 to 255 characters.");
    }
    struct glue_job job = {
        .Name = in->Name,
        .JobMode = str_set(in->JobMode) ? in->JobMode : STR("SCRIPT"),
        .Role = in->Role,
        .Command = in->Command,
        .CreatedOn = OPT_TIME(clock_now_ms()),
        .LastModifiedOn = OPT_TIME(clock_now_ms()),
        JOB_SETTINGS(in),
    };
    struct glue_owner owner = glue_owner_of(c);
    enum status st = check_job(c, &job);
    if (st != ST_OK) {
        return st;
    }
    fill_defaults(c->arena, &job);
    st = glue_store_add_job(c->db, c->arena, &owner, &job);
    if (st == ST_EXISTS) {
        return call_fail(c, &glue_AlreadyExistsException, "Job %.*s already exists.",
                         STR_ARG(in->Name));
    }
    ret_out->Name = in->Name;
    return st == ST_OK ? glue_tags_add(c, "job", in->Name, &in->Tags) : call_status(c, st);
}

/* UpdateJob replaces the whole definition, as AWS does: what isn't given returns to its default. */
enum status glue_update_job(struct call *c, const struct glue_update_job_request *in,
                            struct glue_update_job_response *ret_out)
{
    const struct glue_job_update *u = in->JobUpdate;
    struct glue_job *old;
    enum status st = glue_find_job(c, in->JobName, &old);
    if (st != ST_OK) {
        return st;
    }
    struct glue_job job = {
        .Name = in->JobName,
        .JobMode = str_set(u->JobMode) ? u->JobMode : old->JobMode,
        .Role = str_set(u->Role) ? u->Role : old->Role,
        .Command = u->Command ? u->Command : old->Command,
        .CreatedOn = old->CreatedOn,
        .LastModifiedOn = OPT_TIME(clock_now_ms()),
        JOB_SETTINGS(u),
    };
    struct glue_owner owner = glue_owner_of(c);
    st = check_job(c, &job);
    if (st != ST_OK) {
        return st;
    }
    fill_defaults(c->arena, &job);
    ret_out->JobName = in->JobName;
    st = glue_store_update_job(c->db, c->arena, &owner, &job);
    if (st == ST_OK) {
        glue_runner_admit(c->state, &owner, in->JobName); /* maybe more may run now */
    }
    return call_status(c, st);
}

enum status glue_get_job(struct call *c, const struct glue_get_job_request *in,
                         struct glue_get_job_response *ret_out)
{
    return glue_find_job(c, in->JobName, &ret_out->Job);
}

/* A page of names. */
static enum status names(struct call *c, struct str token, struct opt_i64 max,
                         struct glue_job_name_list *ret, struct str *ret_token)
{
    struct glue_owner owner = glue_owner_of(c);
    int64_t limit = max.set && max.v >= 1 && max.v < JOBS_PAGE ? max.v : JOBS_PAGE;
    enum status st = glue_store_job_names(c->db, c->arena, &owner, token, limit, ret);
    if (st == ST_OK && (int64_t)ret->n > limit) {
        ret->n = (size_t)limit;
        *ret_token = ret->v[ret->n - 1];
    }
    return call_status(c, st);
}

/* A page of the names whose jobs have all of these tags. */
static enum status names_by_tags(struct call *c, const struct glue_list_jobs_request *in,
                                 struct glue_list_jobs_response *ret_out)
{
    struct glue_job_name_list *out = &ret_out->JobNames;
    struct str token = in->NextToken;
    size_t limit = in->MaxResults.set && in->MaxResults.v >= 1 && in->MaxResults.v < JOBS_PAGE
                       ? (size_t)in->MaxResults.v
                       : JOBS_PAGE;
    enum status st = ST_OK;
    do {
        struct glue_job_name_list some;
        struct opt_i64 all = { 0, false };
        struct str from = token;
        token = STR_NONE;
        st = names(c, from, all, &some, &token);
        for (size_t i = 0; st == ST_OK && i < some.n; i++) {
            bool match;
            st = glue_tags_match(c, "job", some.v[i], &in->Tags, &match);
            if (st == ST_OK && match && out->n == limit) {
                ret_out->NextToken = out->v[limit - 1];
                return ST_OK;
            }
            if (st == ST_OK && match) {
                ARENA_GROW(c->arena, out->v, out->n);
                out->v[out->n++] = some.v[i];
            }
        }
    } while (st == ST_OK && str_set(token));
    return st;
}

enum status glue_list_jobs(struct call *c, const struct glue_list_jobs_request *in,
                           struct glue_list_jobs_response *ret_out)
{
    struct glue_job_name_list *out = &ret_out->JobNames;
    enum status st = in->Tags.n ? names_by_tags(c, in, ret_out)
                                : names(c, in->NextToken, in->MaxResults, out, &ret_out->NextToken);
    out->v = out->v ? out->v : ARENA_NEW(c->arena, struct str); /* empty, but not absent */
    return st;
}

/* The jobs of these names; those that aren't there go to `missing`. */
static enum status jobs_by_name(struct call *c, const struct str *name, size_t n,
                                struct glue_job_list *ret, struct glue_job_name_list *ret_missing)
{
    struct glue_owner owner = glue_owner_of(c);
    ret->v = ARENA_ARRAY(c->arena, struct glue_job, n + 1);
    ret_missing->v = ARENA_ARRAY(c->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct glue_job *job;
        enum status st = glue_store_job(c->db, c->arena, &owner, name[i], &job);
        if (st == ST_OK) {
            ret->v[ret->n++] = *job;
        } else if (st == ST_NOT_FOUND) {
            ret_missing->v[ret_missing->n++] = name[i];
        } else {
            return call_status(c, st);
        }
    }
    return ST_OK;
}

enum status glue_get_jobs(struct call *c, const struct glue_get_jobs_request *in,
                          struct glue_get_jobs_response *ret_out)
{
    struct glue_job_name_list name, missing = { 0, NULL };
    enum status st = names(c, in->NextToken, in->MaxResults, &name, &ret_out->NextToken);
    return st == ST_OK ? jobs_by_name(c, name.v, name.n, &ret_out->Jobs, &missing) : st;
}

enum status glue_batch_get_jobs(struct call *c, const struct glue_batch_get_jobs_request *in,
                                struct glue_batch_get_jobs_response *ret_out)
{
    return jobs_by_name(c, in->JobNames.v, in->JobNames.n, &ret_out->Jobs, &ret_out->JobsNotFound);
}

/* Runs that would lose their row: under way or waiting. */
static enum status unfinished_runs(struct call *c, const struct glue_owner *owner, struct str job,
                                   int64_t *ret)
{
    struct glue_run_rows waiting;
    enum status st = glue_store_active_runs(c->db, owner, job, ret);
    st = st == ST_OK ? glue_store_runs_in(c->db, c->arena, owner, job, "WAITING", &waiting) : st;
    *ret += st == ST_OK ? (int64_t)waiting.n : 0;
    return st;
}

/* Deleting a job that isn't there succeeds on AWS. One with a run under way keeps its runs: AWS
 * lets them end; here the run would lose its row, so it must be stopped first. */
enum status glue_delete_job(struct call *c, const struct glue_delete_job_request *in,
                            struct glue_delete_job_response *ret_out)
{
    int64_t active = 0;
    struct glue_owner owner = glue_owner_of(c);
    enum status st = unfinished_runs(c, &owner, in->JobName, &active);
    if (st == ST_OK && active > 0) {
        return call_fail(c, &glue_InvalidInputException,
                         "Job %.*s has %lld runs under way: stop them with BatchStopJobRun or wait "
                         "for their end, then delete it.",
                         STR_ARG(in->JobName), (long long)active);
    }
    st = st == ST_OK ? glue_store_rewind_bookmark(c->db, &owner, in->JobName, 0) : st;
    st = st == ST_OK ? glue_store_delete_job(c->db, &owner, in->JobName) : st;
    ret_out->JobName = in->JobName;
    return st == ST_OK || st == ST_NOT_FOUND ? glue_tags_drop(c, "job", in->JobName)
                                             : call_status(c, st);
}
