/* Tags, reserved concurrency, settings of asynchronous invocations. */
#include "emulators/lambda/lambda_check.h"
#include "emulators/lambda/lambda_pool.h"
#include "server/base/clock.h"

/* As on AWS: so many of an account's 1000 stay for functions that reserve none. */
#define RESERVED_MAX 900
#define TAGS_MAX 50

/* --- tags ------------------------------------------------------------------------------------- */

/* The resource is always an ARN. */
static enum status tagged(struct call *c, struct str arn, struct lambda_row *ret)
{
    if (!str_starts(arn, STR("arn:"))) {
        return lambda_invalid(c, "resource", arn,
                              "satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:…");
    }
    return lambda_target_row(c, arn, STR_NONE, ret);
}

enum status lambda_list_tags(struct call *c, const struct lambda_list_tags_request *in,
                             struct lambda_list_tags_response *ret_out)
{
    struct lambda_row row;
    enum status st = tagged(c, in->Resource, &row);
    return st == ST_OK
               ? call_status(c, lambda_store_tags(c->db, c->arena, &row.key, &ret_out->Tags))
               : st;
}

enum status lambda_tag_resource(struct call *c, const struct lambda_tag_resource_request *in,
                                void *ret_out)
{
    (void)ret_out;
    struct lambda_row row;
    struct lambda_tags all;
    enum status st = tagged(c, in->Resource, &row);
    if (st != ST_OK) {
        return st;
    }
    if (in->Tags.n == 0) {
        return call_fail(c, &lambda_InvalidParameterValueException,
                         "An error occurred and the request cannot be processed.");
    }
    st = lambda_store_tag(c->db, &row.key, &in->Tags);
    st = st == ST_OK ? lambda_store_tags(c->db, c->arena, &row.key, &all) : st;
    if (st == ST_OK && all.n > TAGS_MAX) {
        return call_fail(c, &lambda_InvalidParameterValueException,
                         "Number of tags exceeds resource tag limit.");
    }
    return call_status(c, st);
}

enum status lambda_untag_resource(struct call *c, const struct lambda_untag_resource_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    struct lambda_row row;
    enum status st = tagged(c, in->Resource, &row);
    for (size_t i = 0; i < in->TagKeys.n && st == ST_OK; i++) {
        st = call_status(c, lambda_store_untag(c->db, &row.key, in->TagKeys.v[i]));
    }
    return st;
}

/* --- reserved concurrency --------------------------------------------------------------------- */

static enum status reserve(struct call *c, struct str name, int64_t reserved)
{
    struct lambda_row row;
    enum status st = lambda_target_row(c, name, STR_NONE, &row);
    if (st == ST_OK) {
        row.reserved = reserved;
        st = call_status(c, lambda_store_update(c->db, &row));
    }
    if (st == ST_OK) {
        lambda_pool_change_later(c->state, &row.key);
    }
    return st;
}

enum status
lambda_put_function_concurrency(struct call *c,
                                const struct lambda_put_function_concurrency_request *in,
                                struct lambda_put_function_concurrency_response *ret_out)
{
    int64_t n = in->ReservedConcurrentExecutions.v;
    if (n < 0) {
        return lambda_invalid(c, "reservedConcurrentExecutions",
                              arena_printf(c->arena, "%lld", (long long)n),
                              "have value greater than or equal to 0");
    }
    if (n > RESERVED_MAX) {
        return call_fail(c, &lambda_InvalidParameterValueException,
                         "Specified ReservedConcurrentExecutions for function decreases account's "
                         "UnreservedConcurrentExecution below its minimum value of [100].");
    }
    ret_out->ReservedConcurrentExecutions = OPT_I64(n);
    return reserve(c, in->FunctionName, n);
}

enum status
lambda_get_function_concurrency(struct call *c,
                                const struct lambda_get_function_concurrency_request *in,
                                struct lambda_get_function_concurrency_response *ret_out)
{
    struct lambda_row row;
    enum status st = lambda_target_row(c, in->FunctionName, STR_NONE, &row);
    if (st == ST_OK && row.reserved >= 0) {
        ret_out->ReservedConcurrentExecutions = OPT_I64(row.reserved);
    }
    return st;
}

enum status lambda_delete_function_concurrency(
    struct call *c, const struct lambda_delete_function_concurrency_request *in, void *ret_out)
{
    (void)ret_out;
    return reserve(c, in->FunctionName, -1);
}

/* --- asynchronous invocations ----------------------------------------------------------------- */

static bool no_destination(const struct lambda_destination_config *d)
{
    return !d || ((!d->OnSuccess || str_empty(d->OnSuccess->Destination)) &&
                  (!d->OnFailure || str_empty(d->OnFailure->Destination)));
}

static enum status check_async(struct call *c, struct opt_i64 retries, struct opt_i64 age,
                               const struct lambda_destination_config *destinations)
{
    if (!no_destination(destinations)) {
        return lambda_unsupported(c, "DestinationConfig",
                                  "results of asynchronous invocations are only logged");
    }
    if (retries.set && (retries.v < 0 || retries.v > 2)) {
        return lambda_invalid(c, "maximumRetryAttempts",
                              arena_printf(c->arena, "%lld", (long long)retries.v),
                              "have a value between 0 and 2");
    }
    if (age.set && (age.v < 60 || age.v > 21600)) {
        return lambda_invalid(c, "maximumEventAgeInSeconds",
                              arena_printf(c->arena, "%lld", (long long)age.v),
                              "have a value between 60 and 21600");
    }
    return ST_OK;
}

static void describe_async(struct call *c, const struct lambda_key *key,
                           const struct lambda_async *async,
                           struct lambda_function_event_invoke_config *ret)
{
    *ret = (struct lambda_function_event_invoke_config){
        .LastModified = OPT_TIME(async->modified_ms),
        .FunctionArn = lambda_arn(c->arena, key, STR(LAMBDA_LATEST)),
    };
    if (async->retries >= 0) {
        ret->MaximumRetryAttempts = OPT_I64(async->retries);
    }
    if (async->max_age_s >= 0) {
        ret->MaximumEventAgeInSeconds = OPT_I64(async->max_age_s);
    }
    ret->DestinationConfig = ARENA_NEW(c->arena, struct lambda_destination_config);
    ret->DestinationConfig->OnSuccess = ARENA_NEW(c->arena, struct lambda_on_success);
    ret->DestinationConfig->OnFailure = ARENA_NEW(c->arena, struct lambda_on_failure);
}

static enum status no_async(struct call *c, const struct lambda_key *key)
{
    return call_fail(c, &lambda_ResourceNotFoundException,
                     "The function %.*s doesn't have an EventInvokeConfig",
                     STR_ARG(lambda_arn(c->arena, key, STR(LAMBDA_LATEST))));
}

static enum status store_async(struct call *c, const struct lambda_key *key,
                               struct lambda_async *async,
                               struct lambda_function_event_invoke_config *ret)
{
    async->modified_ms = clock_now_ms();
    describe_async(c, key, async, ret);
    return call_status(c, lambda_store_set_async(c->db, key, async));
}

enum status lambda_put_function_event_invoke_config(
    struct call *c, const struct lambda_put_function_event_invoke_config_request *in,
    struct lambda_put_function_event_invoke_config_response *ret_out)
{
    struct lambda_row row;
    enum status st = lambda_target_row(c, in->FunctionName, in->Qualifier, &row);
    st = st == ST_OK ? check_async(c, in->MaximumRetryAttempts, in->MaximumEventAgeInSeconds,
                                   in->DestinationConfig)
                     : st;
    struct lambda_async async = { in->MaximumRetryAttempts.set ? in->MaximumRetryAttempts.v : -1,
                                  in->MaximumEventAgeInSeconds.set ? in->MaximumEventAgeInSeconds.v
                                                                   : -1,
                                  0 };
    return st == ST_OK ? store_async(c, &row.key, &async, &ret_out->as_function_event_invoke_config)
                       : st;
}

enum status lambda_update_function_event_invoke_config(
    struct call *c, const struct lambda_update_function_event_invoke_config_request *in,
    struct lambda_update_function_event_invoke_config_response *ret_out)
{
    struct lambda_row row;
    struct lambda_async async;
    enum status st = lambda_target_row(c, in->FunctionName, in->Qualifier, &row);
    st = st == ST_OK ? check_async(c, in->MaximumRetryAttempts, in->MaximumEventAgeInSeconds,
                                   in->DestinationConfig)
                     : st;
    if (st != ST_OK) {
        return st;
    }
    st = lambda_store_async(c->db, &row.key, &async);
    if (st != ST_OK) {
        return st == ST_NOT_FOUND ? no_async(c, &row.key) : call_status(c, st);
    }
    async.retries = in->MaximumRetryAttempts.set ? in->MaximumRetryAttempts.v : async.retries;
    async.max_age_s =
        in->MaximumEventAgeInSeconds.set ? in->MaximumEventAgeInSeconds.v : async.max_age_s;
    return store_async(c, &row.key, &async, &ret_out->as_function_event_invoke_config);
}

enum status lambda_get_function_event_invoke_config(
    struct call *c, const struct lambda_get_function_event_invoke_config_request *in,
    struct lambda_get_function_event_invoke_config_response *ret_out)
{
    struct lambda_row row;
    struct lambda_async async;
    enum status st = lambda_target_row(c, in->FunctionName, in->Qualifier, &row);
    if (st != ST_OK) {
        return st;
    }
    st = lambda_store_async(c->db, &row.key, &async);
    if (st == ST_NOT_FOUND) {
        return no_async(c, &row.key);
    }
    describe_async(c, &row.key, &async, &ret_out->as_function_event_invoke_config);
    return call_status(c, st);
}

enum status lambda_delete_function_event_invoke_config(
    struct call *c, const struct lambda_delete_function_event_invoke_config_request *in,
    void *ret_out)
{
    (void)ret_out;
    struct lambda_row row;
    enum status st = lambda_target_row(c, in->FunctionName, in->Qualifier, &row);
    if (st != ST_OK) {
        return st;
    }
    st = lambda_store_delete_async(c->db, &row.key);
    return st == ST_NOT_FOUND ? no_async(c, &row.key) : call_status(c, st);
}
