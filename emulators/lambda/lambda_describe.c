/* Functions as clients see them: GetFunction and its kin. */
#include "emulators/lambda/lambda_check.h"
#include "emulators/lambda/lambda_env.h"
#include "emulators/lambda/lambda_runtime.h"
#include "server/base/clock.h"
#include "server/base/mem.h"

#define CODE_URL "/_cistern/functions/"

static void split(struct arena *a, struct str joined, struct str **ret, size_t *ret_n)
{
    size_t n = 1;
    for (size_t i = 0; i < joined.n; i++) {
        n += joined.p[i] == ',';
    }
    *ret = ARENA_ARRAY(a, struct str, n);
    *ret_n = 0;
    struct str item;
    while (str_next(&joined, ',', &item)) {
        (*ret)[(*ret_n)++] = item;
    }
}

static struct lambda_vpc_config_response *describe_vpc(struct arena *a,
                                                       const struct lambda_row *row)
{
    if (!str_set(row->subnets)) {
        return NULL;
    }
    struct lambda_vpc_config_response *vpc = ARENA_NEW(a, struct lambda_vpc_config_response);
    split(a, row->subnets, &vpc->SubnetIds.v, &vpc->SubnetIds.n);
    split(a, row->security_groups, &vpc->SecurityGroupIds.v, &vpc->SecurityGroupIds.n);
    vpc->VpcId = STR("");
    vpc->Ipv6AllowedForDualStack = OPT_BOOL(false);
    return vpc;
}

/* The true state: a function whose runtime this machine lacks has failed, until it is installed. */
static void describe_state(struct call *c, const struct lambda_row *row,
                           struct lambda_function_configuration *f)
{
    struct str lacks = lambda_runtime_lacks(c->state, c->arena, row);
    f->LastUpdateStatus = STR("Successful");
    f->State = STR("Active");
    if (str_set(lacks)) {
        f->State = STR("Failed");
        f->StateReason = lacks;
        f->StateReasonCode = STR("InvalidConfiguration");
    }
}

void lambda_describe(struct call *c, const struct lambda_row *row,
                     struct lambda_function_configuration *f)
{
    struct arena *a = c->arena;
    struct str modified = clock_iso_ms(a, row->modified_ms);
    *f = (struct lambda_function_configuration){
        .FunctionName = row->key.name,
        .FunctionArn = lambda_arn(a, &row->key, STR_NONE),
        .Runtime = row->runtime,
        .Role = row->role,
        .Handler = row->handler,
        .CodeSize = OPT_I64(row->code_size),
        .Description = row->description,
        .Timeout = OPT_I64(row->timeout_s),
        .MemorySize = OPT_I64(row->memory_mb),
        .LastModified = arena_printf(a, "%.*s+0000", (int)modified.n - 1, modified.p),
        .CodeSha256 = row->code_sha256,
        .Version = STR(LAMBDA_LATEST),
        .VpcConfig = describe_vpc(a, row),
        .RevisionId = row->revision,
        .PackageType = STR("Zip"),
        .Architectures = { 1, ARENA_NEW(a, struct str) },
        .TracingConfig = ARENA_NEW(a, struct lambda_tracing_config_response),
        .EphemeralStorage = ARENA_NEW(a, struct lambda_ephemeral_storage),
        .SnapStart = ARENA_NEW(a, struct lambda_snap_start_response),
        .LoggingConfig = ARENA_NEW(a, struct lambda_logging_config),
    };
    f->Architectures.v[0] = row->architecture;
    f->TracingConfig->Mode = row->tracing;
    f->EphemeralStorage->Size = OPT_I64(row->ephemeral_mb);
    f->SnapStart->ApplyOn = STR("None");
    f->SnapStart->OptimizationStatus = STR("Off");
    f->LoggingConfig->LogFormat = STR("Text");
    f->LoggingConfig->LogGroup = row->log_group;
    if (str_set(row->env)) {
        f->Environment = ARENA_NEW(a, struct lambda_environment_response);
        f->Environment->Variables = lambda_env_parse(a, row->env);
    }
    describe_state(c, row, f);
}

enum status
lambda_get_function_configuration(struct call *c,
                                  const struct lambda_get_function_configuration_request *in,
                                  struct lambda_get_function_configuration_response *ret_out)
{
    struct lambda_row row;
    enum status st = lambda_target_row(c, in->FunctionName, in->Qualifier, &row);
    if (st == ST_OK) {
        lambda_describe(c, &row, &ret_out->as_function_configuration);
    }
    return st;
}

enum status lambda_get_function(struct call *c, const struct lambda_get_function_request *in,
                                struct lambda_get_function_response *ret_out)
{
    struct lambda_row row;
    enum status st = lambda_target_row(c, in->FunctionName, in->Qualifier, &row);
    if (st != ST_OK) {
        return st;
    }
    ret_out->Configuration = ARENA_NEW(c->arena, struct lambda_function_configuration);
    lambda_describe(c, &row, ret_out->Configuration);
    ret_out->Code = ARENA_NEW(c->arena, struct lambda_function_code_location);
    ret_out->Code->RepositoryType = STR("S3");
    ret_out->Code->Location = arena_printf(
        c->arena, "%.*s" CODE_URL "%.*s/%.*s/%.*s.zip", STR_ARG(core_endpoint(c->core)),
        STR_ARG(row.key.account), STR_ARG(row.key.name), STR_ARG(row.code_dir));
    if (row.reserved >= 0) {
        ret_out->Concurrency = ARENA_NEW(c->arena, struct lambda_concurrency);
        ret_out->Concurrency->ReservedConcurrentExecutions = OPT_I64(row.reserved);
    }
    st = lambda_store_tags(c->db, c->arena, &row.key, &ret_out->Tags);
    if (ret_out->Tags.n == 0) {
        ret_out->Tags.v = NULL; /* AWS leaves it out */
    }
    return call_status(c, st);
}

enum status lambda_list_functions(struct call *c, const struct lambda_list_functions_request *in,
                                  struct lambda_list_functions_response *ret_out)
{
    struct lambda_key where = { c->caller.account, c->caller.region, in->Marker };
    int64_t max = in->MaxItems.set ? in->MaxItems.v : 50;
    struct lambda_row *rows;
    size_t n;
    if (max < 1 || max > 10000) {
        return lambda_invalid(c, "maxItems", arena_printf(c->arena, "%lld", (long long)max),
                              "have a value between 1 and 10000");
    }
    max = max > 50 ? 50 : max; /* as AWS does */
    enum status st = lambda_store_list(c->db, c->arena, &where, max + 1, &rows, &n);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if ((int64_t)n > max) {
        n = (size_t)max;
        ret_out->NextMarker = rows[n - 1].key.name;
    }
    ret_out->Functions.v = ARENA_ARRAY(c->arena, struct lambda_function_configuration, n + 1);
    ret_out->Functions.n = n;
    for (size_t i = 0; i < n; i++) {
        struct lambda_function_configuration *f = &ret_out->Functions.v[i];
        lambda_describe(c, &rows[i], f);
        /* Listings don't tell states. */
        f->State = f->StateReason = f->StateReasonCode = f->LastUpdateStatus = STR_NONE;
        if (str_eqz(in->FunctionVersion, "ALL")) {
            f->FunctionArn = lambda_arn(c->arena, &rows[i].key, STR(LAMBDA_LATEST));
        }
    }
    return ST_OK;
}

enum status
lambda_list_versions_by_function(struct call *c,
                                 const struct lambda_list_versions_by_function_request *in,
                                 struct lambda_list_versions_by_function_response *ret_out)
{
    struct lambda_row row;
    enum status st = lambda_target_row(c, in->FunctionName, STR_NONE, &row);
    if (st != ST_OK) {
        return st;
    }
    ret_out->Versions.v = ARENA_NEW(c->arena, struct lambda_function_configuration);
    ret_out->Versions.n = 1;
    lambda_describe(c, &row, &ret_out->Versions.v[0]);
    ret_out->Versions.v[0].FunctionArn = lambda_arn(c->arena, &row.key, STR(LAMBDA_LATEST));
    return ST_OK;
}

enum status lambda_get_function_code_signing_config(
    struct call *c, const struct lambda_get_function_code_signing_config_request *in,
    struct lambda_get_function_code_signing_config_response *ret_out)
{
    struct lambda_row row;
    (void)ret_out; /* no function has one: {} */
    return lambda_target_row(c, in->FunctionName, STR_NONE, &row);
}
