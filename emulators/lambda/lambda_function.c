/* CreateFunction, the two updates, DeleteFunction. */
#include "emulators/facade/s3.h"
#include "emulators/lambda/lambda_check.h"
#include "emulators/lambda/lambda_package.h"
#include "emulators/lambda/lambda_pool.h"
#include "emulators/lambda/lambda_runtime.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"

static const struct aws_error too_large = { "RequestEntityTooLargeException", NULL, 413, NULL };

/* --- where the code comes from ---------------------------------------------------------------- */

/* CreateFunction's and UpdateFunctionCode's in one. */
struct code_source {
    struct str zip, bucket, key, version, image, kms_key;
    bool publish;
    struct str publish_to;
};

static enum status refuse_source(struct call *c, const struct code_source *s)
{
    if (str_set(s->image)) {
        return lambda_unsupported(c, "ImageUri", "functions are run from zip packages");
    }
    if (s->publish || str_set(s->publish_to)) {
        return lambda_unsupported(c, "Publish", "$LATEST is the only version");
    }
    if (str_set(s->kms_key)) {
        return lambda_unsupported(c, "SourceKMSKeyArn", "packages are stored as they are");
    }
    if (str_set(s->zip) == str_set(s->key)) {
        return call_fail(c, &lambda_InvalidParameterValueException,
                         "Please provide a source for function code: either ZipFile, or S3Bucket "
                         "and S3Key.");
    }
    if (s->zip.n > LAMBDA_ZIP_MAX) {
        return call_fail(c, &too_large,
                         "The package has %zu bytes; %u is the limit for a ZipFile. Larger ones go "
                         "through S3Bucket and S3Key.",
                         s->zip.n, LAMBDA_ZIP_MAX);
    }
    return ST_OK;
}

static enum status open_object(struct call *c, const struct code_source *s, int *ret_fd)
{
    struct s3_object object;
    enum status st = s3_object_find(c->db, c->arena, s->bucket, s->key, &object);
    if (st == ST_OK && str_set(s->version) && !str_eqz(s->version, "null")) {
        return lambda_unsupported(c, "S3ObjectVersion", "objects have no versions");
    }
    if (st == ST_OK) {
        st = s3_object_open(c->core, &object, ret_fd);
    }
    if (st == ST_NOT_FOUND) {
        bool bucket = s3_bucket_exists(c->db, s->bucket);
        return call_fail(c, &lambda_InvalidParameterValueException,
                         "Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s",
                         bucket ? "NoSuchKey" : "NoSuchBucket",
                         bucket ? "The specified key does not exist."
                                : "The specified bucket does not exist");
    }
    return call_status(c, st);
}

/* --- a change under way ----------------------------------------------------------------------- */

struct change {
    struct call *c;
    struct lambda *l;
    struct str key_text;
    struct lambda_row row;
    struct lambda_tags tags;
    bool create, dry_run;
    struct lambda_package package;
};

static enum status change_refused(struct change *change)
{
    const struct lambda_package *p = &change->package;
    struct call *c = change->c;
    struct str why = arena_str(c->arena, p->why);
    if (p->ours) {
        log_error(LAMBDA_TOPIC, "%.*s: %.*s", STR_ARG(change->row.key.name), STR_ARG(why));
        return call_fail(c, &lambda_ServiceException, "The code could not be stored: %.*s",
                         STR_ARG(why));
    }
    return call_fail(c, &lambda_InvalidParameterValueException, "%.*s", STR_ARG(why));
}

static void take_code(struct change *change)
{
    const struct lambda_package *p = &change->package;
    change->row.code_sha256 = arena_str(change->c->arena, p->sha256);
    change->row.code_dir = arena_str(change->c->arena, p->dir);
    change->row.code_size = p->size;
    lambda_touch(change->c, &change->row);
}

static enum status store_created(struct change *change)
{
    struct call *c = change->c;
    struct core_mark mark;
    enum status st = core_mark(c->core, &mark);
    if (st != ST_OK) {
        return call_status(c, st);
    }
    take_code(change);
    st = lambda_store_add(c->db, &change->row);
    st = st == ST_OK ? lambda_store_tag(c->db, &change->row.key, &change->tags) : st;
    st = core_mark_end(c->core, mark, st);
    if (st == ST_OK) {
        struct lambda_create_function_response *out = c->out;
        struct lambda_function_configuration *f = &out->as_function_configuration;
        lambda_describe(c, &change->row, f);
        f->State = STR("Pending");
        f->StateReason = STR("The function is being created.");
        f->StateReasonCode = STR("Creating");
        f->LastUpdateStatus = STR_NONE;
    }
    return call_status(c, st);
}

static void say_in_progress(struct lambda_function_configuration *f, const char *what)
{
    f->LastUpdateStatus = STR("InProgress");
    f->LastUpdateStatusReason = str_z(what);
    f->LastUpdateStatusReasonCode = STR("Creating");
}

/* The row is read again: other settings may have changed while the code was unpacked. */
static enum status store_code(struct change *change)
{
    struct call *c = change->c;
    struct str architecture = change->row.architecture;
    struct lambda_update_function_code_response *out = c->out;
    enum status st = lambda_store_find(c->db, c->arena, &change->row.key, &change->row);
    if (st == ST_NOT_FOUND) {
        return lambda_no_function(c, &change->row.key);
    }
    if (st == ST_OK) {
        change->row.architecture = architecture;
        take_code(change);
        st = change->dry_run ? ST_OK : lambda_store_update(c->db, &change->row);
    }
    lambda_describe(c, &change->row, &out->as_function_configuration);
    say_in_progress(&out->as_function_configuration, "The function is being updated.");
    return call_status(c, st);
}

static void change_unpacked(struct lambda_package *p)
{
    struct change *change = CONTAINER_OF(p, struct change, package);
    struct call *c = change->c;
    struct lambda *l = change->l;
    (void)map_del(&l->changing, change->key_text);
    enum status st = !p->good         ? change_refused(change)
                     : change->create ? store_created(change)
                                      : store_code(change);
    lambda_package_fini(p);
    lambda_pool_change_later(l, &change->row.key);
    call_finish(c, st); /* `change` lives in its arena */
}

/* ST_PENDING, or why not. */
static enum status change_start(struct change *change, const struct code_source *source)
{
    struct call *c = change->c;
    struct lambda *l = change->l;
    struct lambda_package *p = &change->package;
    change->key_text = lambda_key_text(c->arena, &change->row.key);
    if (map_get(&l->changing, change->key_text)) {
        return call_fail(c, &lambda_ResourceConflictException,
                         "The operation cannot be performed at this time. An update is in progress "
                         "for resource: %.*s",
                         STR_ARG(lambda_arn(c->arena, &change->row.key, STR_NONE)));
    }
    p->fd = -1;
    p->zip = source->zip;
    p->folder = lambda_package_folder(l, c->arena, &change->row.key);
    p->may_be_empty = lambda_runtime_kind(change->row.runtime) != LAMBDA_RUNTIME_PYTHON;
    p->done = change_unpacked;
    enum status st = str_set(p->zip) ? ST_OK : open_object(c, source, &p->fd);
    if (st != ST_OK) {
        return st;
    }
    (void)map_put(&l->changing, change->key_text, l); /* it wasn't there */
    lambda_package_start(l, p);
    return ST_PENDING;
}

/* --- handlers --------------------------------------------------------------------------------- */

static enum status pick_architecture(struct call *c, const struct lambda_architectures_list *list,
                                     struct str *field)
{
    if (list->n == 0) {
        return ST_OK;
    }
    if (list->n > 1 || (!str_eqz(list->v[0], "x86_64") && !str_eqz(list->v[0], "arm64"))) {
        return lambda_invalid(c, "architectures", list->v[0],
                              "satisfy enum value set: [x86_64, arm64], one of them");
    }
    *field = list->v[0];
    return ST_OK;
}

static struct lambda_row new_row(struct call *c, const struct lambda_key *key)
{
    return (struct lambda_row){
        .key = *key,
        .runtime = STR("provided.al2023"),
        .handler = STR(""),
        .description = STR(""),
        .timeout_s = 3,
        .memory_mb = 128,
        .ephemeral_mb = 512,
        .architecture = STR("x86_64"),
        .tracing = STR("PassThrough"),
        .log_group = arena_printf(c->arena, "/aws/lambda/%.*s", STR_ARG(key->name)),
        .reserved = -1,
    };
}

/* What both CreateFunction and UpdateFunctionConfiguration may set. */
#define SETTINGS_OF(in)                                                                            \
    .role = (in)->Role, .handler = (in)->Handler, .description = (in)->Description,                \
    .runtime = (in)->Runtime, .kms_key = (in)->KMSKeyArn, .timeout = (in)->Timeout,                \
    .memory = (in)->MemorySize, .vpc = (in)->VpcConfig, .environment = (in)->Environment,          \
    .dead_letter = (in)->DeadLetterConfig, .tracing = (in)->TracingConfig,                         \
    .layers = &(in)->Layers, .file_systems = &(in)->FileSystemConfigs, .image = (in)->ImageConfig, \
    .ephemeral = (in)->EphemeralStorage, .snap_start = (in)->SnapStart,                            \
    .logging = (in)->LoggingConfig, .capacity = (in)->CapacityProviderConfig

/* Name, and what only CreateFunction has. */
static enum status check_create(struct call *c, const struct lambda_create_function_request *in,
                                struct lambda_key *ret_key)
{
    struct lambda_row old;
    struct lambda_name n;
    enum status st = lambda_target(c, in->FunctionName, STR_NONE, ret_key);
    if (st != ST_OK) {
        return st;
    }
    if (lambda_name_parse(in->FunctionName, &n) == ST_OK && str_set(n.qualifier)) {
        return call_fail(c, &lambda_InvalidParameterValueException,
                         "The function name must not have a qualifier: %.*s",
                         STR_ARG(in->FunctionName));
    }
    if (str_eqz(in->PackageType, "Image")) {
        return lambda_unsupported(c, "PackageType Image", "functions are run from zip packages");
    }
    if (str_set(in->CodeSigningConfigArn)) {
        return lambda_unsupported(c, "CodeSigningConfigArn", "packages are not verified");
    }
    if (!str_set(in->Runtime) || !str_set(in->Handler)) {
        return call_fail(c, &lambda_InvalidParameterValueException,
                         "Runtime and Handler are mandatory parameters for functions created with "
                         "deployment packages.");
    }
    st = lambda_store_find(c->db, c->arena, ret_key, &old);
    if (st == ST_OK) {
        return call_fail(c, &lambda_ResourceConflictException, "Function already exist: %.*s",
                         STR_ARG(ret_key->name));
    }
    return st == ST_NOT_FOUND ? ST_OK : call_status(c, st);
}

enum status lambda_create_function(struct call *c, const struct lambda_create_function_request *in,
                                   struct lambda_create_function_response *ret_out)
{
    (void)ret_out; /* filled when the code is unpacked */
    struct lambda_key key;
    const struct lambda_function_code *code = in->Code;
    struct code_source source = {
        code->ZipFile,  code->S3Bucket,        code->S3Key,   code->S3ObjectVersion,
        code->ImageUri, code->SourceKMSKeyArn, in->Publish.v, in->PublishTo,
    };
    struct lambda_settings settings = {
        SETTINGS_OF(in),
        .durable = in->DurableConfig ? (const void *)in->DurableConfig : in->TenancyConfig,
    };
    enum status st = check_create(c, in, &key);
    st = st == ST_OK ? refuse_source(c, &source) : st;
    if (st != ST_OK) {
        return st;
    }
    struct change *change = ARENA_NEW(c->arena, struct change);
    *change = (struct change){ .c = c, .l = c->state, .create = true, .tags = in->Tags };
    change->row = new_row(c, &key);
    st = lambda_apply(c, &settings, &change->row);
    st = st == ST_OK ? pick_architecture(c, &in->Architectures, &change->row.architecture) : st;
    return st == ST_OK ? change_start(change, &source) : st;
}

enum status lambda_update_function_code(struct call *c,
                                        const struct lambda_update_function_code_request *in,
                                        struct lambda_update_function_code_response *ret_out)
{
    (void)ret_out; /* filled when the code is unpacked */
    struct code_source source = {
        in->ZipFile,  in->S3Bucket,        in->S3Key,     in->S3ObjectVersion,
        in->ImageUri, in->SourceKMSKeyArn, in->Publish.v, in->PublishTo,
    };
    struct change *change = ARENA_NEW(c->arena, struct change);
    *change = (struct change){ .c = c, .l = c->state, .dry_run = in->DryRun.v };
    enum status st = lambda_target_row(c, in->FunctionName, STR_NONE, &change->row);
    st = st == ST_OK ? lambda_check_revision(c, in->RevisionId, &change->row, "GetFunction") : st;
    st = st == ST_OK ? refuse_source(c, &source) : st;
    st = st == ST_OK ? pick_architecture(c, &in->Architectures, &change->row.architecture) : st;
    return st == ST_OK ? change_start(change, &source) : st;
}

enum status
lambda_update_function_configuration(struct call *c,
                                     const struct lambda_update_function_configuration_request *in,
                                     struct lambda_update_function_configuration_response *ret_out)
{
    struct lambda_settings settings = { SETTINGS_OF(in), .durable = in->DurableConfig };
    struct lambda_row row;
    enum status st = lambda_target_row(c, in->FunctionName, STR_NONE, &row);
    st = st == ST_OK ? lambda_check_revision(c, in->RevisionId, &row, "GetFunction") : st;
    st = st == ST_OK ? lambda_apply(c, &settings, &row) : st;
    if (st != ST_OK) {
        return st;
    }
    lambda_touch(c, &row);
    st = lambda_store_update(c->db, &row);
    lambda_describe(c, &row, &ret_out->as_function_configuration);
    say_in_progress(&ret_out->as_function_configuration, "The function is being updated.");
    lambda_pool_change_later(c->state, &row.key);
    return call_status(c, st);
}

enum status lambda_delete_function(struct call *c, const struct lambda_delete_function_request *in,
                                   struct lambda_delete_function_response *ret_out)
{
    struct lambda_row row;
    if (str_eqz(in->Qualifier, LAMBDA_LATEST)) {
        return call_fail(c, &lambda_InvalidParameterValueException,
                         "$LATEST version cannot be deleted without deleting the function.");
    }
    enum status st = lambda_target_row(c, in->FunctionName, in->Qualifier, &row);
    if (st == ST_OK) {
        st = call_status(c, lambda_store_delete(c->db, &row.key));
    }
    if (st == ST_OK) {
        lambda_pool_change_later(c->state, &row.key);
        ret_out->StatusCode = OPT_I64(204);
    }
    return st;
}
