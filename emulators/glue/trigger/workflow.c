/* Workflows: definitions. workflow_run.c runs them. */
#include "emulators/glue/trigger/trigger.h"
#include "server/base/clock.h"
#include "server/wire/codec.h"

#define WORKFLOWS_PAGE 25
#define NAME_MAX_CHARS 255

static enum status find_workflow(struct call *c, struct str name, struct glue_workflow **ret)
{
    struct glue_owner owner = glue_owner_of(c);
    enum status st = glue_store_workflow(c->db, c->arena, &owner, name, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Workflow %.*s not found.",
                         STR_ARG(name));
    }
    return call_status(c, st);
}

static enum status check_workflow(struct call *c, const struct glue_workflow *w)
{
    if (w->Name.n < 1 || w->Name.n > NAME_MAX_CHARS) {
        return call_fail(c, &glue_InvalidInputException, "Name must have 1 to %d characters.",
                         NAME_MAX_CHARS);
    }
    if (w->MaxConcurrentRuns.set && w->MaxConcurrentRuns.v < 1) {
        return call_fail(c, &glue_InvalidInputException, "MaxConcurrentRuns must be at least 1.");
    }
    return ST_OK;
}

enum status glue_create_workflow(struct call *c, const struct glue_create_workflow_request *in,
                                 struct glue_create_workflow_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_workflow w = {
        .Name = in->Name,
        .Description = in->Description,
        .DefaultRunProperties = in->DefaultRunProperties,
        .CreatedOn = OPT_TIME(clock_now_ms()),
        .LastModifiedOn = OPT_TIME(clock_now_ms()),
        .MaxConcurrentRuns = in->MaxConcurrentRuns,
    };
    enum status st = check_workflow(c, &w);
    if (st != ST_OK) {
        return st;
    }
    st = glue_store_add_workflow(c->db, c->arena, &owner, &w);
    if (st == ST_EXISTS) {
        return call_fail(c, &glue_AlreadyExistsException, "Workflow %.*s already exists.",
                         STR_ARG(in->Name));
    }
    ret_out->Name = in->Name;
    return st == ST_OK ? glue_tags_add(c, "workflow", in->Name, &in->Tags) : call_status(c, st);
}

enum status glue_update_workflow(struct call *c, const struct glue_update_workflow_request *in,
                                 struct glue_update_workflow_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_workflow *w;
    enum status st = find_workflow(c, in->Name, &w);
    if (st != ST_OK) {
        return st;
    }
    w->Description = in->Description;
    w->DefaultRunProperties = in->DefaultRunProperties;
    w->MaxConcurrentRuns = in->MaxConcurrentRuns;
    w->LastModifiedOn = OPT_TIME(clock_now_ms());
    st = check_workflow(c, w);
    ret_out->Name = in->Name;
    return st == ST_OK ? call_status(c, glue_store_set_workflow(c->db, c->arena, &owner, w)) : st;
}

static enum status drop_triggers(struct call *c, const struct glue_owner *owner,
                                 struct str workflow)
{
    struct glue_trigger_list triggers;
    enum status st = glue_store_triggers(c->db, c->arena, owner, workflow, &triggers);
    st = call_status(c, st);
    for (size_t i = 0; st == ST_OK && i < triggers.n; i++) {
        struct glue_delete_trigger_request in = { .Name = triggers.v[i].Name };
        struct glue_delete_trigger_response out;
        st = glue_delete_trigger(c, &in, &out);
    }
    return st;
}

/* With its triggers, which can serve nothing else; jobs and crawlers stay. A workflow that isn't
 * there is deleted successfully, as on AWS. */
enum status glue_delete_workflow(struct call *c, const struct glue_delete_workflow_request *in,
                                 struct glue_delete_workflow_response *ret_out)
{
    int64_t active = 0;
    struct glue_owner owner = glue_owner_of(c);
    enum status st = glue_store_active_workflow_runs(c->db, &owner, in->Name, &active);
    ret_out->Name = in->Name;
    if (st == ST_OK && active > 0) {
        return call_fail(c, &glue_ConcurrentModificationException,
                         "Workflow %.*s has %lld runs under way: stop them with StopWorkflowRun or "
                         "wait for their end, then delete it.",
                         STR_ARG(in->Name), (long long)active);
    }
    st = st == ST_OK ? drop_triggers(c, &owner, in->Name) : call_status(c, st);
    if (st != ST_OK) {
        return st;
    }
    st = glue_store_delete_workflow(c->db, &owner, in->Name);
    return st == ST_OK || st == ST_NOT_FOUND ? glue_tags_drop(c, "workflow", in->Name)
                                             : call_status(c, st);
}

/* --- looking ---------------------------------------------------------------------------------- */
/* Last run and, if asked, the graph of the definition. */
static enum status complete(struct call *c, struct glue_workflow *w, bool graph)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_run_query newest = { w->Name, INT64_MAX, 1 };
    struct glue_workflow_runs runs;
    int64_t last;
    enum status st = glue_store_workflow_runs(c->db, c->arena, &owner, &newest, &runs, &last);
    if (st == ST_OK && runs.n > 0) {
        w->LastRun = &runs.v[0];
        st = glue_workflow_describe_run(c->db, c->arena, &owner, w->LastRun, graph);
    }
    if (st == ST_OK && graph) {
        st = glue_workflow_graph(c->db, c->arena, &owner, w->Name, NULL, &w->Graph);
    }
    return call_status(c, st);
}

enum status glue_get_workflow(struct call *c, const struct glue_get_workflow_request *in,
                              struct glue_get_workflow_response *ret_out)
{
    enum status st = find_workflow(c, in->Name, &ret_out->Workflow);
    return st == ST_OK ? complete(c, ret_out->Workflow, in->IncludeGraph.v) : st;
}

enum status glue_batch_get_workflows(struct call *c,
                                     const struct glue_batch_get_workflows_request *in,
                                     struct glue_batch_get_workflows_response *ret_out)
{
    size_t n = in->Names.n;
    struct glue_owner owner = glue_owner_of(c);
    ret_out->Workflows.v = ARENA_ARRAY(c->arena, struct glue_workflow, n + 1);
    ret_out->MissingWorkflows.v = ARENA_ARRAY(c->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct glue_workflow *w;
        enum status st = glue_store_workflow(c->db, c->arena, &owner, in->Names.v[i], &w);
        if (st == ST_NOT_FOUND) {
            ret_out->MissingWorkflows.v[ret_out->MissingWorkflows.n++] = in->Names.v[i];
            continue;
        }
        st = st == ST_OK ? complete(c, w, in->IncludeGraph.v) : call_status(c, st);
        if (st != ST_OK) {
            return st;
        }
        ret_out->Workflows.v[ret_out->Workflows.n++] = *w;
    }
    return ST_OK;
}

enum status glue_list_workflows(struct call *c, const struct glue_list_workflows_request *in,
                                struct glue_list_workflows_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_workflow_names *names = &ret_out->Workflows;
    int64_t limit = in->MaxResults.set && in->MaxResults.v >= 1 && in->MaxResults.v < WORKFLOWS_PAGE
                        ? in->MaxResults.v
                        : WORKFLOWS_PAGE;
    enum status st =
        glue_store_workflow_names(c->db, c->arena, &owner, in->NextToken, limit, names);
    if (st == ST_OK && (int64_t)names->n > limit) {
        names->n = (size_t)limit;
        ret_out->NextToken = names->v[names->n - 1];
    }
    return call_status(c, st);
}
