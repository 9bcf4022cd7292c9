/* Rules. */
#include "emulators/events/event_pattern.h"
#include "emulators/events/events_internal.h"
#include "server/base/cron.h"

#define RULE_NAME_MAX 64
#define RULES_MAX 300 /* of a bus */
#define PATTERN_MAX 4096
#define DESCRIPTION_MAX 512

/* --- PutRule ---------------------------------------------------------------------------------- */
static enum status check_schedule(struct call *c, const struct events_put_rule_request *in,
                                  const struct events_key *key)
{
    struct cron cron;
    struct str why;
    if (!str_set(in->ScheduleExpression)) {
        return ST_OK;
    }
    if (!str_eqz(key->bus, EVENTS_DEFAULT_BUS)) {
        return call_fail(c, &events_ValidationException,
                         "ScheduleExpression is supported only on the default event bus.");
    }
    if (cron_parse(c->arena, in->ScheduleExpression, &cron, &why) != ST_OK) {
        return call_fail(c, &events_ValidationException,
                         "Parameter ScheduleExpression is not valid. Reason: %.*s.", STR_ARG(why));
    }
    return ST_OK;
}

static enum status too_long(struct call *c, const char *member, size_t max)
{
    return call_fail(c, &events_ValidationException,
                     "1 validation error detected: Value at '%s' failed to satisfy constraint: "
                     "Member must have length less than or equal to %zu",
                     member, max);
}

static enum status check_pattern(struct call *c, struct str pattern)
{
    const struct json_value *tree;
    struct str why;
    if (pattern.n > PATTERN_MAX) {
        return too_long(c, "eventPattern", PATTERN_MAX);
    }
    if (str_set(pattern) && event_pattern_parse(c->arena, pattern, &tree, &why) != ST_OK) {
        return call_fail(c, &events_InvalidEventPatternException,
                         "Event pattern is not valid. Reason: %.*s", STR_ARG(why));
    }
    return ST_OK;
}

static enum status check_rule(struct call *c, const struct events_put_rule_request *in,
                              const struct events_key *key)
{
    enum status st = events_check_name(c, "name", in->Name, RULE_NAME_MAX, "");
    if (st == ST_OK && str_empty(in->EventPattern) && str_empty(in->ScheduleExpression)) {
        return call_fail(c, &events_ValidationException,
                         "Parameter(s) EventPattern or ScheduleExpression must be specified.");
    }
    if (st == ST_OK && in->Description.n > DESCRIPTION_MAX) {
        return too_long(c, "description", DESCRIPTION_MAX);
    }
    st = st == ST_OK ? check_schedule(c, in, key) : st;
    return st == ST_OK ? check_pattern(c, in->EventPattern) : st;
}

/* Empty counts as not given. */
static struct str given(struct str s)
{
    return str_empty(s) ? STR_NONE : s;
}

/* `row` is the rule as it was, or a new one. */
static enum status store_rule(struct call *c, const struct events_put_rule_request *in,
                              struct events_rule_row *row)
{
    int64_t rules = 0;
    bool fresh = row->id == 0;
    row->state = str_set(in->State) ? in->State : STR("ENABLED");
    row->pattern = given(in->EventPattern);
    row->schedule = given(in->ScheduleExpression);
    row->description = given(in->Description);
    row->role = given(in->RoleArn);
    enum status st = events_store_count_rules(c->db, &row->key, &rules);
    if (st == ST_OK && fresh && rules >= RULES_MAX) {
        return call_fail(c, &events_LimitExceededException,
                         "The requested resource exceeds the maximum number allowed.");
    }
    st = st == ST_OK ? events_store_put_rule(c->db, row) : st;
    st = call_status(c, st == ST_OK ? events_plan(c->state, row) : st);
    /* "If you are updating an existing rule, any tags you specify are not used." */
    return st == ST_OK && fresh ? events_set_tags(c, events_rule_arn(c->arena, row), &in->Tags)
                                : st;
}

enum status events_put_rule(struct call *c, const struct events_put_rule_request *in,
                            struct events_put_rule_response *ret_out)
{
    struct events_rule_row row = { .id = 0, .name = in->Name };
    enum status st = events_find_bus(c, in->EventBusName, &row.key);
    st = st == ST_OK ? check_rule(c, in, &row.key) : st;
    if (st != ST_OK) {
        return st;
    }
    const struct events_key key = row.key;
    st = events_store_rule(c->db, c->arena, &key, in->Name, &row);
    st = st == ST_NOT_FOUND ? ST_OK : call_status(c, st);
    ret_out->RuleArn = events_rule_arn(c->arena, &row);
    return st == ST_OK ? store_rule(c, in, &row) : st;
}

/* --- reading ---------------------------------------------------------------------------------- */
enum status events_describe_rule(struct call *c, const struct events_describe_rule_request *in,
                                 struct events_describe_rule_response *ret_out)
{
    struct events_rule_row row;
    enum status st = events_find_rule(c, in->EventBusName, in->Name, &row);
    if (st == ST_OK) {
        *ret_out = (struct events_describe_rule_response){
            .Name = row.name,
            .Arn = events_rule_arn(c->arena, &row),
            .EventPattern = row.pattern,
            .ScheduleExpression = row.schedule,
            .State = row.state,
            .Description = row.description,
            .RoleArn = row.role,
            .EventBusName = row.key.bus,
            .CreatedBy = row.key.account,
        };
    }
    return st;
}

enum status events_list_rules(struct call *c, const struct events_list_rules_request *in,
                              struct events_list_rules_response *ret_out)
{
    struct events_key key;
    const struct events_page page = events_page_of(in->Limit, in->NextToken, in->NamePrefix);
    struct events_rule_row *rows;
    size_t n;
    enum status st = events_find_bus(c, in->EventBusName, &key);
    if (st != ST_OK) {
        return st;
    }
    st = call_status(c, events_store_rules(c->db, c->arena, &key, &page, &rows, &n));
    if (st != ST_OK) {
        return st;
    }
    ret_out->NextToken = events_page_cut(&page, &n) ? rows[n - 1].name : STR_NONE;
    ret_out->Rules.v = ARENA_ARRAY(c->arena, struct events_rule, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct events_rule_row *row = &rows[i];
        ret_out->Rules.v[ret_out->Rules.n++] = (struct events_rule){
            .Name = row->name,
            .Arn = events_rule_arn(c->arena, row),
            .EventPattern = row->pattern,
            .ScheduleExpression = row->schedule,
            .State = row->state,
            .Description = row->description,
            .RoleArn = row->role,
            .EventBusName = row->key.bus,
        };
    }
    return ST_OK;
}

/* --- changing --------------------------------------------------------------------------------- */
/* Deleting a rule that isn't there succeeds. */
enum status events_delete_rule(struct call *c, const struct events_delete_rule_request *in,
                               void *ret_out)
{
    (void)ret_out;
    struct events_key key;
    struct events_rule_row row;
    int64_t targets = 0;
    enum status st = events_find_bus(c, in->EventBusName, &key);
    if (st != ST_OK) {
        return st;
    }
    st = events_store_rule(c->db, c->arena, &key, in->Name, &row);
    if (st != ST_OK) {
        return st == ST_NOT_FOUND ? ST_OK : call_status(c, st);
    }
    st = events_store_count_targets(c->db, row.id, &targets);
    if (st == ST_OK && targets > 0) {
        return call_fail(c, &events_ValidationException,
                         "Rule can't be deleted since it has targets.");
    }
    row.state = STR("DISABLED");
    st = st == ST_OK ? events_plan(c->state, &row) : st;
    st = st == ST_OK ? tags_clear(c->db, &events_tags, events_rule_arn(c->arena, &row)) : st;
    return call_status(c, st == ST_OK ? events_store_delete_rule(c->db, row.id) : st);
}

static enum status set_state(struct call *c, struct str bus, struct str name, struct str state)
{
    struct events_rule_row row;
    enum status st = events_find_rule(c, bus, name, &row);
    if (st != ST_OK || str_eq(row.state, state)) {
        return st;
    }
    row.state = state;
    st = events_store_put_rule(c->db, &row);
    return call_status(c, st == ST_OK ? events_plan(c->state, &row) : st);
}

enum status events_enable_rule(struct call *c, const struct events_enable_rule_request *in,
                               void *ret_out)
{
    (void)ret_out;
    return set_state(c, in->EventBusName, in->Name, STR("ENABLED"));
}

enum status events_disable_rule(struct call *c, const struct events_disable_rule_request *in,
                                void *ret_out)
{
    (void)ret_out;
    return set_state(c, in->EventBusName, in->Name, STR("DISABLED"));
}
