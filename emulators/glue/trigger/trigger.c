/* Triggers as the API shows them. Changes of state are immediate: the …ING states of AWS are never
 * seen, so clients that wait for their end find it at once. */
#include "emulators/glue/trigger/trigger.h"
#include "server/wire/codec.h"

#define TRIGGERS_PAGE 200
#define NAME_MAX_CHARS 255

static enum status find_trigger(struct call *c, struct str name, struct glue_trigger **ret)
{
    struct glue_owner owner = glue_owner_of(c);
    enum status st = glue_store_trigger(c->db, c->arena, &owner, name, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Trigger %.*s not found.",
                         STR_ARG(name));
    }
    return call_status(c, st);
}

static bool on_demand(const struct glue_trigger *t)
{
    return str_eqz(t->Type, "ON_DEMAND");
}

/* --- definitions ------------------------------------------------------------------------------ */
enum status glue_create_trigger(struct call *c, const struct glue_create_trigger_request *in,
                                struct glue_create_trigger_response *ret_out)
{
    bool start = in->StartOnCreation.v;
    struct glue_owner owner = glue_owner_of(c);
    struct glue_trigger t = {
        .Name = in->Name,
        .WorkflowName = in->WorkflowName,
        .Type = in->Type,
        .State = start ? STR("ACTIVATED") : STR("CREATED"),
        .Description = in->Description,
        .Schedule = in->Schedule,
        .Actions = in->Actions,
        .Predicate = in->Predicate,
        .EventBatchingCondition = in->EventBatchingCondition,
    };
    if (in->Name.n < 1 || in->Name.n > NAME_MAX_CHARS) {
        return call_fail(c, &glue_InvalidInputException, "Name must have 1 to %d characters.",
                         NAME_MAX_CHARS);
    }
    if (start && on_demand(&t)) {
        return call_fail(c, &glue_InvalidInputException,
                         "StartOnCreation isn't possible for a trigger of type ON_DEMAND: use "
                         "StartTrigger.");
    }
    enum status st = glue_trigger_check(c, &t);
    if (st != ST_OK) {
        return st;
    }
    st = glue_store_add_trigger(c->db, c->arena, &owner, &t);
    if (st == ST_EXISTS) {
        return call_fail(c, &glue_AlreadyExistsException, "Trigger %.*s already exists.",
                         STR_ARG(in->Name));
    }
    st = st == ST_OK ? glue_trigger_plan(c->state, c->arena, &owner, &t) : st;
    st = st == ST_OK ? glue_tags_add(c, "trigger", in->Name, &in->Tags) : call_status(c, st);
    ret_out->Name = in->Name;
    return st;
}

/* The definition is overwritten; of what the type can't be without, an absent one stays. */
enum status glue_update_trigger(struct call *c, const struct glue_update_trigger_request *in,
                                struct glue_update_trigger_response *ret_out)
{
    const struct glue_trigger_update *u = in->TriggerUpdate;
    struct glue_owner owner = glue_owner_of(c);
    struct glue_trigger *t;
    enum status st = find_trigger(c, in->Name, &t);
    if (st != ST_OK) {
        return st;
    }
    t->Description = u->Description;
    t->Schedule = str_set(u->Schedule) ? u->Schedule : t->Schedule;
    t->Actions = u->Actions.n ? u->Actions : t->Actions;
    t->Predicate = u->Predicate ? u->Predicate : t->Predicate;
    t->EventBatchingCondition = u->EventBatchingCondition;
    st = glue_trigger_check(c, t);
    if (st != ST_OK) {
        return st;
    }
    st = glue_store_set_trigger(c->db, c->arena, &owner, t);
    st = st == ST_OK ? glue_trigger_plan(c->state, c->arena, &owner, t) : st;
    ret_out->Trigger = t;
    return call_status(c, st);
}

/* Deleting a trigger that isn't there succeeds, as on AWS. */
enum status glue_delete_trigger(struct call *c, const struct glue_delete_trigger_request *in,
                                struct glue_delete_trigger_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_trigger *t;
    enum status st = glue_store_trigger(c->db, c->arena, &owner, in->Name, &t);
    ret_out->Name = in->Name;
    if (st == ST_NOT_FOUND) {
        return ST_OK;
    }
    if (st == ST_OK) {
        t->State = STR("DELETING"); /* nothing is planned for it any more */
        st = glue_trigger_plan(c->state, c->arena, &owner, t);
    }
    st = st == ST_OK ? glue_store_delete_trigger(c->db, &owner, in->Name) : st;
    return st == ST_OK ? glue_tags_drop(c, "trigger", in->Name) : call_status(c, st);
}

/* --- start and stop --------------------------------------------------------------------------- */
static enum status set_state(struct call *c, struct glue_trigger *t, struct str state)
{
    struct glue_owner owner = glue_owner_of(c);
    t->State = state;
    enum status st = glue_store_set_trigger(c->db, c->arena, &owner, t);
    st = st == ST_OK ? glue_trigger_plan(c->state, c->arena, &owner, t) : st;
    return call_status(c, st);
}

enum status glue_start_trigger(struct call *c, const struct glue_start_trigger_request *in,
                               struct glue_start_trigger_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_trigger *t;
    enum status st = find_trigger(c, in->Name, &t);
    ret_out->Name = in->Name;
    if (st != ST_OK || !on_demand(t)) {
        return st == ST_OK ? set_state(c, t, STR("ACTIVATED")) : st;
    }
    st = glue_trigger_fire(c->state, c->arena, &owner, t);
    if (st == ST_CONFLICT) {
        return call_fail(c, &glue_ConcurrentRunsExceededException,
                         "Concurrent runs exceeded: trigger %.*s could start nothing because "
                         "MaxConcurrentRuns is reached.",
                         STR_ARG(in->Name));
    }
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException,
                         "Trigger %.*s could start nothing: its jobs, crawlers or its workflow "
                         "aren't there any more.",
                         STR_ARG(in->Name));
    }
    return call_status(c, st);
}

enum status glue_stop_trigger(struct call *c, const struct glue_stop_trigger_request *in,
                              struct glue_stop_trigger_response *ret_out)
{
    struct glue_trigger *t;
    enum status st = find_trigger(c, in->Name, &t);
    if (st == ST_OK && on_demand(t)) {
        return call_fail(c, &glue_InvalidInputException,
                         "Trigger %.*s is of type ON_DEMAND: it can't be stopped.",
                         STR_ARG(in->Name));
    }
    ret_out->Name = in->Name;
    return st == ST_OK ? set_state(c, t, STR("DEACTIVATED")) : st;
}

/* --- looking ---------------------------------------------------------------------------------- */
enum status glue_get_trigger(struct call *c, const struct glue_get_trigger_request *in,
                             struct glue_get_trigger_response *ret_out)
{
    return find_trigger(c, in->Name, &ret_out->Trigger);
}

enum status glue_batch_get_triggers(struct call *c,
                                    const struct glue_batch_get_triggers_request *in,
                                    struct glue_batch_get_triggers_response *ret_out)
{
    size_t n = in->TriggerNames.n;
    struct glue_owner owner = glue_owner_of(c);
    ret_out->Triggers.v = ARENA_ARRAY(c->arena, struct glue_trigger, n + 1);
    ret_out->TriggersNotFound.v = ARENA_ARRAY(c->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct glue_trigger *t;
        enum status st = glue_store_trigger(c->db, c->arena, &owner, in->TriggerNames.v[i], &t);
        if (st == ST_OK) {
            ret_out->Triggers.v[ret_out->Triggers.n++] = *t;
        } else if (st == ST_NOT_FOUND) {
            ret_out->TriggersNotFound.v[ret_out->TriggersNotFound.n++] = in->TriggerNames.v[i];
        } else {
            return call_status(c, st);
        }
    }
    return ST_OK;
}

static bool starts_job(const struct glue_trigger *t, struct str job)
{
    for (size_t i = 0; i < t->Actions.n; i++) {
        if (str_eq(t->Actions.v[i].JobName, job)) {
            return true;
        }
    }
    return false;
}

/* What GetTriggers and ListTriggers have in common. */
struct filter {
    struct str job, token;
    struct opt_i64 max;
    const struct glue_tags_map *tags;
};

/* "If there is no such trigger, all triggers are returned" (API reference, DependentJobName). */
static void filter_job(struct glue_trigger_list *all, struct str job)
{
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (starts_job(&all->v[i], job)) {
            struct glue_trigger keep = all->v[i];
            all->v[i] = all->v[n];
            all->v[n++] = keep;
        }
    }
    all->n = n ? n : all->n;
}

static enum status page(struct call *c, const struct filter *f, struct glue_trigger_list *ret,
                        struct str *ret_token)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_trigger_list all;
    size_t limit =
        f->max.set && f->max.v >= 1 && f->max.v < TRIGGERS_PAGE ? (size_t)f->max.v : TRIGGERS_PAGE;
    enum status st = glue_store_triggers(c->db, c->arena, &owner, STR_NONE, &all);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if (str_set(f->job)) {
        filter_job(&all, f->job);
    }
    *ret = (struct glue_trigger_list){ 0, ARENA_ARRAY(c->arena, struct glue_trigger, all.n + 1) };
    for (size_t i = 0; st == ST_OK && i < all.n; i++) {
        bool match = !str_set(f->token) || str_cmp(all.v[i].Name, f->token) > 0;
        if (match && f->tags) {
            st = glue_tags_match(c, "trigger", all.v[i].Name, f->tags, &match);
        }
        if (match && ret->n == limit) {
            *ret_token = ret->v[limit - 1].Name;
            return st;
        }
        if (match) {
            ret->v[ret->n++] = all.v[i];
        }
    }
    return st;
}

enum status glue_get_triggers(struct call *c, const struct glue_get_triggers_request *in,
                              struct glue_get_triggers_response *ret_out)
{
    struct filter f = { in->DependentJobName, in->NextToken, in->MaxResults, NULL };
    return page(c, &f, &ret_out->Triggers, &ret_out->NextToken);
}

enum status glue_list_triggers(struct call *c, const struct glue_list_triggers_request *in,
                               struct glue_list_triggers_response *ret_out)
{
    struct filter f = { in->DependentJobName, in->NextToken, in->MaxResults, &in->Tags };
    struct glue_trigger_list found = { 0, NULL };
    enum status st = page(c, &f, &found, &ret_out->NextToken);
    ret_out->TriggerNames.v = ARENA_ARRAY(c->arena, struct str, found.n + 1);
    for (size_t i = 0; st == ST_OK && i < found.n; i++) {
        ret_out->TriggerNames.v[ret_out->TriggerNames.n++] = found.v[i].Name;
    }
    return st;
}
