/* Targets of rules. Only what can really be delivered is taken. */
#include "emulators/bus.h"
#include "emulators/events/event_input.h"
#include "emulators/events/events_internal.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

#define TARGET_ID_MAX 64
#define VARIABLES_MAX 100

/* --- checks ----------------------------------------------------------------------------------- */
/* The kinds of target that services of this process take (emulators/bus.h). */
static const struct {
    const char *service, *resource; /* third part of the ARN, begin of the sixth */
} kinds[] = {
    { "lambda", "function:" },
    { "logs", "log-group:" },
    { "glue", "workflow/" },
    { "events", "event-bus/" },
};

/* Parts of "arn:partition:service:region:account:resource". */
static bool read_arn(struct str arn, struct str *ret_service, struct str *ret_resource)
{
    struct str part[5], rest = arn;
    for (size_t i = 0; i < 5; i++) {
        if (!str_cut(rest, ':', &part[i], &rest)) {
            return false;
        }
    }
    *ret_service = part[2];
    *ret_resource = rest;
    return str_eqz(part[0], "arn") && part[2].n > 0 && rest.n > 0;
}

/* "function:NAME:QUALIFIER" with another one than $LATEST: there are no versions and aliases. */
static bool is_version(struct str service, struct str resource)
{
    struct str kind, name, qualifier;
    return str_eqz(service, "lambda") && str_cut(resource, ':', &kind, &name) &&
           str_cut(name, ':', &name, &qualifier) && !str_eqz(qualifier, "$LATEST");
}

static enum status check_arn(struct call *c, const struct events_target *t)
{
    struct str service, resource;
    if (!read_arn(t->Arn, &service, &resource)) {
        return call_fail(c, &events_ValidationException,
                         "Parameter %.*s is not valid. Reason: Provided Arn is not in correct "
                         "format.",
                         STR_ARG(t->Arn));
    }
    if (is_version(service, resource)) {
        return call_fail(c, &wire_NotImplemented,
                         "Target %.*s: versions and aliases of functions aren't implemented: name "
                         "the function alone.",
                         STR_ARG(t->Id));
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eqz(service, kinds[i].service) && str_starts(resource, str_z(kinds[i].resource)) &&
            bus_serves(c->core, t->Arn)) {
            return ST_OK;
        }
    }
    return call_fail(c, &wire_NotImplemented,
                     "Target %.*s: %.*s can't be a target here, nothing would arrive. Targets are "
                     "Lambda functions, CloudWatch Logs groups, Glue workflows and event buses.",
                     STR_ARG(t->Id), STR_ARG(t->Arn));
}

/* What only other kinds of target use. */
static enum status check_parameters(struct call *c, const struct events_target *t)
{
    const struct {
        const char *name;
        const void *given;
    } all[] = {
        { "KinesisParameters", t->KinesisParameters },
        { "RunCommandParameters", t->RunCommandParameters },
        { "EcsParameters", t->EcsParameters },
        { "BatchParameters", t->BatchParameters },
        { "SqsParameters", t->SqsParameters },
        { "HttpParameters", t->HttpParameters },
        { "RedshiftDataParameters", t->RedshiftDataParameters },
        { "SageMakerPipelineParameters", t->SageMakerPipelineParameters },
        { "AppSyncParameters", t->AppSyncParameters },
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i].given) {
            return call_fail(c, &wire_NotImplemented,
                             "Target %.*s: %s isn't implemented: it is for kinds of target that "
                             "aren't here.",
                             STR_ARG(t->Id), all[i].name);
        }
    }
    if (t->DeadLetterConfig && str_set(t->DeadLetterConfig->Arn)) {
        return call_fail(c, &wire_NotImplemented,
                         "Target %.*s: DeadLetterConfig isn't implemented: there is no SQS here "
                         "that could keep the events. Events that can't be delivered are named in "
                         "the server's log.",
                         STR_ARG(t->Id));
    }
    return ST_OK;
}

static enum status check_input(struct call *c, const struct events_target *t)
{
    struct event_input in = { .input = t->Input, .path = t->InputPath };
    struct events_key bus;
    struct str why;
    int given = str_set(t->Input) + str_set(t->InputPath) + (t->InputTransformer != NULL);
    if (given > 1) {
        return call_fail(c, &events_ValidationException,
                         "Only one of Input, InputPath, or InputTransformer must be provided for "
                         "target %.*s.",
                         STR_ARG(t->Id));
    }
    if (given && events_bus_arn_read(t->Arn, &bus)) {
        return call_fail(c, &events_ValidationException,
                         "Target %.*s is an event bus: it gets the event as it is, without Input, "
                         "InputPath or InputTransformer.",
                         STR_ARG(t->Id));
    }
    if (t->InputTransformer) {
        const struct events_transformer_paths *paths = &t->InputTransformer->InputPathsMap;
        struct event_variable *v = ARENA_ARRAY(c->arena, struct event_variable, paths->n + 1);
        for (size_t i = 0; i < paths->n; i++) {
            v[i] = (struct event_variable){ paths->v[i].key, paths->v[i].value };
        }
        in.template = t->InputTransformer->InputTemplate;
        in.variables = v;
        in.n_variables = paths->n;
    }
    if (in.n_variables > VARIABLES_MAX || event_input_check(c->arena, &in, &why) != ST_OK) {
        return call_fail(
            c, &events_ValidationException, "Invalid input for target %.*s: %.*s.", STR_ARG(t->Id),
            STR_ARG(in.n_variables > VARIABLES_MAX ? STR("InputPathsMap has more than 100 members")
                                                   : why));
    }
    return ST_OK;
}

static enum status check_target(struct call *c, const struct events_target *t)
{
    struct str service, resource;
    enum status st = events_check_name(c, "targets.id", t->Id, TARGET_ID_MAX, "");
    st = st == ST_OK ? check_arn(c, t) : st;
    st = st == ST_OK ? check_parameters(c, t) : st;
    st = st == ST_OK ? check_input(c, t) : st;
    if (st == ST_OK && str_empty(t->RoleArn) && read_arn(t->Arn, &service, &resource) &&
        str_eqz(service, "glue")) {
        return call_fail(c, &events_ValidationException, "RoleArn is required for target %.*s.",
                         STR_ARG(t->Arn));
    }
    return st;
}

/* --- operations ------------------------------------------------------------------------------- */
enum status events_put_targets(struct call *c, const struct events_put_targets_request *in,
                               struct events_put_targets_response *ret_out)
{
    struct events_rule_row rule;
    int64_t n = 0;
    enum status st = events_find_rule(c, in->EventBusName, in->Rule, &rule);
    for (size_t i = 0; st == ST_OK && i < in->Targets.n; i++) {
        const struct events_target *t = &in->Targets.v[i];
        st = check_target(c, t);
        st =
            st == ST_OK ? call_status(c, events_store_put_target(c->db, c->arena, rule.id, t)) : st;
    }
    st = st == ST_OK ? call_status(c, events_store_count_targets(c->db, rule.id, &n)) : st;
    if (st == ST_OK && n > EVENTS_TARGETS_MAX) {
        return call_fail(c, &events_LimitExceededException,
                         "The requested resource exceeds the maximum number allowed.");
    }
    ret_out->FailedEntryCount = OPT_I64(0);
    ret_out->FailedEntries.v = ARENA_ARRAY(c->arena, struct events_put_targets_result_entry, 1);
    return st;
}

enum status events_remove_targets(struct call *c, const struct events_remove_targets_request *in,
                                  struct events_remove_targets_response *ret_out)
{
    struct events_rule_row rule;
    struct events_remove_targets_result_entry_list *failed = &ret_out->FailedEntries;
    enum status st = events_find_rule(c, in->EventBusName, in->Rule, &rule);
    failed->v = ARENA_ARRAY(c->arena, struct events_remove_targets_result_entry, in->Ids.n + 1);
    for (size_t i = 0; st == ST_OK && i < in->Ids.n; i++) {
        st = events_store_delete_target(c->db, rule.id, in->Ids.v[i]);
        if (st == ST_NOT_FOUND) {
            failed->v[failed->n++] = (struct events_remove_targets_result_entry){
                .TargetId = in->Ids.v[i],
                .ErrorCode = STR("ResourceNotFoundException"),
                .ErrorMessage = arena_printf(c->arena, "Rule %.*s has no target with this id.",
                                             STR_ARG(rule.name)),
            };
            st = ST_OK;
        }
        st = call_status(c, st);
    }
    ret_out->FailedEntryCount = OPT_I64(failed->n);
    return st;
}

enum status events_list_targets_by_rule(struct call *c,
                                        const struct events_list_targets_by_rule_request *in,
                                        struct events_list_targets_by_rule_response *ret_out)
{
    struct events_rule_row rule;
    const struct events_page page = events_page_of(in->Limit, in->NextToken, STR_NONE);
    struct events_target_list *out = &ret_out->Targets;
    enum status st = events_find_rule(c, in->EventBusName, in->Rule, &rule);
    if (st != ST_OK) {
        return st;
    }
    st = call_status(c, events_store_targets(c->db, c->arena, rule.id, &page, out));
    if (st == ST_OK && events_page_cut(&page, &out->n)) {
        ret_out->NextToken = out->v[out->n - 1].Id;
    }
    return st;
}

enum status
events_list_rule_names_by_target(struct call *c,
                                 const struct events_list_rule_names_by_target_request *in,
                                 struct events_list_rule_names_by_target_response *ret_out)
{
    struct events_key key;
    struct events_page page = events_page_of(in->Limit, in->NextToken, STR_NONE);
    struct events_rule_row *rows;
    size_t n;
    page.target = in->TargetArn;
    enum status st = events_find_bus(c, in->EventBusName, &key);
    if (st != ST_OK) {
        return st;
    }
    st = call_status(c, events_store_rules_of_target(c->db, c->arena, &key, &page, &rows, &n));
    if (st != ST_OK) {
        return st;
    }
    ret_out->NextToken = events_page_cut(&page, &n) ? rows[n - 1].name : STR_NONE;
    ret_out->RuleNames.v = ARENA_ARRAY(c->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        ret_out->RuleNames.v[ret_out->RuleNames.n++] = rows[i].name;
    }
    return ST_OK;
}
