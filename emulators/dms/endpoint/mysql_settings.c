#include "emulators/dms/endpoint/mysql_settings.h"

#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_internal.h"
#include "emulators/dms/endpoint/attributes.h"

enum status dms_mysql_attributes(struct arena *a, struct str attributes,
                                 struct dms_mysql_settings *s, struct str *ret_error)
{
    static const char *const members[] = { "AfterConnectScript",
                                           "CleanSourceMetadataOnMismatch",
                                           "EventsPollInterval",
                                           "ExecuteTimeout",
                                           "MaxFileSize",
                                           "ParallelLoadThreads",
                                           "ServerTimezone",
                                           "TargetDbType",
                                           NULL };
    static const char *const others[][2] = {
        { "CleanSrcMetadataOnMismatch", "CleanSourceMetadataOnMismatch" },
        { "skipTableSuspensionForPartitionDdl", NULL },
        { "IgnoreOpenXaTransactionsCheck", NULL },
        { "CharsetMapping", NULL },
        { NULL, NULL },
    };
    const struct dms_attribute_rules rules = {
        .engine = "mysql",
        .shape = dms_member("CreateEndpoint", "MySQLSettings"),
        .members = members,
        .others = others,
    };
    return dms_attributes(a, attributes, &rules, s, ret_error);
}

static enum status read_flag(struct arena *a, struct str attributes, const char *name, bool *ret,
                             struct str *ret_error)
{
    struct str value = dms_attribute(attributes, name);
    return !str_set(value) || str_bool(value, ret) == ST_OK
               ? ST_OK
               : dms_refuse(a, ret_error,
                            "The value '%.*s' of the extra connection attribute %s is not one of "
                            "true, false, y, n.",
                            STR_ARG(value), name);
}

/* Attributes that are no settings. */
static enum status read_others(struct arena *a, struct str attributes, struct dms_source *ret,
                               struct str *ret_error)
{
    enum status st = read_flag(a, attributes, "skipTableSuspensionForPartitionDdl",
                               &ret->partition_ddl, ret_error);
    if (st == ST_OK) {
        st = read_flag(a, attributes, "IgnoreOpenXaTransactionsCheck", &ret->ignore_xa, ret_error);
    }
    struct str mapping = dms_attribute(attributes, "CharsetMapping");
    if (st == ST_OK && str_set(mapping) && !str_ends(mapping, STR(",65001"))) {
        st = dms_refuse(a, ret_error,
                        "The extra connection attribute CharsetMapping is '%.*s'; only mappings to "
                        "UTF-8 (code page 65001) are implemented here. Columns of all other "
                        "character sets are converted to UTF-8 without it.",
                        STR_ARG(mapping));
    }
    return st;
}

static enum status read_zone(struct arena *a, struct str name, struct dms_source *ret,
                             struct str *ret_error)
{
    if (str_empty(name) || str_ieqz(name, "UTC")) {
        return ST_OK;
    }
    if (zone_read(a, name, &ret->zone) == ST_OK) {
        return ST_OK;
    }
    return dms_refuse(a, ret_error, "ServerTimezone is '%.*s', which is no time zone%s.",
                      STR_ARG(name),
                      zone_database() ? "; it has the form Area/Location, as in US/Pacific"
                                      : " of this system: the package tzdata is not installed");
}

static bool below(struct opt_i64 v, int64_t least)
{
    return v.set && v.v < least;
}

enum status dms_mysql_read(struct arena *a, const struct dms_endpoint *e, struct dms_source *ret,
                           struct str *ret_error)
{
    static const struct dms_mysql_settings none;
    const struct dms_mysql_settings *m = e->MySQLSettings ? e->MySQLSettings : &none;
    *ret = (struct dms_source){ .clean_metadata = m->CleanSourceMetadataOnMismatch.v };
    const char *wrong = NULL;
    if (!str_empty(m->SecretsManagerSecretId) || !str_empty(m->SecretsManagerAccessRoleArn)) {
        wrong = "SecretsManagerSecretId is not implemented here, since there is no Secrets Manager "
                "to ask; give Username and Password";
    } else if (str_eqz(m->AuthenticationMethod, "iam")) {
        wrong = "AuthenticationMethod iam is not implemented here; give Username and Password";
    } else if (str_set(m->AuthenticationMethod) && !str_eqz(m->AuthenticationMethod, "password")) {
        wrong = "AuthenticationMethod must be password or iam";
    } else if (str_empty(e->ServerName)) {
        wrong = "ServerName is needed";
    } else if (str_empty(e->Username)) {
        wrong = "Username is needed";
    } else if (e->Port.set && (e->Port.v < 1 || e->Port.v > 65535)) {
        wrong = "Port must be between 1 and 65535";
    } else if (below(m->EventsPollInterval, 1)) {
        wrong = "EventsPollInterval must be 1 second or more";
    } else if (below(m->ExecuteTimeout, 1)) {
        wrong = "ExecuteTimeout must be 1 second or more";
    } else if (e->S3Settings) {
        wrong = "S3Settings don't belong to this engine";
    }
    if (wrong) {
        return dms_refuse(a, ret_error, "%s.", wrong);
    }
    enum status st = read_others(a, e->ExtraConnectionAttributes, ret, ret_error);
    return st == ST_OK ? read_zone(a, m->ServerTimezone, ret, ret_error) : st;
}
