/* Security configurations: kept as given. Only those may be used that promise nothing which isn't
 * done: modes DISABLED, and SSE-S3, which is what our S3 says of every object. */
#include "emulators/glue/glue_security.h"
#include "emulators/glue/glue_internal.h"
#include "server/base/clock.h"
#include "server/wire/codec.h"

#define PAGE 100
#define NAME_MAX_CHARS 255

/* --- use -------------------------------------------------------------------------------------- */
static bool off(struct str mode)
{
    return !str_set(mode) || str_eqz(mode, "DISABLED");
}

/* Which part asks for an encryption that isn't done; NULL: none. */
static const char *undone(const struct glue_encryption_configuration *e)
{
    for (size_t i = 0; e && i < e->S3Encryption.n; i++) {
        struct str mode = e->S3Encryption.v[i].S3EncryptionMode;
        if (!off(mode) && !str_eqz(mode, "SSE-S3")) {
            return "S3Encryption";
        }
    }
    if (e && e->CloudWatchEncryption && !off(e->CloudWatchEncryption->CloudWatchEncryptionMode)) {
        return "CloudWatchEncryption";
    }
    if (e && e->JobBookmarksEncryption &&
        !off(e->JobBookmarksEncryption->JobBookmarksEncryptionMode)) {
        return "JobBookmarksEncryption";
    }
    if (e && e->DataQualityEncryption &&
        !off(e->DataQualityEncryption->DataQualityEncryptionMode)) {
        return "DataQualityEncryption";
    }
    return NULL;
}

static enum status not_found(struct call *c, struct str name)
{
    return call_fail(c, &glue_EntityNotFoundException, "Security Configuration %.*s not found.",
                     STR_ARG(name));
}

enum status glue_security_check(struct call *c, struct str name)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_security_configuration *config;
    if (str_empty(name)) {
        return ST_OK;
    }
    enum status st = glue_store_security(c->db, c->arena, &owner, name, &config);
    if (st == ST_NOT_FOUND) {
        return not_found(c, name);
    }
    const char *part = st == ST_OK ? undone(config->EncryptionConfiguration) : NULL;
    if (part) {
        return call_fail(c, &wire_NotImplemented,
                         "Security configuration %.*s can't be used: its %s asks for encryption "
                         "with KMS, which isn't implemented, so nothing would be encrypted. Use "
                         "modes DISABLED (and SSE-S3 for S3).",
                         STR_ARG(name), part);
    }
    return call_status(c, st);
}

/* --- operations ------------------------------------------------------------------------------- */
enum status
glue_create_security_configuration(struct call *c,
                                   const struct glue_create_security_configuration_request *in,
                                   struct glue_create_security_configuration_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_security_configuration config = {
        .Name = in->Name,
        .CreatedTimeStamp = OPT_TIME(clock_now_ms()),
        .EncryptionConfiguration = in->EncryptionConfiguration,
    };
    if (in->Name.n < 1 || in->Name.n > NAME_MAX_CHARS) {
        return call_fail(c, &glue_InvalidInputException, "Name must have 1 to %d characters.",
                         NAME_MAX_CHARS);
    }
    enum status st = glue_store_add_security(c->db, c->arena, &owner, &config);
    if (st == ST_EXISTS) {
        return call_fail(c, &glue_AlreadyExistsException,
                         "Security Configuration %.*s already exists.", STR_ARG(in->Name));
    }
    ret_out->Name = in->Name;
    ret_out->CreatedTimestamp = config.CreatedTimeStamp;
    return call_status(c, st);
}

enum status
glue_get_security_configuration(struct call *c,
                                const struct glue_get_security_configuration_request *in,
                                struct glue_get_security_configuration_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    enum status st =
        glue_store_security(c->db, c->arena, &owner, in->Name, &ret_out->SecurityConfiguration);
    return st == ST_NOT_FOUND ? not_found(c, in->Name) : call_status(c, st);
}

enum status
glue_get_security_configurations(struct call *c,
                                 const struct glue_get_security_configurations_request *in,
                                 struct glue_get_security_configurations_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_security_configuration_list *list = &ret_out->SecurityConfigurations;
    int64_t limit = in->MaxResults.set && in->MaxResults.v >= 1 && in->MaxResults.v < PAGE
                        ? in->MaxResults.v
                        : PAGE;
    enum status st = glue_store_securities(c->db, c->arena, &owner, in->NextToken, limit, list);
    if (st == ST_OK && (int64_t)list->n > limit) {
        list->n = (size_t)limit;
        ret_out->NextToken = list->v[list->n - 1].Name;
    }
    return call_status(c, st);
}

enum status glue_delete_security_configuration(
    struct call *c, const struct glue_delete_security_configuration_request *in, void *ret_out)
{
    (void)ret_out;
    struct glue_owner owner = glue_owner_of(c);
    enum status st = glue_store_delete_security(c->db, &owner, in->Name);
    return st == ST_NOT_FOUND ? not_found(c, in->Name) : call_status(c, st);
}
