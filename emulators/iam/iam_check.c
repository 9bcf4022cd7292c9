#include "emulators/iam/iam_check.h"

#include "server/wire/json.h"

static const struct aws_error validation_error = { "ValidationError", NULL, 400, NULL };

enum status iam_check_document(struct call *c, struct str document)
{
    struct json_value *json;
    struct str why;
    if (json_parse(c->arena, document, &json, &why) != ST_OK) {
        return call_fail(c, &iam_MalformedPolicyDocumentException,
                         "The policy document isn't valid JSON: %.*s", STR_ARG(why));
    }
    if (!json_get(json, "Statement")) {
        return call_fail(c, &iam_MalformedPolicyDocumentException,
                         "Syntax errors in policy: a JSON object with a Statement is expected.");
    }
    return ST_OK;
}

enum status iam_check_name(struct call *c, const char *member, struct str name)
{
    bool good = name.n >= 1 && name.n <= 128;
    for (size_t i = 0; good && i < name.n; i++) {
        char ch = name.p[i];
        good = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
               (ch && strchr("+=,.@_-", ch));
    }
    if (good) {
        return ST_OK;
    }
    return call_fail(c, &validation_error,
                     "The specified value for %s is invalid. It must contain only alphanumeric "
                     "characters and/or the following: +=,.@_- (1 to 128 of them)",
                     member);
}

enum status iam_check_path(struct call *c, struct str path, struct str *ret_path)
{
    if (!str_set(path)) {
        *ret_path = STR("/");
        return ST_OK;
    }
    if (path.n < 1 || path.n > 512 || path.p[0] != '/' || path.p[path.n - 1] != '/') {
        return call_fail(
            c, &validation_error,
            "The specified value for path is invalid. It must begin and end with / and "
            "contain only alphanumeric characters and/or / characters.");
    }
    *ret_path = path;
    return ST_OK;
}

struct iam_page iam_page_in(struct str path_prefix, struct str marker, struct opt_i64 max_items)
{
    int64_t max = max_items.set ? max_items.v : 100;
    return (struct iam_page){ path_prefix, marker, max < 1 ? 1 : max > 1000 ? 1000 : max };
}

bool iam_page_cut(const struct iam_page *page, size_t *n, struct opt_bool *ret_truncated)
{
    bool more = (int64_t)*n > page->max;
    *n = more ? (size_t)page->max : *n;
    *ret_truncated = OPT_BOOL(more);
    return more;
}

enum status iam_no_role(struct call *c, struct str name)
{
    return call_fail(c, &iam_NoSuchEntityException, "The role with name %.*s cannot be found.",
                     STR_ARG(name));
}

enum status iam_find_role(struct call *c, struct str name, struct iam_role *ret)
{
    enum status st = iam_store_role(c->db, c->arena, c->caller.account, name, ret);
    return st == ST_NOT_FOUND ? iam_no_role(c, name) : call_status(c, st);
}
