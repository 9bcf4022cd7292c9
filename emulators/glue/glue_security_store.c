#include "emulators/glue/glue_security.h"

static const struct documents configurations = {
    { glue_ops, GLUE_N_OPS, "GetSecurityConfiguration", "SecurityConfiguration" },
    DOCUMENTS_BY_NAME("glue_security"),
};

enum status glue_store_add_security(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct glue_security_configuration *config)
{
    return documents_add(db, a, &configurations, DOCUMENT_NAMED(o, config->Name), config);
}

enum status glue_store_security(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str name, struct glue_security_configuration **ret)
{
    return documents_get(db, a, &configurations, DOCUMENT_NAMED(o, name), ret);
}

enum status glue_store_securities(struct db *db, struct arena *a, const struct glue_owner *o,
                                  struct str after, int64_t limit,
                                  struct glue_security_configuration_list *ret)
{
    return documents_list(db, a, &configurations, DOCUMENT_PAGE(o, after, limit + 1), ret);
}

enum status glue_store_delete_security(struct db *db, const struct glue_owner *o, struct str name)
{
    return documents_remove(db, &configurations, DOCUMENT_NAMED(o, name));
}
