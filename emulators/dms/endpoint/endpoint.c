/* Endpoints: sources (MySQL, MariaDB, Aurora MySQL) and targets (S3). */
#include "emulators/dms/control/certificate.h"
#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_internal.h"
#include "emulators/dms/endpoint/attributes.h"
#include "emulators/dms/endpoint/mysql_settings.h"
#include "emulators/dms/endpoint/s3_settings.h"
#include "server/base/id.h"

static const struct engine {
    const char *name, *title;
    bool source;
} engines[] = {
    { "mysql", "MySQL", true },
    { "mariadb", "MariaDB", true },
    { "aurora", "Amazon Aurora MySQL", true },
    { "s3", "Amazon S3", false },
};

static const struct engine *find_engine(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        if (str_eqz(name, engines[i].name)) {
            return &engines[i];
        }
    }
    return NULL;
}

/* --- checks: on the whole endpoint, so that Create and Modify share them --- */

static enum status check_kind(struct call *c, const struct dms_endpoint *e)
{
    const struct engine *engine = find_engine(e->EngineName);
    if (!engine) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "The engine '%.*s' is not implemented here; sources can be mysql, mariadb "
                         "and aurora, targets s3.",
                         STR_ARG(e->EngineName));
    }
    bool source = str_eqz(e->EndpointType, "source");
    if (!source && !str_eqz(e->EndpointType, "target")) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "EndpointType must be source or target.");
    }
    if (source != engine->source) {
        return call_fail(c, &dms_InvalidParameterValueException, "%s is implemented as a %s only.",
                         engine->title, engine->source ? "source" : "target");
    }
    const char *const modes[] = { "none", "require", "verify-ca", "verify-full" };
    bool known = !str_set(e->SslMode);
    for (size_t i = 0; i < ARRAY_LEN(modes) && !known; i++) {
        known = str_eqz(e->SslMode, modes[i]);
    }
    if (!known || (!source && str_set(e->SslMode) && !str_eqz(e->SslMode, "none"))) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "SslMode '%.*s' is not valid for the engine %s.", STR_ARG(e->SslMode),
                         engine->name);
    }
    return str_empty(e->CertificateArn) ? ST_OK : dms_certificate_check(c, e->CertificateArn);
}

static enum status check_source(struct call *c, struct dms_endpoint *e)
{
    if (!e->MySQLSettings) {
        e->MySQLSettings = ARENA_NEW(c->arena, struct dms_mysql_settings);
    }
    struct str why;
    struct dms_source source;
    if (dms_mysql_attributes(c->arena, e->ExtraConnectionAttributes, e->MySQLSettings, &why) !=
            ST_OK ||
        dms_mysql_read(c->arena, e, &source, &why) != ST_OK) {
        return call_fail(c, &dms_InvalidParameterValueException, "%.*s", STR_ARG(why));
    }
    return ST_OK;
}

static bool is_role_arn(struct str arn)
{
    struct str part, rest = arn;
    for (int i = 0; i < 5; i++) {
        if (!str_next(&rest, ':', &part)) {
            return false;
        }
    }
    return str_starts(arn, STR("arn:aws")) && str_find_str(arn, STR(":iam::")) > 0 &&
           str_starts(rest, STR("role/")) && rest.n > 5;
}

/* AWS can't write without the role, and says so when the endpoint is made. */
static enum status check_role(struct call *c, struct str arn)
{
    if (str_empty(arn)) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "The parameter ServiceAccessRoleArn must be provided and must not be "
                         "blank: in S3Settings, the ARN of the role that may write the bucket.");
    }
    if (!is_role_arn(arn)) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "The parameter ServiceAccessRoleArn is '%.*s'; it must be the ARN of a "
                         "role, as in arn:aws:iam::000000000000:role/NAME.",
                         STR_ARG(arn));
    }
    return ST_OK;
}

static enum status check_target(struct call *c, struct dms_endpoint *e)
{
    if (!e->S3Settings) {
        e->S3Settings = ARENA_NEW(c->arena, struct dms_s3_settings);
    }
    if (str_empty(e->S3Settings->ServiceAccessRoleArn)) {
        e->S3Settings->ServiceAccessRoleArn = e->ServiceAccessRoleArn;
    }
    struct str why;
    bool conflict;
    struct dms_s3_options options;
    if (dms_s3_attributes(c->arena, e->ExtraConnectionAttributes, e->S3Settings, &why) != ST_OK) {
        return call_fail(c, &dms_InvalidParameterValueException, "%.*s", STR_ARG(why));
    }
    if (dms_s3_read(c->arena, e->S3Settings, &options, &conflict, &why) != ST_OK) {
        return call_fail(c,
                         conflict ? &dms_InvalidParameterCombinationException
                                  : &dms_InvalidParameterValueException,
                         "%.*s", STR_ARG(why));
    }
    return check_role(c, e->S3Settings->ServiceAccessRoleArn);
}

static enum status check(struct call *c, struct dms_endpoint *e)
{
    enum status st = dms_check_ident(c, "EndpointIdentifier", e->EndpointIdentifier);
    if (st == ST_OK) {
        st = check_kind(c, e);
    }
    if (st != ST_OK) {
        return st;
    }
    e->EngineDisplayName = str_z(find_engine(e->EngineName)->title);
    return str_eqz(e->EndpointType, "source") ? check_source(c, e) : check_target(c, e);
}

/* --- both spellings of a source's login --- */

static void prefer(struct str *to, struct str from)
{
    if (str_empty(*to) && str_set(from)) {
        *to = from;
    }
}

/* MySQLSettings and the top-level members are the same things; the former win where both are. */
static void unite(struct arena *a, struct dms_endpoint *e, const struct dms_mysql_settings *m)
{
    static const struct dms_mysql_settings none;
    m = m ? m : &none;
    struct dms_mysql_settings *copy = ARENA_NEW(a, struct dms_mysql_settings);
    *copy = *m;
    copy->Password = STR_NONE; /* never shown */
    e->MySQLSettings = copy;
    e->ServerName = str_set(m->ServerName) ? m->ServerName : e->ServerName;
    e->Username = str_set(m->Username) ? m->Username : e->Username;
    e->DatabaseName = str_set(m->DatabaseName) ? m->DatabaseName : e->DatabaseName;
    e->Port = m->Port.set ? m->Port : e->Port;
    prefer(&copy->ServerName, e->ServerName);
    prefer(&copy->Username, e->Username);
    copy->Port = e->Port;
}

/* As clients see it. */
static void echo(struct arena *a, struct dms_endpoint *e)
{
    e->EndpointType = str_eqz(e->EndpointType, "source") ? STR("SOURCE") : STR("TARGET");
    if (e->S3Settings) {
        struct dms_s3_settings *copy = ARENA_NEW(a, struct dms_s3_settings);
        *copy = *e->S3Settings;
        dms_s3_echo(a, copy);
        e->S3Settings = copy;
        if (str_empty(e->ExtraConnectionAttributes)) {
            e->ExtraConnectionAttributes = dms_s3_echo_attributes(a, copy);
        }
    }
}

/* --- operations --- */

static enum status refuse_others(struct call *c, const struct dms_create_endpoint_request *in)
{
    if (in->DynamoDbSettings || in->DmsTransferSettings || in->MongoDbSettings ||
        in->KinesisSettings || in->KafkaSettings || in->ElasticsearchSettings ||
        in->NeptuneSettings || in->RedshiftSettings || in->PostgreSQLSettings ||
        in->OracleSettings || in->SybaseSettings || in->MicrosoftSQLServerSettings ||
        in->IBMDb2Settings || in->DocDbSettings || in->RedisSettings || in->GcpMySQLSettings ||
        in->TimestreamSettings) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "Only MySQLSettings and S3Settings are implemented here.");
    }
    return ST_OK;
}

enum status dms_create_endpoint(struct call *c, const struct dms_create_endpoint_request *in,
                                struct dms_create_endpoint_response *ret_out)
{
    enum status st = refuse_others(c, in);
    if (st != ST_OK) {
        return st;
    }
    struct dms_endpoint *e = ARENA_NEW(c->arena, struct dms_endpoint);
    *e = (struct dms_endpoint){
        .EndpointIdentifier = in->EndpointIdentifier,
        .EndpointType = arena_lower(c->arena, in->EndpointType),
        .EngineName = arena_lower(c->arena, in->EngineName),
        .Username = in->Username,
        .ServerName = in->ServerName,
        .Port = in->Port,
        .DatabaseName = in->DatabaseName,
        .ExtraConnectionAttributes = in->ExtraConnectionAttributes,
        .Status = STR("active"),
        .KmsKeyId = in->KmsKeyId,
        .EndpointArn = dms_new_arn(c, "endpoint", in->ResourceIdentifier),
        .CertificateArn = in->CertificateArn,
        .SslMode = str_empty(in->SslMode) ? STR("none") : in->SslMode,
        .ServiceAccessRoleArn = in->ServiceAccessRoleArn,
        .ExternalTableDefinition = in->ExternalTableDefinition,
        .S3Settings = in->S3Settings,
    };
    struct str password = in->MySQLSettings && str_set(in->MySQLSettings->Password)
                              ? in->MySQLSettings->Password
                              : in->Password;
    if (in->MySQLSettings || str_eqz(e->EndpointType, "source")) {
        unite(c->arena, e, in->MySQLSettings);
    }
    st = check(c, e);
    if (st != ST_OK) {
        return st;
    }
    if (e->S3Settings) {
        e->ExternalId = id_uuid(c->arena);
    }
    struct dms_resource row = { .arn = e->EndpointArn,
                                .ident = e->EndpointIdentifier,
                                .secret = password };
    st = dms_keep_new(c, &dms_endpoints, &row, e, &in->Tags);
    echo(c->arena, e);
    ret_out->Endpoint = e;
    return call_status(c, st);
}

static void replace(struct str *to, struct str from)
{
    if (str_set(from)) {
        *to = from;
    }
}

/* What a Modify call wants of S3Settings, also as attributes; NULL: nothing. */
static enum status given_s3(struct call *c, const struct dms_modify_endpoint_request *in,
                            const struct dms_endpoint *e, struct dms_s3_settings **ret)
{
    *ret = in->S3Settings;
    if (!str_set(in->ExtraConnectionAttributes) || !e->S3Settings) {
        return ST_OK;
    }
    struct str why;
    *ret = *ret ? *ret : ARENA_NEW(c->arena, struct dms_s3_settings);
    return dms_s3_attributes(c->arena, in->ExtraConnectionAttributes, *ret, &why) == ST_OK
               ? ST_OK
               : call_fail(c, &dms_InvalidParameterValueException, "%.*s", STR_ARG(why));
}

/* The same of MySQLSettings. */
static enum status given_mysql(struct call *c, const struct dms_modify_endpoint_request *in,
                               const struct dms_endpoint *e, struct dms_mysql_settings **ret)
{
    *ret = in->MySQLSettings;
    if (!str_set(in->ExtraConnectionAttributes) || e->S3Settings) {
        return ST_OK;
    }
    struct str why;
    *ret = *ret ? *ret : ARENA_NEW(c->arena, struct dms_mysql_settings);
    return dms_mysql_attributes(c->arena, in->ExtraConnectionAttributes, *ret, &why) == ST_OK
               ? ST_OK
               : call_fail(c, &dms_InvalidParameterValueException, "%.*s", STR_ARG(why));
}

/* Members outside of the settings of an engine. */
static void change_plain(struct call *c, const struct dms_modify_endpoint_request *in,
                         struct dms_endpoint *e, struct dms_resource *row)
{
    replace(&e->EndpointIdentifier, in->EndpointIdentifier);
    if (str_set(in->EndpointType)) {
        e->EndpointType = arena_lower(c->arena, in->EndpointType);
    }
    if (str_set(in->EngineName)) {
        e->EngineName = arena_lower(c->arena, in->EngineName);
    }
    replace(&e->Username, in->Username);
    replace(&e->ServerName, in->ServerName);
    replace(&e->DatabaseName, in->DatabaseName);
    replace(&e->CertificateArn, in->CertificateArn);
    replace(&e->SslMode, in->SslMode);
    replace(&e->ServiceAccessRoleArn, in->ServiceAccessRoleArn);
    replace(&e->ExternalTableDefinition, in->ExternalTableDefinition);
    replace(&row->secret, in->Password);
    e->Port = in->Port.set ? in->Port : e->Port;
}

static enum status change(struct call *c, const struct dms_modify_endpoint_request *in,
                          struct dms_endpoint *e, struct dms_resource *row)
{
    struct dms_s3_settings *s3 = NULL;
    struct dms_mysql_settings *mysql = NULL;
    enum status st = given_s3(c, in, e, &s3);
    if (st == ST_OK) {
        st = given_mysql(c, in, e, &mysql);
    }
    if (st != ST_OK) {
        return st;
    }
    change_plain(c, in, e, row);
    bool exact = in->ExactSettings.v;
    if (s3 && e->S3Settings && !exact) {
        dms_overlay(dms_member("CreateEndpoint", "S3Settings"), e->S3Settings, s3);
    } else if (s3) {
        e->S3Settings = s3;
    }
    struct dms_mysql_settings *m = e->MySQLSettings;
    if (m) {
        replace(&m->ServerName, in->ServerName);
        replace(&m->Username, in->Username);
        replace(&m->DatabaseName, in->DatabaseName);
        m->Port = e->Port;
    }
    if (mysql) {
        replace(&row->secret, mysql->Password);
        if (m && !exact) {
            dms_overlay(dms_member("CreateEndpoint", "MySQLSettings"), m, mysql);
        }
        unite(c->arena, e, m && !exact ? m : mysql);
    }
    /* Attributes that were given before have become settings. */
    if (e->S3Settings || str_set(in->ExtraConnectionAttributes) || (mysql && exact)) {
        e->ExtraConnectionAttributes = in->ExtraConnectionAttributes;
    }
    return ST_OK;
}

enum status dms_modify_endpoint(struct call *c, const struct dms_modify_endpoint_request *in,
                                struct dms_modify_endpoint_response *ret_out)
{
    struct dms_resource row;
    struct dms_endpoint *e = NULL;
    enum status st = dms_need(c, &dms_endpoints, in->EndpointArn, &row, &e);
    if (st != ST_OK) {
        return st;
    }
    st = change(c, in, e, &row);
    if (st == ST_OK) {
        st = check(c, e);
    }
    row.ident = e->EndpointIdentifier;
    if (st == ST_OK) {
        st = dms_keep(c, &dms_endpoints, &row, e);
    }
    echo(c->arena, e);
    ret_out->Endpoint = e;
    return call_status(c, st);
}

enum status dms_describe_endpoints(struct call *c, const struct dms_describe_endpoints_request *in,
                                   struct dms_describe_endpoints_response *ret_out)
{
    struct dms_endpoint_list *all = &ret_out->Endpoints;
    enum status st = dms_describe(c, &dms_endpoints, DMS_ASK(in), all, &ret_out->Marker);
    for (size_t i = 0; i < all->n; i++) {
        echo(c->arena, &all->v[i]);
    }
    return st;
}

enum status dms_delete_endpoint(struct call *c, const struct dms_delete_endpoint_request *in,
                                struct dms_delete_endpoint_response *ret_out)
{
    struct dms_resource row;
    struct dms_endpoint *e = NULL;
    enum status st = dms_need(c, &dms_endpoints, in->EndpointArn, &row, &e);
    if (st != ST_OK) {
        return st;
    }
    int64_t users = 0;
    st = dms_store_task_users(c->db, row.arn, &users);
    if (st == ST_OK && users > 0) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "The endpoint %.*s is used by %d replication task(s); delete them first.",
                         STR_ARG(row.ident), (int)users);
    }
    if (st == ST_OK) {
        st = dms_store_resource_delete(c->db, row.arn);
    }
    echo(c->arena, e);
    e->Status = STR("deleting");
    ret_out->Endpoint = e;
    return call_status(c, st);
}
