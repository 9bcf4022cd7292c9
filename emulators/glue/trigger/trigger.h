/* Triggers and workflows: what their files share. Core thread; strings live in the arena given.
 *
 * A *chain* is what one firing of a scheduled or on-demand trigger leads to: the runs and crawls
 * that it starts, those that conditional triggers start when these end, and so on. "All jobs in a
 * dependency chain must be descendants of a single scheduled or on-demand trigger" (AWS Glue guide,
 * "AWS Glue triggers"): runs that are started by hand fire nothing. A run of a workflow is a chain,
 * too, whose id is the workflow run's. Every run or crawl of a chain is a *node*.
 *
 * A conditional trigger fires at most once in a chain, when each (AND) or one (ANY) of its
 * conditions is met by the newest node of that name; a try that MaxRetries repeats has not ended
 * yet. Triggers of a workflow see only its runs; others see only chains outside of workflows. All
 * of it happens in the pass in which a run's final state is written, so both commit together. */
#ifndef CISTERN_GLUE_TRIGGER_H
#define CISTERN_GLUE_TRIGGER_H

#include "emulators/glue/glue_internal.h"
#include "emulators/glue/trigger/trigger_store.h"
#include "emulators/glue/trigger/workflow_store.h"

/* --- checks (trigger_check.c) --- */
/* Is the definition whole and possible? Else the call fails. */
enum status glue_trigger_check(struct call *c, const struct glue_trigger *t) MUST_CHECK;

/* --- firing (trigger_fire.c) --- */
/* Fires a scheduled or on-demand trigger: a new chain, or a new run of its workflow. An action that
 * can't be started becomes a node in state ERROR and is logged. When none can: ST_CONFLICT
 * (MaxConcurrentRuns of a job or of the workflow is reached, a crawler runs already) or
 * ST_NOT_FOUND (a job, crawler or the workflow is gone); what was written must be undone then. */
enum status glue_trigger_fire(struct glue_state *g, struct arena *a, const struct glue_owner *o,
                              const struct glue_trigger *t) MUST_CHECK;
/* Starts the actions of a trigger within a chain that exists. `because`: the runs that led to it.
 * *ret_result (may be NULL): what came of it. */
struct glue_act_result {
    size_t started;
    enum status why; /* of the last that couldn't be started */
};
enum status glue_trigger_act(struct glue_state *g, struct arena *a, const struct glue_chain *chain,
                             const struct glue_trigger *t,
                             const struct glue_predecessor_list *because,
                             struct glue_act_result *ret_result) MUST_CHECK;
/* Ends the chain if nothing in it runs any more. */
void glue_chain_settle(struct glue_state *g, struct arena *a, const struct glue_chain *chain);

/* --- scheduled triggers (trigger_schedule.c) --- */
/* Plans (again) or forgets the next firing, as type and state ask. */
enum status glue_trigger_plan(struct glue_state *g, struct arena *a, const struct glue_owner *o,
                              const struct glue_trigger *t) MUST_CHECK;

/* --- workflows (workflow_run.c) --- */
/* A new run with its default properties overlaid by `properties`; the start trigger acts. */
enum status glue_workflow_begin(struct glue_state *g, struct arena *a, const struct glue_owner *o,
                                struct str workflow,
                                const struct glue_workflow_run_properties *properties,
                                struct str *ret_run_id) MUST_CHECK;
/* Keeps a run in status ERROR: its time came while MaxConcurrentRuns was reached. */
enum status glue_workflow_note_refused(struct glue_state *g, struct arena *a,
                                       const struct glue_owner *o, struct str workflow) MUST_CHECK;
/* Nothing of the run goes on any more. */
enum status glue_workflow_end(struct glue_state *g, struct arena *a,
                              const struct glue_chain *chain) MUST_CHECK;
/* Statistics and, if asked, the graph. */
enum status glue_workflow_describe_run(struct db *db, struct arena *a, const struct glue_owner *o,
                                       struct glue_workflow_run *run, bool graph) MUST_CHECK;

/* --- graphs (workflow_graph.c) --- */
/* The workflow's triggers, jobs and crawlers; with the nodes of a chain (may be NULL) their runs.
 */
enum status glue_workflow_graph(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str workflow, const struct glue_chain_nodes *nodes,
                                struct glue_workflow_graph **ret) MUST_CHECK;

#endif
