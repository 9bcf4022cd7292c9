/* The graph of a workflow: triggers, jobs and crawlers as nodes; an edge from a trigger to what it
 * starts, and from what a conditional trigger watches to the trigger. Drawn from the definition as
 * it is now; the graph of a run also has its runs and crawls. */
#include "emulators/glue/trigger/trigger.h"
#include "server/base/digest.h"

struct drawing {
    struct arena *arena;
    struct glue_workflow_graph *graph;
};

/* The same for the same thing, in every answer. */
static struct str unique_id(struct arena *a, struct str type, struct str name)
{
    unsigned char sum[DIGEST_MAX];
    struct str text = arena_printf(a, "%.*s/%.*s", STR_ARG(type), STR_ARG(name));
    digest_bytes(DIGEST_SHA256, text.p, text.n, sum);
    struct str hex = hex_encode(a, sum, 32);
    return arena_printf(a, "wnode_%.*s", STR_ARG(hex));
}

/* Finds or adds a node. Valid until the next one is added. */
static struct glue_node *node_of(struct drawing *d, struct str type, struct str name)
{
    struct glue_node_list *nodes = &d->graph->Nodes;
    for (size_t i = 0; i < nodes->n; i++) {
        if (str_eq(nodes->v[i].Type, type) && str_eq(nodes->v[i].Name, name)) {
            return &nodes->v[i];
        }
    }
    ARENA_GROW(d->arena, nodes->v, nodes->n);
    nodes->v[nodes->n] = (struct glue_node){ .Type = type,
                                             .Name = name,
                                             .UniqueId = unique_id(d->arena, type, name) };
    return &nodes->v[nodes->n++];
}

/* A job's node or a crawler's, whichever name is there. */
static struct str target_id(struct drawing *d, struct str job, struct str crawler)
{
    return str_set(job) ? node_of(d, STR("JOB"), job)->UniqueId
                        : node_of(d, STR("CRAWLER"), crawler)->UniqueId;
}

static void edge(struct drawing *d, struct str from, struct str to)
{
    struct glue_edge_list *edges = &d->graph->Edges;
    for (size_t i = 0; i < edges->n; i++) {
        if (str_eq(edges->v[i].SourceId, from) && str_eq(edges->v[i].DestinationId, to)) {
            return;
        }
    }
    ARENA_GROW(d->arena, edges->v, edges->n);
    edges->v[edges->n++] = (struct glue_edge){ from, to };
}

static void draw_trigger(struct drawing *d, struct glue_trigger *t)
{
    struct glue_node *node = node_of(d, STR("TRIGGER"), t->Name);
    struct str id = node->UniqueId;
    node->TriggerDetails = ARENA_NEW(d->arena, struct glue_trigger_node_details);
    node->TriggerDetails->Trigger = t;
    for (size_t i = 0; t->Predicate && i < t->Predicate->Conditions.n; i++) {
        const struct glue_condition *condition = &t->Predicate->Conditions.v[i];
        edge(d, target_id(d, condition->JobName, condition->CrawlerName), id);
    }
    for (size_t i = 0; i < t->Actions.n; i++) {
        const struct glue_action *action = &t->Actions.v[i];
        edge(d, id, target_id(d, action->JobName, action->CrawlerName));
    }
}

static void add_crawl(struct drawing *d, const struct glue_chain_node *from)
{
    struct glue_node *node = node_of(d, STR("CRAWLER"), from->name);
    if (!node->CrawlerDetails) {
        node->CrawlerDetails = ARENA_NEW(d->arena, struct glue_crawler_node_details);
    }
    struct glue_crawl_list *crawls = &node->CrawlerDetails->Crawls;
    ARENA_GROW(d->arena, crawls->v, crawls->n);
    crawls->v[crawls->n++] = (struct glue_crawl){
        .State = from->state,
        .StartedOn = OPT_TIME(from->began_ms),
        .CompletedOn = { .ms = from->ended_ms, .set = from->ended_ms != 0 },
        .ErrorMessage = from->why,
    };
}

static enum status add_run(struct drawing *d, struct db *db, const struct glue_chain_node *from)
{
    struct glue_run_row row;
    struct glue_node *node = node_of(d, STR("JOB"), from->name);
    enum status st =
        str_set(from->run) ? glue_store_run(db, d->arena, from->run, &row) : ST_NOT_FOUND;
    if (st != ST_OK) {
        return st == ST_NOT_FOUND ? ST_OK : st; /* couldn't be started, or its job is deleted */
    }
    if (!node->JobDetails) {
        node->JobDetails = ARENA_NEW(d->arena, struct glue_job_node_details);
    }
    struct glue_job_run_list *runs = &node->JobDetails->JobRuns;
    ARENA_GROW(d->arena, runs->v, runs->n);
    runs->v[runs->n++] = *row.run;
    return ST_OK;
}

enum status glue_workflow_graph(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str workflow, const struct glue_chain_nodes *nodes,
                                struct glue_workflow_graph **ret)
{
    struct glue_trigger_list triggers;
    struct drawing d = { a, ARENA_NEW(a, struct glue_workflow_graph) };
    d.graph->Nodes.v = ARENA_NEW(a, struct glue_node);
    d.graph->Edges.v = ARENA_NEW(a, struct glue_edge);
    enum status st = glue_store_triggers(db, a, o, workflow, &triggers);
    for (size_t i = 0; st == ST_OK && i < triggers.n; i++) {
        draw_trigger(&d, &triggers.v[i]);
    }
    for (size_t i = 0; st == ST_OK && nodes && i < nodes->n; i++) {
        if (nodes->v[i].crawler) {
            add_crawl(&d, &nodes->v[i]);
        } else {
            st = add_run(&d, db, &nodes->v[i]);
        }
    }
    *ret = d.graph;
    return st;
}
