/* Runs of workflows: RUNNING → COMPLETED, or STOPPING → STOPPED. What happens within one is a chain
 * (trigger.h). A run is COMPLETED also when jobs of it failed, as on AWS: the statistics tell. */
#include "emulators/glue/trigger/trigger.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/core.h"
#include "server/wire/codec.h"

#define RUNS_PAGE 1000
#define RUN_ID_DIGITS 64

/* --- beginning and ending --------------------------------------------------------------------- */
static void put_property(struct arena *a, struct glue_workflow_run_properties *all,
                         const struct glue_workflow_run_properties_entry *entry)
{
    for (size_t i = 0; i < all->n; i++) {
        if (str_eq(all->v[i].key, entry->key)) {
            all->v[i].value = entry->value;
            return;
        }
    }
    ARENA_GROW(a, all->v, all->n);
    all->v[all->n++] = *entry;
}

/* `base` overlaid by `more`. */
static struct glue_workflow_run_properties overlay(struct arena *a,
                                                   const struct glue_workflow_run_properties *base,
                                                   const struct glue_workflow_run_properties *more)
{
    struct glue_workflow_run_properties all = {
        0, ARENA_NEW(a, struct glue_workflow_run_properties_entry)
    };
    for (size_t i = 0; i < base->n; i++) {
        put_property(a, &all, &base->v[i]);
    }
    for (size_t i = 0; i < more->n; i++) {
        put_property(a, &all, &more->v[i]);
    }
    return all;
}

/* ST_INVALID: there is none. */
static enum status start_trigger(struct db *db, struct arena *a, const struct glue_owner *o,
                                 struct str workflow, const struct glue_trigger **ret)
{
    struct glue_trigger_list triggers;
    enum status st = glue_store_triggers(db, a, o, workflow, &triggers);
    for (size_t i = 0; st == ST_OK && i < triggers.n; i++) {
        if (!str_eqz(triggers.v[i].Type, "CONDITIONAL")) {
            *ret = &triggers.v[i];
            return ST_OK;
        }
    }
    return st == ST_OK ? ST_INVALID : st;
}

/* Is there a place for one more run? */
static enum status admit(struct db *db, const struct glue_owner *o, const struct glue_workflow *w)
{
    int64_t active = 0;
    enum status st = glue_store_active_workflow_runs(db, o, w->Name, &active);
    return st == ST_OK && w->MaxConcurrentRuns.set && active >= w->MaxConcurrentRuns.v ? ST_CONFLICT
                                                                                       : st;
}

static struct glue_workflow_run new_run(struct arena *a, struct str workflow, const char *state)
{
    struct str digits = id_hex(a, RUN_ID_DIGITS);
    return (struct glue_workflow_run){
        .Name = workflow,
        .WorkflowRunId = arena_printf(a, "wr_%.*s", STR_ARG(digits)),
        .StartedOn = OPT_TIME(clock_now_ms()),
        .Status = str_z(state),
    };
}

enum status glue_workflow_begin(struct glue_state *g, struct arena *a, const struct glue_owner *o,
                                struct str workflow,
                                const struct glue_workflow_run_properties *properties,
                                struct str *ret_run_id)
{
    struct db *db = core_db(g->core);
    const struct glue_predecessor_list nothing = { 0, NULL };
    const struct glue_trigger *first = NULL;
    struct glue_workflow *w;
    enum status st = glue_store_workflow(db, a, o, workflow, &w);
    st = st == ST_OK ? start_trigger(db, a, o, workflow, &first) : st;
    st = st == ST_OK ? admit(db, o, w) : st;
    if (st != ST_OK) {
        return st;
    }
    struct glue_workflow_run run = new_run(a, w->Name, "RUNNING");
    run.WorkflowRunProperties = overlay(a, &w->DefaultRunProperties, properties);
    struct glue_chain chain = { run.WorkflowRunId, *o, w->Name };
    *ret_run_id = run.WorkflowRunId;
    st = glue_store_add_workflow_run(db, a, o, &run);
    st = st == ST_OK ? glue_trigger_act(g, a, &chain, first, &nothing, NULL) : st;
    if (st == ST_OK) {
        glue_chain_settle(g, a, &chain); /* nothing could be started: it is over */
    }
    return st;
}

enum status glue_workflow_note_refused(struct glue_state *g, struct arena *a,
                                       const struct glue_owner *o, struct str workflow)
{
    struct glue_workflow_run run = new_run(a, workflow, "ERROR");
    run.CompletedOn = run.StartedOn;
    run.ErrorMessage =
        arena_printf(a, "Concurrent runs exceeded for workflow: %.*s.", STR_ARG(workflow));
    return glue_store_add_workflow_run(core_db(g->core), a, o, &run);
}

enum status glue_workflow_end(struct glue_state *g, struct arena *a, const struct glue_chain *chain)
{
    struct db *db = core_db(g->core);
    struct glue_workflow_run *run;
    enum status st =
        glue_store_workflow_run(db, a, &chain->owner, chain->workflow, chain->id, &run);
    if (st != ST_OK || run->CompletedOn.set) {
        return st;
    }
    run->Status = str_eqz(run->Status, "STOPPING") ? STR("STOPPED") : STR("COMPLETED");
    run->CompletedOn = OPT_TIME(clock_now_ms());
    log_info("glue", "workflow %.*s: run %.*s %.*s", STR_ARG(run->Name),
             STR_ARG(run->WorkflowRunId), STR_ARG(run->Status));
    return glue_store_set_workflow_run(db, a, run);
}

/* --- description ------------------------------------------------------------------------------ */
static struct opt_i64 *counter(struct glue_workflow_run_statistics *s, struct str state)
{
    return str_eqz(state, "SUCCEEDED")                                ? &s->SucceededActions
           : str_eqz(state, "FAILED")                                 ? &s->FailedActions
           : str_eqz(state, "TIMEOUT")                                ? &s->TimeoutActions
           : str_eqz(state, "STOPPED") || str_eqz(state, "CANCELLED") ? &s->StoppedActions
           : str_eqz(state, "WAITING")                                ? &s->WaitingActions
           : str_eqz(state, GLUE_NODE_RUNNING)                        ? &s->RunningActions
                                                                      : &s->ErroredActions;
}

/* TotalActions counts what was started so far; a retried job is one action. */
static enum status statistics(struct db *db, struct arena *a, const struct glue_chain_nodes *nodes,
                              struct glue_workflow_run_statistics **ret)
{
    struct glue_workflow_run_statistics *s = ARENA_NEW(a, struct glue_workflow_run_statistics);
    *s = (struct glue_workflow_run_statistics){ OPT_I64(0), OPT_I64(0), OPT_I64(0), OPT_I64(0),
                                                OPT_I64(0), OPT_I64(0), OPT_I64(0), OPT_I64(0) };
    *ret = s;
    for (size_t i = 0; i < nodes->n; i++) {
        const struct glue_chain_node *node = &nodes->v[i];
        struct str state = node->state;
        if (str_eqz(state, GLUE_NODE_RETRIED)) {
            continue;
        }
        if (str_eqz(state, GLUE_NODE_RUNNING) && !node->crawler) {
            struct glue_run_row row;
            enum status st = glue_store_run(db, a, node->run, &row);
            if (st != ST_OK) {
                return st;
            }
            state = str_eqz(row.run->JobRunState, "WAITING") ? row.run->JobRunState : state;
        }
        s->TotalActions.v++;
        counter(s, state)->v++;
    }
    return ST_OK;
}

enum status glue_workflow_describe_run(struct db *db, struct arena *a, const struct glue_owner *o,
                                       struct glue_workflow_run *run, bool graph)
{
    struct glue_chain_nodes nodes;
    enum status st = glue_store_nodes(db, a, run->WorkflowRunId, &nodes);
    st = st == ST_OK ? statistics(db, a, &nodes, &run->Statistics) : st;
    if (st == ST_OK && graph) {
        st = glue_workflow_graph(db, a, o, run->Name, &nodes, &run->Graph);
    }
    return st;
}

/* --- operations ------------------------------------------------------------------------------- */
enum status glue_start_workflow_run(struct call *c,
                                    const struct glue_start_workflow_run_request *in,
                                    struct glue_start_workflow_run_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    enum status st = glue_workflow_begin(c->state, c->arena, &owner, in->Name, &in->RunProperties,
                                         &ret_out->RunId);
    switch (st) {
    case ST_NOT_FOUND:
        return call_fail(c, &glue_EntityNotFoundException, "Workflow %.*s not found.",
                         STR_ARG(in->Name));
    case ST_INVALID:
        return call_fail(c, &glue_InvalidInputException,
                         "Workflow %.*s has no start trigger: create one of type ON_DEMAND, "
                         "SCHEDULED or EVENT with this WorkflowName.",
                         STR_ARG(in->Name));
    case ST_CONFLICT:
        return call_fail(c, &glue_ConcurrentRunsExceededException,
                         "Concurrent runs exceeded for workflow: %.*s.", STR_ARG(in->Name));
    default:
        return call_status(c, st);
    }
}

static enum status find_run(struct call *c, struct str workflow, struct str id,
                            struct glue_workflow_run **ret)
{
    struct glue_owner owner = glue_owner_of(c);
    enum status st = glue_store_workflow_run(c->db, c->arena, &owner, workflow, id, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException,
                         "Workflow run %.*s not found for workflow %.*s.", STR_ARG(id),
                         STR_ARG(workflow));
    }
    return call_status(c, st);
}

enum status glue_get_workflow_run(struct call *c, const struct glue_get_workflow_run_request *in,
                                  struct glue_get_workflow_run_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    enum status st = find_run(c, in->Name, in->RunId, &ret_out->Run);
    return st == ST_OK
               ? call_status(c, glue_workflow_describe_run(c->db, c->arena, &owner, ret_out->Run,
                                                           in->IncludeGraph.v))
               : st;
}

enum status glue_get_workflow_runs(struct call *c, const struct glue_get_workflow_runs_request *in,
                                   struct glue_get_workflow_runs_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_workflow *w;
    struct glue_workflow_runs *runs = &ret_out->Runs;
    int64_t last = 0;
    int64_t limit = in->MaxResults.set && in->MaxResults.v >= 1 && in->MaxResults.v < RUNS_PAGE
                        ? in->MaxResults.v
                        : RUNS_PAGE;
    struct glue_run_query query = { in->Name, INT64_MAX, limit };
    enum status st = glue_store_workflow(c->db, c->arena, &owner, in->Name, &w);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Workflow %.*s not found.",
                         STR_ARG(in->Name));
    }
    if (str_set(in->NextToken) && str_i64(in->NextToken, &query.before) != ST_OK) {
        return call_fail(c, &glue_InvalidInputException, "NextToken isn't one that we gave.");
    }
    st = st == ST_OK ? glue_store_workflow_runs(c->db, c->arena, &owner, &query, runs, &last) : st;
    if (st == ST_OK && (int64_t)runs->n > limit) {
        runs->n = (size_t)limit;
        ret_out->NextToken = arena_i64(c->arena, last);
    }
    for (size_t i = 0; st == ST_OK && i < runs->n; i++) {
        st = glue_workflow_describe_run(c->db, c->arena, &owner, &runs->v[i], in->IncludeGraph.v);
    }
    return call_status(c, st);
}

/* Jobs are stopped; crawls come to their own end. */
static enum status stop_nodes(struct call *c, const struct glue_owner *owner,
                              const struct glue_chain_nodes *nodes)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < nodes->n; i++) {
        const struct glue_chain_node *node = &nodes->v[i];
        if (!node->crawler && str_eqz(node->state, GLUE_NODE_RUNNING)) {
            st = glue_runner_stop(c->state, c->arena, owner, node->name, node->run);
            st = st == ST_CONFLICT || st == ST_NOT_FOUND ? ST_OK : st; /* has ended meanwhile */
        }
    }
    return st;
}

enum status glue_stop_workflow_run(struct call *c, const struct glue_stop_workflow_run_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct glue_owner owner = glue_owner_of(c);
    struct glue_workflow_run *run;
    struct glue_chain_nodes nodes;
    enum status st = find_run(c, in->Name, in->RunId, &run);
    if (st != ST_OK) {
        return st;
    }
    if (!str_eqz(run->Status, "RUNNING")) {
        return call_fail(c, &glue_IllegalWorkflowStateException,
                         "Workflow run %.*s is %.*s: only one that is RUNNING can be stopped.",
                         STR_ARG(in->RunId), STR_ARG(run->Status));
    }
    struct glue_chain chain = { run->WorkflowRunId, owner, run->Name };
    run->Status = STR("STOPPING");
    st = glue_store_set_workflow_run(c->db, c->arena, run);
    st = st == ST_OK ? glue_store_nodes(c->db, c->arena, chain.id, &nodes) : st;
    st = st == ST_OK ? stop_nodes(c, &owner, &nodes) : st;
    if (st == ST_OK) {
        glue_chain_settle(c->state, c->arena, &chain);
    }
    return call_status(c, st);
}

/* --- properties ------------------------------------------------------------------------------- */
enum status
glue_get_workflow_run_properties(struct call *c,
                                 const struct glue_get_workflow_run_properties_request *in,
                                 struct glue_get_workflow_run_properties_response *ret_out)
{
    struct glue_workflow_run *run;
    enum status st = find_run(c, in->Name, in->RunId, &run);
    if (st == ST_OK) {
        const struct glue_workflow_run_properties none = { 0, NULL };
        ret_out->RunProperties = overlay(c->arena, &run->WorkflowRunProperties, &none);
    }
    return st;
}

/* "If a property already exists for the specified run, it is overridden, otherwise added." */
enum status glue_put_workflow_run_properties(
    struct call *c, const struct glue_put_workflow_run_properties_request *in, void *ret_out)
{
    (void)ret_out;
    struct glue_workflow_run *run;
    enum status st = find_run(c, in->Name, in->RunId, &run);
    if (st != ST_OK) {
        return st;
    }
    run->WorkflowRunProperties = overlay(c->arena, &run->WorkflowRunProperties, &in->RunProperties);
    return call_status(c, glue_store_set_workflow_run(c->db, c->arena, run));
}
