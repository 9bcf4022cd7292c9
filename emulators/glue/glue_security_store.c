#include "emulators/glue/glue_security.h"
#include "server/wire/codec.h"
#include "server/wire/doc.h"

static const struct op *get_op(void)
{
    return op_find(glue_ops, GLUE_N_OPS, STR("GetSecurityConfiguration"));
}

static enum status read_doc(struct arena *a, struct str text,
                            struct glue_security_configuration **ret)
{
    void *doc;
    enum status st = doc_read(get_op(), a, text, &doc);
    if (st == ST_OK) {
        *ret = ((struct glue_get_security_configuration_response *)doc)->SecurityConfiguration;
    }
    return st;
}

enum status glue_store_add_security(struct db *db, struct arena *a, const struct glue_owner *o,
                                    struct glue_security_configuration *config)
{
    struct str text;
    struct glue_get_security_configuration_response doc = { .SecurityConfiguration = config };
    enum status st = doc_write(get_op(), a, &doc, &text);
    return st != ST_OK ? st
                       : db_exec(db, "INSERT INTO glue_security VALUES(?,?,?,?)", bs(o->account),
                                 bs(o->region), bs(config->Name), bs(text));
}

enum status glue_store_security(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str name, struct glue_security_configuration **ret)
{
    struct str text;
    enum status st = db_get_str(
        db, a, &text, "SELECT doc FROM glue_security WHERE account=? AND region=? AND name=?",
        bs(o->account), bs(o->region), bs(name));
    return st == ST_OK ? read_doc(a, text, ret) : st;
}

enum status glue_store_securities(struct db *db, struct arena *a, const struct glue_owner *o,
                                  struct str after, int64_t limit,
                                  struct glue_security_configuration_list *ret)
{
    struct rows q;
    enum status st = ST_OK;
    *ret = (struct glue_security_configuration_list){
        0, ARENA_NEW(a, struct glue_security_configuration)
    };
    if (db_query(db, &q,
                 "SELECT doc FROM glue_security WHERE account=? AND region=? AND name>?"
                 " ORDER BY name LIMIT ?",
                 bs(o->account), bs(o->region), bs(str_set(after) ? after : STR("")),
                 bi(limit + 1)) == ST_OK) {
        while (st == ST_OK && rows_next(&q)) {
            struct glue_security_configuration *config;
            st = read_doc(a, rows_str(&q, a, 0), &config);
            if (st == ST_OK) {
                ARENA_GROW(a, ret->v, ret->n);
                ret->v[ret->n++] = *config;
            }
        }
    }
    enum status end = rows_end(&q);
    return st != ST_OK ? st : end;
}

enum status glue_store_delete_security(struct db *db, const struct glue_owner *o, struct str name)
{
    enum status st =
        db_exec(db, "DELETE FROM glue_security WHERE account=? AND region=? AND name=?",
                bs(o->account), bs(o->region), bs(name));
    return st == ST_OK && db_changes(db) == 0 ? ST_NOT_FOUND : st;
}
