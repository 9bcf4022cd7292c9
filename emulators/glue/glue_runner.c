/* The life of a run: STARTING → RUNNING → SUCCEEDED | FAILED | TIMEOUT | STOPPING → STOPPED, and
 * WAITING before it when the job queues. Every step is a row first: a run begins after the commit
 * that made it. A restart begins merges again (they are idempotent) and fails scripts (their
 * process died with the server), as MaxRetries allows. */
#include "emulators/glue/catalog/catalog_store.h"
#include "emulators/glue/glue_internal.h"
#include "emulators/glue/glue_security.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/busy.h"
#include "server/core.h"
#include "server/loop/loop.h"

#define RUN_ARENA_MAX (256u << 20)
#define RUN_ID_DIGITS 64

enum glue_kind glue_kind_of(struct str name)
{
    return str_eqz(name, "glueetl")              ? GLUE_KIND_ETL
           : str_eqz(name, "pythonshell")        ? GLUE_KIND_PYTHON
           : str_eqz(name, "cistern-merge")      ? GLUE_KIND_MERGE
           : str_eqz(name, "cistern-executable") ? GLUE_KIND_EXECUTABLE
                                                 : GLUE_KIND_UNKNOWN;
}

static void set_state(struct glue_job_run *run, const char *state)
{
    run->JobRunState = str_z(state);
    run->LastModifiedOn = OPT_TIME(clock_now_ms());
}

static bool ended(const struct glue_job_run *run)
{
    static const char *const states[] = { "SUCCEEDED", "FAILED", "STOPPED",
                                          "TIMEOUT",   "ERROR",  "EXPIRED" };
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (str_eqz(run->JobRunState, states[i])) {
            return true;
        }
    }
    return false;
}

/* --- beginning -------------------------------------------------------------------------------- */
struct begin {
    struct glue_state *glue;
    const char *run_id;
};

static void begin_active(struct glue_state *g, const char *run_id);

static void after_commit(void *arg, bool committed)
{
    struct begin *b = arg;
    if (committed && !core_stopping(b->glue->core)) {
        begin_active(b->glue, b->run_id);
    }
}

/* The run's row says STARTING; it goes to work when that is committed. */
static void begin_later(struct glue_state *g, struct str run_id)
{
    struct arena *pass = core_pass_arena(g->core); /* a mark that is undone forgets both */
    struct begin *b = ARENA_NEW(pass, struct begin);
    *b = (struct begin){ g, arena_cstr(pass, run_id) };
    core_after_commit(g->core, after_commit, b);
}

static void on_timeout(void *arg)
{
    struct glue_active *a = arg;
    if (a->stop == GLUE_STOP_NONE) {
        a->stop = GLUE_STOP_TIMEOUT;
        if (a->stop_work) {
            a->stop_work(a);
        }
    }
}

static struct glue_active *active_new(struct glue_state *g, const char *run_id)
{
    struct arena *arena = arena_new(RUN_ARENA_MAX);
    struct glue_active *a = ARENA_NEW(arena, struct glue_active);
    struct glue_run_row row;
    enum status st = glue_store_run(core_db(g->core), arena, str_z(run_id), &row);
    if (st == ST_OK) {
        st = glue_store_job(core_db(g->core), arena, &row.owner, row.run->JobName, &a->job);
    }
    if (st != ST_OK || !str_eqz(row.run->JobRunState, "STARTING")) {
        arena_free(arena); /* deleted or stopped between the commit and now */
        return NULL;
    }
    a->glue = g;
    a->arena = arena;
    a->owner = row.owner;
    a->run = row.run;
    a->arguments = glue_args_merge(arena, a->job, a->run);
    a->kind = glue_kind_of(a->job->Command->Name);
    a->began_ms = clock_mono_ms();
    a->timeout = timer_new(core_loop(g->core), on_timeout, a);
    timer_start(a->timeout, a->run->Timeout.v * 60 * 1000, 0);
    list_append(&g->active, &a->link);
    return a;
}

/* What the job needs and isn't there (any more); absent: nothing. */
static struct str missing_part(const struct glue_active *a)
{
    struct db *db = core_db(a->glue->core);
    const struct glue_connections_list *connections = a->job->Connections;
    struct glue_connection *connection;
    struct glue_security_configuration *security;
    for (size_t i = 0; connections && i < connections->Connections.n; i++) {
        struct str name = connections->Connections.v[i];
        if (catalog_connection(db, a->arena, &a->owner, name, &connection) != ST_OK) {
            return arena_printf(a->arena,
                                "Connection %.*s not found: create it with CreateConnection, or "
                                "take it out of the job's Connections.",
                                STR_ARG(name));
        }
    }
    struct str name = a->run->SecurityConfiguration;
    if (str_set(name) && glue_store_security(db, a->arena, &a->owner, name, &security) != ST_OK) {
        return arena_printf(a->arena, "Security Configuration %.*s not found.", STR_ARG(name));
    }
    return STR_NONE;
}

static void begin_active(struct glue_state *g, const char *run_id)
{
    struct glue_active *a = active_new(g, run_id);
    if (!a) {
        return;
    }
    struct str missing = missing_part(a);
    if (str_set(missing)) {
        glue_runner_finish(a, missing);
        return;
    }
    set_state(a->run, "RUNNING");
    status_ignore(glue_store_update_run(core_db(g->core), a->arena, a->run)); /* logged */
    if (a->kind == GLUE_KIND_MERGE) {
        glue_merge_begin(a);
    } else {
        glue_script_begin(a);
    }
}

/* --- making runs ------------------------------------------------------------------------------ */
static struct glue_job_run new_run(struct arena *a, const struct glue_job *job,
                                   const struct glue_submission *how)
{
    const struct glue_start_job_run_request *in = how->in;
    struct str digits = id_hex(a, RUN_ID_DIGITS);
    int64_t now = clock_now_ms();
    return (struct glue_job_run){
        .Id = arena_printf(a, "jr_%.*s", STR_ARG(digits)),
        .Attempt = OPT_I64(0),
        .TriggerName = how->trigger,
        .JobName = job->Name,
        .JobMode = job->JobMode,
        .JobRunQueuingEnabled =
            in->JobRunQueuingEnabled.set ? in->JobRunQueuingEnabled : job->JobRunQueuingEnabled,
        .StartedOn = OPT_TIME(now),
        .LastModifiedOn = OPT_TIME(now),
        .JobRunState = STR("STARTING"),
        .Arguments = in->Arguments,
        .PredecessorRuns = { how->predecessors.n, how->predecessors.v
                                                      ? how->predecessors.v
                                                      : ARENA_NEW(a, struct glue_predecessor) },
        .AllocatedCapacity =
            in->AllocatedCapacity.set ? in->AllocatedCapacity : job->AllocatedCapacity,
        .ExecutionTime = OPT_I64(0),
        .Timeout = in->Timeout.set ? in->Timeout : job->Timeout,
        .MaxCapacity = in->MaxCapacity.set ? in->MaxCapacity : job->MaxCapacity,
        .WorkerType = str_set(in->WorkerType) ? in->WorkerType : job->WorkerType,
        .NumberOfWorkers = in->NumberOfWorkers.set ? in->NumberOfWorkers : job->NumberOfWorkers,
        .SecurityConfiguration = str_set(in->SecurityConfiguration) ? in->SecurityConfiguration
                                                                    : job->SecurityConfiguration,
        .LogGroupName = glue_log_group(glue_kind_of(job->Command->Name)),
        .GlueVersion = job->GlueVersion,
        .ExecutionClass = str_set(in->ExecutionClass) ? in->ExecutionClass : job->ExecutionClass,
    };
}

/* JobRunId in StartJobRun: "the ID of a previous JobRun to retry". */
static enum status retry_of(struct db *db, struct arena *a, const struct glue_owner *owner,
                            struct str id, struct glue_job_run *run)
{
    struct glue_run_row old;
    enum status st = glue_store_run(db, a, id, &old);
    if (st != ST_OK) {
        return st;
    }
    if (!str_eq(old.run->JobName, run->JobName) || !str_eq(old.owner.account, owner->account)) {
        return ST_NOT_FOUND;
    }
    run->PreviousRunId = old.run->Id;
    if (!run->Arguments.v) {
        run->Arguments = old.run->Arguments;
    }
    return ST_OK;
}

/* STARTING when there is a place, else WAITING; ST_CONFLICT when it may not wait. */
static enum status admit(struct glue_state *g, const struct glue_owner *owner,
                         const struct glue_job *job, struct glue_job_run *run)
{
    int64_t active = 0;
    enum status st = glue_store_active_runs(core_db(g->core), owner, job->Name, &active);
    if (st != ST_OK || active < job->ExecutionProperty->MaxConcurrentRuns.v) {
        return st;
    }
    if (!run->JobRunQueuingEnabled.v) {
        return ST_CONFLICT;
    }
    set_state(run, "WAITING");
    run->StateDetail = STR("Waiting for a place: MaxConcurrentRuns of the job is reached.");
    return ST_OK;
}

enum status glue_runner_submit(struct glue_state *g, struct arena *a,
                               const struct glue_owner *owner, struct glue_job *job,
                               const struct glue_submission *how, struct str *ret_id)
{
    struct glue_job_run run = new_run(a, job, how);
    enum status st = ST_OK;
    if (str_set(how->in->JobRunId)) {
        st = retry_of(core_db(g->core), a, owner, how->in->JobRunId, &run);
    }
    st = st == ST_OK ? admit(g, owner, job, &run) : st;
    st = st == ST_OK ? glue_store_add_run(core_db(g->core), a, owner, &run) : st;
    if (st == ST_OK && str_eqz(run.JobRunState, "STARTING")) {
        begin_later(g, run.Id);
    }
    *ret_id = run.Id;
    return st;
}

/* --- ending ----------------------------------------------------------------------------------- */
void glue_runner_admit(struct glue_state *g, const struct glue_owner *owner, struct str job)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(RUN_ARENA_MAX);
    struct db *db = core_db(g->core);
    struct glue_run_rows rows;
    struct glue_job *definition;
    int64_t active = 0;
    if (glue_store_job(db, a, owner, job, &definition) != ST_OK ||
        glue_store_active_runs(db, owner, job, &active) != ST_OK ||
        glue_store_runs_in(db, a, owner, job, "WAITING", &rows) != ST_OK) {
        return;
    }
    int64_t places = definition->ExecutionProperty->MaxConcurrentRuns.v;
    for (size_t i = 0; i < rows.n && active < places; i++) {
        struct glue_job_run *run = rows.v[i].run;
        set_state(run, "STARTING");
        run->StateDetail = STR_NONE;
        run->StartedOn = OPT_TIME(clock_now_ms());
        if (glue_store_update_run(db, a, run) == ST_OK) {
            begin_later(g, run->Id);
            active++;
        }
    }
}

/* A failed run is tried again by a new one, MaxRetries times. Returns its id, absent: not again. */
static struct str retry(struct glue_state *g, struct arena *a, const struct glue_owner *owner,
                        const struct glue_job *job, const struct glue_job_run *failed)
{
    if (!str_eqz(failed->JobRunState, "FAILED") || failed->Attempt.v >= job->MaxRetries.v) {
        return STR_NONE;
    }
    struct glue_job_run run = *failed;
    ptrdiff_t mark = str_find_str(failed->Id, STR("_attempt_"));
    struct str first = mark < 0 ? failed->Id : str_sub(failed->Id, 0, (size_t)mark);
    run.Attempt = OPT_I64(failed->Attempt.v + 1);
    run.Id = arena_printf(a, "%.*s_attempt_%lld", STR_ARG(first), (long long)run.Attempt.v);
    run.PreviousRunId = failed->Id;
    run.StartedOn = OPT_TIME(clock_now_ms());
    run.CompletedOn = (struct opt_time){ 0, false };
    run.ExecutionTime = OPT_I64(0);
    run.ErrorMessage = STR_NONE;
    set_state(&run, "STARTING");
    if (glue_store_add_run(core_db(g->core), a, owner, &run) != ST_OK) {
        return STR_NONE; /* logged */
    }
    begin_later(g, run.Id);
    return run.Id;
}

/* The run is in its final state: its row, the next try, what triggers start now and the runs that
 * waited for its place are written together. `job` is NULL when it is gone. */
static enum status conclude(struct glue_state *g, struct arena *a, const struct glue_owner *owner,
                            const struct glue_job *job, struct glue_job_run *run)
{
    enum status st = glue_store_update_run(core_db(g->core), a, run);
    struct str again = st == ST_OK && job ? retry(g, a, owner, job, run) : STR_NONE;
    glue_event_run(g, owner, run);
    glue_trigger_run_ended(g, run, again);
    glue_runner_admit(g, owner, run->JobName);
    return st;
}

static void end_run(struct glue_job_run *run, const char *state, struct str error)
{
    set_state(run, state);
    run->CompletedOn = run->LastModifiedOn;
    run->ErrorMessage = error;
    run->StateDetail = STR_NONE;
}

static const char *end_state(const struct glue_active *a, struct str error)
{
    switch (a->stop) {
    case GLUE_STOP_USER:
        return "STOPPED";
    case GLUE_STOP_TIMEOUT:
        return "TIMEOUT";
    case GLUE_STOP_SERVER:
    case GLUE_STOP_NONE:
        break;
    }
    return str_set(error) ? "FAILED" : "SUCCEEDED";
}

void glue_runner_finish(struct glue_active *a, struct str error)
{
    struct glue_state *g = a->glue;
    timer_free(a->timeout);
    list_remove(&a->link);
    if (a->stop == GLUE_STOP_SERVER && a->kind == GLUE_KIND_MERGE && str_set(error)) {
        arena_free(a->arena); /* the row stays RUNNING: the next start begins it again */
        return;
    }
    const char *state = end_state(a, error);
    if (a->stop == GLUE_STOP_TIMEOUT) {
        error = arena_printf(a->arena, "Job run exceeded its Timeout of %lld minutes.",
                             (long long)a->run->Timeout.v);
    } else if (a->stop == GLUE_STOP_USER) {
        error = STR_NONE;
    }
    end_run(a->run, state, error);
    a->run->ExecutionTime = OPT_I64((clock_mono_ms() - a->began_ms) / 1000);
    log_info("glue", "job %.*s: run %.*s %s%s%.*s", STR_ARG(a->run->JobName), STR_ARG(a->run->Id),
             state, str_set(error) ? ": " : "", STR_ARG(error));
    glue_metric(a, "glue.driver.aggregate.elapsedTime", (double)(clock_mono_ms() - a->began_ms));
    status_ignore(conclude(g, a->arena, &a->owner, a->job, a->run)); /* logged */
    arena_free(a->arena);
}

static struct glue_active *find_active(struct glue_state *g, struct str run_id)
{
    LIST_FOREACH(l, &g->active)
    {
        struct glue_active *a = CONTAINER_OF(l, struct glue_active, link);
        if (str_eq(a->run->Id, run_id)) {
            return a;
        }
    }
    return NULL;
}

enum status glue_runner_stop(struct glue_state *g, struct arena *arena,
                             const struct glue_owner *owner, struct str job, struct str run_id)
{
    struct glue_run_row row;
    enum status st = glue_store_run(core_db(g->core), arena, run_id, &row);
    if (st != ST_OK) {
        return st;
    }
    if (!str_eq(row.run->JobName, job) || !str_eq(row.owner.account, owner->account) ||
        !str_eq(row.owner.region, owner->region)) {
        return ST_NOT_FOUND;
    }
    if (ended(row.run)) {
        return ST_CONFLICT;
    }
    struct glue_active *a = find_active(g, run_id);
    if (!a) { /* waiting, or committed but not yet begun */
        end_run(row.run, "STOPPED", STR_NONE);
        return conclude(g, arena, owner, NULL, row.run);
    }
    set_state(a->run, "STOPPING");
    st = glue_store_update_run(core_db(g->core), arena, a->run);
    if (st == ST_OK && a->stop == GLUE_STOP_NONE) {
        a->stop = GLUE_STOP_USER;
        if (a->stop_work) {
            a->stop_work(a);
        }
    }
    return st;
}

void glue_runner_stop_all(struct glue_state *g)
{
    LIST_FOREACH(l, &g->active)
    {
        struct glue_active *a = CONTAINER_OF(l, struct glue_active, link);
        a->stop = a->stop == GLUE_STOP_NONE ? GLUE_STOP_SERVER : a->stop;
        if (a->stop_work) {
            a->stop_work(a);
        }
    }
}

/* --- after a restart -------------------------------------------------------------------------- */
static enum status recover_run(struct glue_state *g, struct arena *a, struct glue_run_row *row)
{
    struct db *db = core_db(g->core);
    struct glue_job *job = NULL;
    enum status st = glue_store_job(db, a, &row->owner, row->run->JobName, &job);
    bool began = str_eqz(row->run->JobRunState, "RUNNING");
    if (st == ST_NOT_FOUND) {
        end_run(row->run, "FAILED", STR("The job was deleted."));
    } else if (st != ST_OK) {
        return st;
    } else if (str_eqz(row->run->JobRunState, "STOPPING")) {
        end_run(row->run, "STOPPED", STR_NONE);
    } else if (began && glue_kind_of(job->Command->Name) != GLUE_KIND_MERGE) {
        end_run(row->run, "FAILED",
                STR("The server ended while the run was under way; start the run again."));
    } else {
        set_state(row->run, "STARTING");
        begin_later(g, row->run->Id);
        return glue_store_update_run(db, a, row->run);
    }
    return conclude(g, a, &row->owner, job, row->run);
}

enum status glue_runner_recover(struct glue_state *g)
{
    static const char *const states[] = { "STARTING", "RUNNING", "STOPPING" };
    CLEANUP(arena_freep) struct arena *a = arena_new(RUN_ARENA_MAX);
    const struct glue_owner any = { STR_NONE, STR_NONE };
    struct glue_run_rows rows;
    struct db *db = core_db(g->core);
    enum status st = ST_OK;
    for (size_t s = 0; st == ST_OK && s < ARRAY_LEN(states); s++) {
        st = glue_store_runs_in(db, a, &any, STR_NONE, states[s], &rows);
        for (size_t i = 0; st == ST_OK && i < rows.n; i++) {
            st = recover_run(g, a, &rows.v[i]);
        }
    }
    st = st == ST_OK ? glue_store_runs_in(db, a, &any, STR_NONE, "WAITING", &rows) : st;
    for (size_t i = 0; st == ST_OK && i < rows.n; i++) {
        glue_runner_admit(g, &rows.v[i].owner, rows.v[i].run->JobName);
    }
    return st;
}

void glue_runner_busy(struct glue_state *g, struct busy *busy)
{
    static const char *const states[] = { "WAITING", "STARTING" };
    CLEANUP(arena_freep) struct arena *a = arena_new(RUN_ARENA_MAX);
    const struct glue_owner any = { STR_NONE, STR_NONE };
    for (size_t s = 0; s < ARRAY_LEN(states); s++) {
        struct glue_run_rows rows;
        if (glue_store_runs_in(core_db(g->core), a, &any, STR_NONE, states[s], &rows) != ST_OK) {
            busy_add(busy, "glue", "the runs that are %s can't be read", states[s]);
            continue;
        }
        for (size_t i = 0; i < rows.n; i++) {
            busy_add(busy, "glue", "job %.*s: run %.*s is %s", STR_ARG(rows.v[i].run->JobName),
                     STR_ARG(rows.v[i].run->Id), states[s]);
        }
    }
}
