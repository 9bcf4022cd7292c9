#include "emulators/lambda/lambda_check.h"

#include "emulators/lambda/lambda_env.h"
#include "emulators/lambda/lambda_runtime.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

const struct aws_error lambda_ValidationException = { "ValidationException", NULL, 400, NULL };

#define NAME_PATTERN                                                                \
    "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\\d{1}:)?" \
    "(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?"
#define ROLE_PATTERN "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+"

enum status lambda_invalid(struct call *c, const char *member, struct str value, const char *must)
{
    return call_fail(c, &lambda_ValidationException,
                     "1 validation error detected: Value '%.*s' at '%s' failed to satisfy "
                     "constraint: Member must %s",
                     STR_ARG(value), member, must);
}

enum status lambda_unsupported(struct call *c, const char *member, const char *why)
{
    return call_fail(c, &wire_NotImplemented, "%s is not implemented: %s", member, why);
}

/* --- names ------------------------------------------------------------------------------------ */

enum status lambda_no_function(struct call *c, const struct lambda_key *key)
{
    return call_fail(c, &lambda_ResourceNotFoundException, "Function not found: %.*s",
                     STR_ARG(lambda_arn(c->arena, key, STR_NONE)));
}

enum status lambda_target(struct call *c, struct str name, struct str qualifier,
                          struct lambda_key *ret)
{
    struct lambda_name n;
    if (lambda_name_parse(name, &n) != ST_OK) {
        return lambda_invalid(c, "functionName", name,
                              "satisfy regular expression pattern: " NAME_PATTERN);
    }
    if (str_set(n.region) && !str_eq(n.region, c->caller.region)) {
        return call_fail(c, &lambda_ResourceNotFoundException,
                         "Functions from '%.*s' are not reachable in this region ('%.*s')",
                         STR_ARG(n.region), STR_ARG(c->caller.region));
    }
    if (str_set(n.qualifier) && str_set(qualifier) && !str_eq(n.qualifier, qualifier)) {
        return call_fail(
            c, &lambda_InvalidParameterValueException,
            "The derived qualifier from the function name does not match the specified "
            "qualifier.");
    }
    *ret = (struct lambda_key){ str_set(n.account) ? n.account : c->caller.account,
                                c->caller.region, n.name };
    struct str version = str_set(n.qualifier) ? n.qualifier : qualifier;
    if (str_set(version) && !str_eqz(version, LAMBDA_LATEST)) {
        return call_fail(c, &lambda_ResourceNotFoundException, "Function not found: %.*s",
                         STR_ARG(lambda_arn(c->arena, ret, version)));
    }
    return ST_OK;
}

enum status lambda_target_row(struct call *c, struct str name, struct str qualifier,
                              struct lambda_row *ret)
{
    struct lambda_key key;
    enum status st = lambda_target(c, name, qualifier, &key);
    if (st == ST_OK) {
        st = lambda_store_find(c->db, c->arena, &key, ret);
        st = st == ST_NOT_FOUND ? lambda_no_function(c, &key) : call_status(c, st);
    }
    return st;
}

enum status lambda_check_revision(struct call *c, struct str given, const struct lambda_row *row,
                                  const char *what)
{
    if (!str_set(given) || str_eq(given, row->revision)) {
        return ST_OK;
    }
    return call_fail(c, &lambda_PreconditionFailedException,
                     "The Revision Id provided does not match the latest Revision Id. Call the %s "
                     "API to retrieve the latest Revision Id",
                     what);
}

void lambda_touch(struct call *c, struct lambda_row *row)
{
    row->modified_ms = clock_now_ms();
    row->revision = id_uuid(c->arena);
}

/* --- settings --------------------------------------------------------------------------------- */

/* What asks for something that we don't do. */
static enum status refuse_unsupported(struct call *c, const struct lambda_settings *s)
{
    if (s->dead_letter && !str_empty(s->dead_letter->TargetArn)) {
        return lambda_unsupported(c, "DeadLetterConfig",
                                  "events that failed for good are dropped with a line in the "
                                  "server's log; leave the member out");
    }
    if (s->layers && s->layers->n > 0) {
        return lambda_unsupported(c, "Layers", "put what the layer holds into the package");
    }
    if (s->file_systems && s->file_systems->n > 0) {
        return lambda_unsupported(c, "FileSystemConfigs", "functions see this machine's files");
    }
    if (!str_empty(s->kms_key)) {
        return lambda_unsupported(c, "KMSKeyArn", "variables are stored as they are");
    }
    if (s->image || s->capacity || s->durable) {
        return lambda_unsupported(c,
                                  s->image      ? "ImageConfig"
                                  : s->capacity ? "CapacityProviderConfig"
                                                : "DurableConfig",
                                  "functions are run from zip packages by this machine");
    }
    if (s->logging && str_eqz(s->logging->LogFormat, "JSON")) {
        return lambda_unsupported(c, "LoggingConfig.LogFormat JSON", "use Text");
    }
    if (s->snap_start && !str_empty(s->snap_start->ApplyOn) &&
        !str_eqz(s->snap_start->ApplyOn, "None")) {
        return lambda_unsupported(c, "SnapStart", "there are no published versions");
    }
    return ST_OK;
}

static enum status check_range(struct call *c, const char *member, struct opt_i64 v, int64_t min,
                               int64_t max)
{
    if (!v.set || (v.v >= min && v.v <= max)) {
        return ST_OK;
    }
    bool low = v.v < min;
    return call_fail(c, &lambda_ValidationException,
                     "1 validation error detected: Value '%lld' at '%s' failed to satisfy "
                     "constraint: Member must have value %s than or equal to %lld",
                     (long long)v.v, member, low ? "greater" : "less",
                     (long long)(low ? min : max));
}

static enum status check_numbers(struct call *c, const struct lambda_settings *s)
{
    enum status st = check_range(c, "timeout", s->timeout, 1, 900);
    st = st == ST_OK ? check_range(c, "memorySize", s->memory, 128, 10240) : st;
    if (st == ST_OK && s->ephemeral) {
        st = check_range(c, "ephemeralStorage.size", s->ephemeral->Size, 512, 10240);
    }
    return st;
}

static enum status check_words(struct call *c, const struct lambda_settings *s)
{
    if (str_set(s->role) && !lambda_role_valid(s->role)) {
        return lambda_invalid(c, "role", s->role,
                              "satisfy regular expression pattern: " ROLE_PATTERN);
    }
    if (str_set(s->runtime) && lambda_runtime_kind(s->runtime) == LAMBDA_RUNTIME_NONE) {
        return call_fail(c, &lambda_InvalidParameterValueException,
                         "Value %.*s at 'runtime' cannot be run by this server. Runtimes that "
                         "can: " LAMBDA_RUNTIMES
                         ". Any other language runs as provided.al2023 with an "
                         "executable file bootstrap, or as executable with a command line as "
                         "Handler.",
                         STR_ARG(s->runtime));
    }
    if (str_set(s->handler) && (s->handler.n == 0 || memchr(s->handler.p, 0, s->handler.n))) {
        return lambda_invalid(c, "handler", s->handler, "have length greater than or equal to 1");
    }
    if (s->description.n > 256) {
        return lambda_invalid(c, "description", s->description,
                              "have length less than or equal to 256");
    }
    if (s->tracing && str_set(s->tracing->Mode) && !str_eqz(s->tracing->Mode, "Active") &&
        !str_eqz(s->tracing->Mode, "PassThrough")) {
        return lambda_invalid(c, "tracingConfig.mode", s->tracing->Mode,
                              "satisfy enum value set: [Active, PassThrough]");
    }
    return ST_OK;
}

static struct str joined(struct arena *a, const struct str *v, size_t n)
{
    struct str all = STR("");
    for (size_t i = 0; i < n; i++) {
        all = arena_printf(a, "%.*s%s%.*s", STR_ARG(all), i ? "," : "", STR_ARG(v[i]));
    }
    return all;
}

static void apply_vpc(struct call *c, const struct lambda_vpc_config *vpc, struct lambda_row *row)
{
    row->subnets = joined(c->arena, vpc->SubnetIds.v, vpc->SubnetIds.n);
    row->security_groups = joined(c->arena, vpc->SecurityGroupIds.v, vpc->SecurityGroupIds.n);
    if (vpc->SubnetIds.n == 0 && vpc->SecurityGroupIds.n == 0) {
        row->subnets = row->security_groups = STR_NONE;
    }
}

static void take_str(struct str given, struct str *field)
{
    *field = str_set(given) ? given : *field;
}

enum status lambda_apply(struct call *c, const struct lambda_settings *s, struct lambda_row *row)
{
    enum status st = refuse_unsupported(c, s);
    st = st == ST_OK ? check_numbers(c, s) : st;
    st = st == ST_OK ? check_words(c, s) : st;
    if (st == ST_OK && s->environment) {
        st = lambda_env_check(c, &s->environment->Variables);
        row->env = lambda_env_text(c->arena, &s->environment->Variables);
    }
    if (st != ST_OK) {
        return st;
    }
    take_str(s->role, &row->role);
    take_str(s->handler, &row->handler);
    take_str(s->description, &row->description);
    take_str(s->runtime, &row->runtime);
    row->timeout_s = s->timeout.set ? s->timeout.v : row->timeout_s;
    row->memory_mb = s->memory.set ? s->memory.v : row->memory_mb;
    if (s->ephemeral && s->ephemeral->Size.set) {
        row->ephemeral_mb = s->ephemeral->Size.v;
    }
    if (s->tracing) {
        take_str(s->tracing->Mode, &row->tracing);
    }
    if (s->logging && !str_empty(s->logging->LogGroup)) {
        row->log_group = s->logging->LogGroup;
    }
    if (s->vpc) {
        apply_vpc(c, s->vpc, row);
    }
    return ST_OK;
}
