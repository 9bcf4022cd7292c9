/* What a trigger may say: types, schedules, actions, predicates. */
#include "emulators/glue/crawler/crawler_store.h"
#include "emulators/glue/trigger/trigger.h"
#include "server/wire/codec.h"

static enum status invalid(struct call *c, const char *what)
{
    return call_fail(c, &glue_InvalidInputException, "%s", what);
}

/* --- actions ---------------------------------------------------------------------------------- */
static enum status check_job_action(struct call *c, const struct glue_action *action)
{
    struct glue_job *job;
    if (action->Timeout.set && (action->Timeout.v < 1 || action->Timeout.v > GLUE_TIMEOUT_MAX)) {
        return call_fail(c, &glue_InvalidInputException,
                         "Timeout of the action for job %.*s must be 1 to %d minutes.",
                         STR_ARG(action->JobName), GLUE_TIMEOUT_MAX);
    }
    enum status st = glue_find_job(c, action->JobName, &job);
    return st == ST_OK ? glue_security_check(c, action->SecurityConfiguration) : st;
}

static enum status check_crawler(struct call *c, struct str name)
{
    struct glue_owner owner = glue_owner_of(c);
    struct crawler_row row;
    enum status st = crawler_store_find(c->db, c->arena, &owner, name, &row);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Crawler %.*s not found.",
                         STR_ARG(name));
    }
    return call_status(c, st);
}

static enum status check_action(struct call *c, const struct glue_action *action)
{
    if (str_set(action->JobName) == str_set(action->CrawlerName)) {
        return invalid(c, "Each action must name either a JobName or a CrawlerName.");
    }
    if (action->NotificationProperty && action->NotificationProperty->NotifyDelayAfter.set) {
        return call_fail(c, &wire_NotImplemented,
                         "NotificationProperty isn't implemented: leave it out of the action.");
    }
    if (str_set(action->JobName)) {
        return check_job_action(c, action);
    }
    if (action->Arguments.n || action->Timeout.set || str_set(action->SecurityConfiguration)) {
        return call_fail(c, &glue_InvalidInputException,
                         "The action for crawler %.*s must not have Arguments, Timeout or "
                         "SecurityConfiguration: they are for jobs.",
                         STR_ARG(action->CrawlerName));
    }
    return check_crawler(c, action->CrawlerName);
}

static enum status check_actions(struct call *c, const struct glue_trigger *t)
{
    if (t->Actions.n == 0) {
        return invalid(c, "Actions must have at least one action.");
    }
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < t->Actions.n; i++) {
        st = check_action(c, &t->Actions.v[i]);
    }
    return st;
}

/* --- predicates ------------------------------------------------------------------------------- */
static bool one_of(struct str state, const char *const *allowed)
{
    for (; *allowed; allowed++) {
        if (str_eqz(state, *allowed)) {
            return true;
        }
    }
    return false;
}

static enum status check_condition(struct call *c, const struct glue_condition *condition)
{
    static const char *const job_states[] = { "SUCCEEDED", "STOPPED", "TIMEOUT", "FAILED", NULL };
    static const char *const crawl_states[] = { "SUCCEEDED", "CANCELLED", "FAILED", NULL };
    struct glue_job *job;
    bool of_job = str_set(condition->JobName);
    if (of_job == str_set(condition->CrawlerName) ||
        str_set(condition->State) == str_set(condition->CrawlState) ||
        of_job != str_set(condition->State)) {
        return invalid(c, "Each condition must have JobName and State, or CrawlerName and "
                          "CrawlState.");
    }
    if (str_set(condition->LogicalOperator) && !str_eqz(condition->LogicalOperator, "EQUALS")) {
        return invalid(c, "LogicalOperator of a condition must be EQUALS.");
    }
    if (!of_job) {
        return one_of(condition->CrawlState, crawl_states)
                   ? check_crawler(c, condition->CrawlerName)
                   : invalid(c, "CrawlState of a condition must be SUCCEEDED, CANCELLED or "
                                "FAILED.");
    }
    if (!one_of(condition->State, job_states)) {
        return invalid(c, "State of a condition must be SUCCEEDED, STOPPED, TIMEOUT or FAILED.");
    }
    return glue_find_job(c, condition->JobName, &job);
}

static enum status check_predicate(struct call *c, const struct glue_predicate *p)
{
    if (!p || p->Conditions.n == 0) {
        return invalid(c, "A CONDITIONAL trigger must have a Predicate with at least one "
                          "condition.");
    }
    if (p->Conditions.n > 1 && !str_set(p->Logical)) {
        return invalid(c, "Predicate.Logical must be AND or ANY when there are several "
                          "conditions.");
    }
    if (str_set(p->Logical) && !str_eqz(p->Logical, "AND") && !str_eqz(p->Logical, "ANY")) {
        return invalid(c, "Predicate.Logical must be AND or ANY.");
    }
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < p->Conditions.n; i++) {
        st = check_condition(c, &p->Conditions.v[i]);
    }
    return st;
}

/* --- types ------------------------------------------------------------------------------------ */
static enum status check_event(struct call *c, const struct glue_trigger *t)
{
    if (!str_set(t->WorkflowName)) {
        return invalid(c, "A trigger of type EVENT must be the start trigger of a workflow: give "
                          "its WorkflowName.");
    }
    if (str_set(t->Schedule) || (t->Predicate && t->Predicate->Conditions.n)) {
        return invalid(c, "Schedule and Predicate aren't for triggers of type EVENT.");
    }
    return ST_OK;
}

static enum status check_type(struct call *c, const struct glue_trigger *t)
{
    bool scheduled = str_eqz(t->Type, "SCHEDULED"), conditional = str_eqz(t->Type, "CONDITIONAL");
    if (str_eqz(t->Type, "EVENT")) {
        return check_event(c, t);
    }
    if (t->EventBatchingCondition) {
        return invalid(c, "EventBatchingCondition is for triggers of type EVENT only.");
    }
    if (!scheduled && !conditional && !str_eqz(t->Type, "ON_DEMAND")) {
        return call_fail(c, &glue_InvalidInputException,
                         "Type must be SCHEDULED, CONDITIONAL, ON_DEMAND or EVENT, not '%.*s'.",
                         STR_ARG(t->Type));
    }
    if (!scheduled && str_set(t->Schedule)) {
        return invalid(c, "Schedule is for triggers of type SCHEDULED only.");
    }
    if (!conditional && t->Predicate && t->Predicate->Conditions.n) {
        return invalid(c, "Predicate is for triggers of type CONDITIONAL only.");
    }
    if (scheduled) {
        return str_set(t->Schedule) ? glue_schedule_check(c, t->Schedule)
                                    : invalid(c, "A SCHEDULED trigger must have a Schedule.");
    }
    return conditional ? check_predicate(c, t->Predicate) : ST_OK;
}

/* A workflow begins with one trigger; the others are conditional. */
static enum status check_workflow(struct call *c, const struct glue_trigger *t)
{
    struct glue_workflow *workflow;
    struct glue_trigger_list others;
    struct glue_owner owner = glue_owner_of(c);
    if (!str_set(t->WorkflowName)) {
        return ST_OK;
    }
    enum status st = glue_store_workflow(c->db, c->arena, &owner, t->WorkflowName, &workflow);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Workflow %.*s not found.",
                         STR_ARG(t->WorkflowName));
    }
    st = st == ST_OK ? glue_store_triggers(c->db, c->arena, &owner, t->WorkflowName, &others) : st;
    for (size_t i = 0; st == ST_OK && i < others.n; i++) {
        if (!str_eqz(t->Type, "CONDITIONAL") && !str_eqz(others.v[i].Type, "CONDITIONAL") &&
            !str_eq(t->Name, others.v[i].Name)) {
            return call_fail(c, &glue_InvalidInputException,
                             "Workflow %.*s has a start trigger already: %.*s. All others must be "
                             "of type CONDITIONAL.",
                             STR_ARG(t->WorkflowName), STR_ARG(others.v[i].Name));
        }
    }
    return call_status(c, st);
}

enum status glue_trigger_check(struct call *c, const struct glue_trigger *t)
{
    enum status st = check_type(c, t);
    st = st == ST_OK ? check_actions(c, t) : st;
    return st == ST_OK ? check_workflow(c, t) : st;
}
