/* Firing, and what the end of a run or crawl leads to; trigger.h has the rules. */
#include "emulators/glue/trigger/trigger.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"

#define FIRE_ARENA_MAX (64u << 20)
#define CHAIN_ID_DIGITS 32

struct firing {
    struct glue_state *glue;
    struct arena *arena;
    const struct glue_chain *chain;
    const struct glue_trigger *trigger;
    const struct glue_predecessor_list *because;
};

/* --- actions ---------------------------------------------------------------------------------- */
static bool in_workflow(const struct glue_chain *chain)
{
    return !str_empty(chain->workflow);
}

/* Runs of a workflow are told which it is. */
static struct glue_generic_map arguments(const struct firing *f, const struct glue_action *action)
{
    size_t n = action->Arguments.n;
    struct glue_generic_map all = { 0,
                                    ARENA_ARRAY(f->arena, struct glue_generic_map_entry, n + 2) };
    for (; all.n < n; all.n++) {
        all.v[all.n] = action->Arguments.v[all.n];
    }
    if (in_workflow(f->chain)) {
        all.v[all.n++] =
            (struct glue_generic_map_entry){ STR("--WORKFLOW_NAME"), f->chain->workflow };
        all.v[all.n++] = (struct glue_generic_map_entry){ STR("--WORKFLOW_RUN_ID"), f->chain->id };
    }
    return all;
}

static enum status start_job(const struct firing *f, const struct glue_action *action,
                             struct glue_chain_node *node)
{
    struct glue_job *job;
    const struct glue_start_job_run_request in = {
        .JobName = action->JobName,
        .Arguments = arguments(f, action),
        .Timeout = action->Timeout,
        .SecurityConfiguration = action->SecurityConfiguration,
    };
    const struct glue_submission how = { &in, f->trigger->Name, *f->because };
    enum status st =
        glue_store_job(core_db(f->glue->core), f->arena, &f->chain->owner, action->JobName, &job);
    st = st == ST_OK
             ? glue_runner_submit(f->glue, f->arena, &f->chain->owner, job, &how, &node->run)
             : st;
    if (st != ST_OK) {
        node->run = STR_NONE;
    }
    return st;
}

static struct str why_not(const struct firing *f, const struct glue_chain_node *node,
                          enum status st)
{
    const char *kind = node->crawler ? "Crawler" : "Job";
    switch (st) {
    case ST_NOT_FOUND:
        return arena_printf(f->arena, "%s %.*s not found.", kind, STR_ARG(node->name));
    case ST_CONFLICT:
        return node->crawler
                   ? arena_printf(f->arena, "Crawler %.*s is running already.", STR_ARG(node->name))
                   : arena_printf(f->arena, "Concurrent runs exceeded for %.*s",
                                  STR_ARG(node->name));
    default:
        return arena_printf(f->arena, "%s %.*s couldn't be started: %s.", kind, STR_ARG(node->name),
                            status_name(st));
    }
}

/* Starts one action. ST_OK also when it couldn't be: then its node says so and *ret_why is why. */
static enum status start_action(const struct firing *f, const struct glue_action *action,
                                enum status *ret_why)
{
    struct db *db = core_db(f->glue->core);
    int64_t now = clock_now_ms(), number;
    struct glue_chain_node node = {
        .chain = *f->chain,
        .trigger = f->trigger->Name,
        .crawler = str_set(action->CrawlerName),
        .name = str_set(action->CrawlerName) ? action->CrawlerName : action->JobName,
        .state = STR(GLUE_NODE_RUNNING),
        .began_ms = now,
    };
    *ret_why = node.crawler ? ST_OK : start_job(f, action, &node);
    if (*ret_why == ST_DB) {
        return ST_DB;
    }
    enum status st = glue_store_add_node(db, &node, &number);
    if (st == ST_OK && node.crawler) { /* its node must be there when it ends */
        *ret_why = glue_crawler_start(f->glue, f->arena, &f->chain->owner, action->CrawlerName);
    }
    if (st == ST_OK && *ret_why != ST_OK) {
        struct str why = why_not(f, &node, *ret_why);
        log_warn("glue", "trigger %.*s: %.*s", STR_ARG(f->trigger->Name), STR_ARG(why));
        st = glue_store_end_node(db, number, STR("ERROR"), why, now);
    }
    return st;
}

enum status glue_trigger_act(struct glue_state *g, struct arena *a, const struct glue_chain *chain,
                             const struct glue_trigger *t,
                             const struct glue_predecessor_list *because,
                             struct glue_act_result *ret_result)
{
    const struct firing f = { g, a, chain, t, because };
    enum status st = ST_OK;
    struct glue_act_result result = { 0, ST_OK };
    for (size_t i = 0; st == ST_OK && i < t->Actions.n; i++) {
        enum status why = ST_OK;
        st = start_action(&f, &t->Actions.v[i], &why);
        result.started += st == ST_OK && why == ST_OK;
        result.why = why != ST_OK ? why : result.why;
    }
    if (ret_result) {
        *ret_result = result;
    }
    log_info("glue", "trigger %.*s fired: %zu of %zu actions started", STR_ARG(t->Name),
             result.started, t->Actions.n);
    return st;
}

enum status glue_trigger_fire(struct glue_state *g, struct arena *a, const struct glue_owner *o,
                              const struct glue_trigger *t)
{
    const struct glue_predecessor_list nothing = { 0, NULL };
    const struct glue_workflow_run_properties no_properties = { 0, NULL };
    struct str run_id;
    struct glue_act_result result;
    if (!str_empty(t->WorkflowName)) {
        return glue_workflow_begin(g, a, o, t->WorkflowName, &no_properties, &run_id);
    }
    struct glue_chain chain = { id_hex(a, CHAIN_ID_DIGITS), *o, STR("") };
    enum status st = glue_trigger_act(g, a, &chain, t, &nothing, &result);
    return st == ST_OK && result.started == 0 ? result.why : st;
}

/* --- conditions ------------------------------------------------------------------------------- */
static bool watches(const struct glue_condition *condition, const struct glue_chain_node *node)
{
    return str_eq(node->crawler ? condition->CrawlerName : condition->JobName, node->name);
}

static const struct glue_chain_node *newest(const struct glue_chain_nodes *nodes,
                                            const struct glue_condition *condition)
{
    for (size_t i = nodes->n; i > 0; i--) {
        if (watches(condition, &nodes->v[i - 1])) {
            return &nodes->v[i - 1];
        }
    }
    return NULL;
}

/* Does the end of `node` complete the predicate? `because` gets the runs that met it. */
static bool is_met(struct arena *a, const struct glue_predicate *p,
                   const struct glue_chain_nodes *nodes, const struct glue_chain_node *node,
                   struct glue_predecessor_list *because)
{
    bool any = str_eqz(p->Logical, "ANY"), concerned = false;
    size_t met = 0;
    *because = (struct glue_predecessor_list){ 0, ARENA_ARRAY(a, struct glue_predecessor,
                                                              p->Conditions.n + 1) };
    for (size_t i = 0; i < p->Conditions.n; i++) {
        const struct glue_condition *condition = &p->Conditions.v[i];
        const struct glue_chain_node *last = newest(nodes, condition);
        struct str wanted = str_set(condition->JobName) ? condition->State : condition->CrawlState;
        bool is = last && str_eq(last->state, wanted);
        met += is;
        concerned = concerned || (is && watches(condition, node));
        if (is && str_set(last->run)) {
            because->v[because->n++] = (struct glue_predecessor){ last->name, last->run };
        }
    }
    return concerned && (any ? met > 0 : met == p->Conditions.n);
}

/* The conditional triggers that the end of `node` completes. */
static enum status advance(struct glue_state *g, struct arena *a,
                           const struct glue_chain_node *node)
{
    struct db *db = core_db(g->core);
    const struct glue_chain *chain = &node->chain;
    struct glue_trigger_list triggers;
    enum status st = glue_store_triggers(db, a, &chain->owner, chain->workflow, &triggers);
    for (size_t i = 0; st == ST_OK && i < triggers.n; i++) {
        const struct glue_trigger *t = &triggers.v[i];
        struct glue_chain_nodes nodes;
        struct glue_predecessor_list because;
        if (!str_eqz(t->Type, "CONDITIONAL") || !str_eqz(t->State, "ACTIVATED")) {
            continue;
        }
        st = glue_store_nodes(db, a, chain->id, &nodes); /* anew: a trigger before may have fired */
        if (st != ST_OK || !is_met(a, t->Predicate, &nodes, node, &because)) {
            continue;
        }
        st = glue_store_set_fired(db, chain->id, t->Name);
        if (st == ST_OK) {
            st = glue_trigger_act(g, a, chain, t, &because, NULL);
        } else if (st == ST_EXISTS) {
            st = ST_OK;
        }
    }
    return st;
}

/* --- ends ------------------------------------------------------------------------------------- */
void glue_chain_settle(struct glue_state *g, struct arena *a, const struct glue_chain *chain)
{
    struct db *db = core_db(g->core);
    struct glue_chain_nodes nodes;
    enum status st = glue_store_nodes(db, a, chain->id, &nodes);
    for (size_t i = 0; st == ST_OK && i < nodes.n; i++) {
        if (str_eqz(nodes.v[i].state, GLUE_NODE_RUNNING)) {
            return;
        }
    }
    if (st == ST_OK) {
        st = in_workflow(chain) ? glue_workflow_end(g, a, chain)
                                : glue_store_delete_chain(db, chain->id);
    }
    status_ignore(st); /* logged */
}

/* A workflow that is being stopped starts nothing any more. */
static bool may_go_on(struct glue_state *g, struct arena *a, const struct glue_chain *chain)
{
    struct glue_workflow_run *run;
    return !in_workflow(chain) ||
           (glue_store_workflow_run(core_db(g->core), a, &chain->owner, chain->workflow, chain->id,
                                    &run) == ST_OK &&
            str_eqz(run->Status, "RUNNING"));
}

static void node_ended(struct glue_state *g, struct arena *a, struct glue_chain_node *node,
                       struct str state, struct str why)
{
    node->state = state;
    enum status st =
        glue_store_end_node(core_db(g->core), node->number, state, why, clock_now_ms());
    if (st == ST_OK && may_go_on(g, a, &node->chain)) {
        st = advance(g, a, node);
    }
    if (st != ST_OK) {
        log_error("glue", "the triggers that wait for %.*s can't be looked at: %s",
                  STR_ARG(node->name), status_name(st));
    }
    glue_chain_settle(g, a, &node->chain);
}

/* The next try belongs to the chain in place of this one. */
static void node_retried(struct glue_state *g, struct glue_chain_node *node, struct str retry)
{
    struct db *db = core_db(g->core);
    int64_t now = clock_now_ms();
    struct glue_chain_node next = *node;
    next.run = retry;
    next.began_ms = now;
    enum status st = glue_store_end_node(db, node->number, STR(GLUE_NODE_RETRIED), STR_NONE, now);
    st = st == ST_OK ? glue_store_add_node(db, &next, NULL) : st;
    status_ignore(st); /* logged */
}

void glue_trigger_run_ended(struct glue_state *g, const struct glue_job_run *run, struct str retry)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(FIRE_ARENA_MAX);
    struct glue_chain_nodes nodes;
    if (glue_store_nodes_of_run(core_db(g->core), a, run->Id, &nodes) != ST_OK) {
        return; /* logged */
    }
    for (size_t i = 0; i < nodes.n; i++) {
        if (str_set(retry)) {
            node_retried(g, &nodes.v[i], retry);
        } else {
            node_ended(g, a, &nodes.v[i], run->JobRunState, STR_NONE);
        }
    }
}

void glue_trigger_crawl_ended(struct glue_state *g, const struct glue_owner *o, struct str crawler,
                              struct str crawl_state)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(FIRE_ARENA_MAX);
    struct glue_chain_nodes nodes;
    if (glue_store_nodes_of_crawler(core_db(g->core), a, o, crawler, &nodes) != ST_OK) {
        return; /* logged */
    }
    for (size_t i = 0; i < nodes.n; i++) {
        node_ended(g, a, &nodes.v[i], crawl_state, STR_NONE);
    }
}
