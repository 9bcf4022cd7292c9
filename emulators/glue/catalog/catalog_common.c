#include "emulators/glue/catalog/catalog_common.h"

#include "emulators/glue/glue_internal.h"
#include "server/base/digest.h"
#include "server/wire/codec.h"

#define ACCOUNT_DIGITS 12
#define TOKEN_MAX 8192

/* --- problems --------------------------------------------------------------------------------- */
enum status catalog_refuse(struct arena *a, struct catalog_problem *ret,
                           const struct aws_error *error, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *ret = (struct catalog_problem){ error, arena_vprintf(a, fmt, ap) };
    va_end(ap);
    return ST_AWS;
}

enum status catalog_end(struct call *c, enum status st, const struct catalog_problem *problem)
{
    return st == ST_AWS && problem->error
               ? call_fail(c, problem->error, "%.*s", STR_ARG(problem->text))
               : call_status(c, st);
}

struct glue_error_detail *catalog_error_detail(struct arena *a,
                                               const struct catalog_problem *problem)
{
    struct glue_error_detail *d = ARENA_NEW(a, struct glue_error_detail);
    *d = (struct glue_error_detail){ str_z(problem->error->code), problem->text };
    return d;
}

/* --- whose, and which ------------------------------------------------------------------------- */
static bool is_account(struct str s)
{
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9') {
        digits++;
    }
    return s.n == ACCOUNT_DIGITS && digits == s.n;
}

struct str catalog_caller(struct call *c)
{
    return str_set(c->caller.arn)
               ? c->caller.arn
               : arena_printf(c->arena, "arn:aws:iam::%.*s:root", STR_ARG(c->caller.account));
}

enum status catalog_owner(struct call *c, struct str catalog_id, struct glue_owner *ret)
{
    *ret = glue_owner_of(c);
    if (!str_set(catalog_id) || str_eq(catalog_id, c->caller.account)) {
        return ST_OK;
    }
    if (!is_account(catalog_id)) {
        return call_fail(c, &glue_EntityNotFoundException, "Catalog %.*s not found.",
                         STR_ARG(catalog_id));
    }
    struct str caller = catalog_caller(c);
    return call_fail(c, &glue_AccessDeniedException,
                     "User: %.*s is not authorized to perform: glue:%s on resource: "
                     "arn:aws:glue:%.*s:%.*s:catalog",
                     STR_ARG(caller), c->op->name, STR_ARG(c->caller.region), STR_ARG(catalog_id));
}

enum status catalog_key_of(struct call *c, struct str catalog_id, struct str database,
                           struct str table, struct catalog_key *ret)
{
    enum status st = catalog_owner(c, catalog_id, &ret->owner);
    ret->database = arena_lower(c->arena, database);
    ret->table = arena_lower(c->arena, table);
    return st;
}

enum status catalog_require_database(struct call *c, const struct catalog_key *key)
{
    enum status st = catalog_has_database(c->db, c->arena, &key->owner, key->database);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Database %.*s not found.",
                         STR_ARG(key->database));
    }
    return call_status(c, st);
}

enum status catalog_open_table(struct call *c, struct str catalog_id, struct str database,
                               struct str table, struct catalog_key *ret_key,
                               struct glue_table **ret)
{
    enum status st = catalog_key_of(c, catalog_id, database, table, ret_key);
    st = st == ST_OK ? catalog_table(c->db, c->arena, ret_key, ret) : st;
    if (st == ST_NOT_FOUND) {
        st = catalog_require_database(c, ret_key);
        return st != ST_OK ? st
                           : call_fail(c, &glue_EntityNotFoundException, "Table %.*s not found.",
                                       STR_ARG(ret_key->table));
    }
    return call_status(c, st);
}

/* --- checks ----------------------------------------------------------------------------------- */
enum status catalog_check_text(struct call *c, const char *member, struct str text, size_t max)
{
    if (text.n > max) {
        return call_fail(c, &glue_ValidationException,
                         "1 validation error detected: Value at '%s' failed to satisfy "
                         "constraint: Member must have length less than or equal to %zu",
                         member, max);
    }
    return ST_OK;
}

enum status catalog_check_name(struct call *c, const char *member, struct str name)
{
    if (name.n < 1) {
        return call_fail(c, &glue_ValidationException,
                         "1 validation error detected: Value '' at '%s' failed to satisfy "
                         "constraint: Member must have length greater than or equal to 1",
                         member);
    }
    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] < ' ' && name.p[i] != '\t') {
            return call_fail(c, &glue_ValidationException,
                             "1 validation error detected: Value at '%s' failed to satisfy "
                             "constraint: Member must have no control characters",
                             member);
        }
    }
    return catalog_check_text(c, member, name, CATALOG_NAME_MAX);
}

enum status catalog_check_count(struct call *c, const char *member, size_t n, size_t max)
{
    if (n < 1 || n > max) {
        return call_fail(c, &glue_ValidationException,
                         "1 validation error detected: Value at '%s' failed to satisfy "
                         "constraint: Member must have length %s %zu",
                         member, n < 1 ? "greater than or equal to" : "less than or equal to",
                         n < 1 ? (size_t)1 : max);
    }
    return ST_OK;
}

enum status catalog_refuse_missing(struct call *c, const struct catalog_missing *m)
{
    for (; m->name; m++) {
        if (m->used) {
            return call_fail(c, &wire_NotImplemented, "%s isn't implemented: leave it out.",
                             m->name);
        }
    }
    return ST_OK;
}

/* --- paging ----------------------------------------------------------------------------------- */
enum status catalog_page_of(struct call *c, struct str token, struct opt_i64 max, int64_t most,
                            struct catalog_page *ret)
{
    *ret = (struct catalog_page){ STR_NONE, max.set && max.v < most ? max.v : most };
    if (max.set && max.v < 1) {
        return call_fail(c, &glue_InvalidInputException, "MaxResults must be at least 1, not %lld.",
                         (long long)max.v);
    }
    if (str_empty(token)) {
        return ST_OK;
    }
    if (token.n > TOKEN_MAX || base64_decode(c->arena, token, &ret->after) != ST_OK) {
        return call_fail(c, &glue_InvalidInputException,
                         "NextToken isn't one that an earlier answer gave.");
    }
    return ST_OK;
}

struct str catalog_token(struct arena *a, struct str last)
{
    return base64_encode(a, last.p, last.n);
}
