#include "emulators/s3/s3_post_policy.h"

#include "server/base/clock.h"
#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

struct check {
    struct arena *a;
    const struct s3_policy_case *in;
    bool *covered; /* by field of the form */
    struct s3_policy_answer *answer;
};

static enum s3_policy_verdict invalid(struct check *k, const char *why)
{
    k->answer->text = arena_printf(k->a, "Invalid Policy: %s", why);
    return S3_POLICY_INVALID;
}

/* What the form says for "$name"; fields that aren't there are empty. */
static struct str value_of(struct check *k, struct str name)
{
    struct str found = STR("");
    for (size_t i = 0; i < k->in->form->n; i++) {
        const struct s3_form_field *f = &k->in->form->v[i];
        if (str_ieq(f->name, name)) {
            k->covered[i] = true;
            found = f->value;
        }
    }
    if (str_ieqz(name, "bucket")) {
        return k->in->bucket;
    }
    return str_ieqz(name, "key") ? k->in->key : found;
}

static enum s3_policy_verdict match(struct check *k, struct str how, struct str name,
                                    struct str wanted)
{
    struct str have = value_of(k, name);
    bool prefix = str_ieqz(how, "starts-with");
    if (prefix ? str_starts(have, wanted) : str_eq(have, wanted)) {
        return S3_POLICY_ALLOWS;
    }
    k->answer->text = arena_printf(k->a,
                                   "Invalid according to Policy: Policy Condition failed: "
                                   "[\"%s\", \"$%.*s\", \"%.*s\"]",
                                   prefix ? "starts-with" : "eq", STR_ARG(name), STR_ARG(wanted));
    return S3_POLICY_DENIES;
}

/* {"acl": "private"} */
static enum s3_policy_verdict check_object(struct check *k, const struct json_value *v)
{
    if (v->n != 1) {
        return invalid(k, "Invalid Simple-Condition: Simple-Conditions must have exactly one "
                          "property specified.");
    }
    if (v->first->kind != JSON_STRING) {
        return invalid(k, "Invalid Simple-Condition: value must be a string.");
    }
    return match(k, STR("eq"), v->first->key, v->first->str);
}

static bool bytes_of(const struct json_value *v, int64_t *ret)
{
    if (v->kind == JSON_INT) {
        *ret = v->i;
        return true;
    }
    return v->kind == JSON_STRING && str_i64(v->str, ret) == ST_OK;
}

static enum s3_policy_verdict check_length(struct check *k, const struct json_value *least)
{
    int64_t min = 0, max = 0, size = k->in->form->file_len;
    if (!bytes_of(least, &min) || !bytes_of(least->next, &max)) {
        return invalid(k, "Invalid content-length-range: bounds must be numbers.");
    }
    k->answer->limit = size < min ? min : max;
    return size < min ? S3_POLICY_TOO_SMALL : size > max ? S3_POLICY_TOO_LARGE : S3_POLICY_ALLOWS;
}

/* ["eq", "$key", "a"], ["content-length-range", 1, 10] */
static enum s3_policy_verdict check_array(struct check *k, const struct json_value *v)
{
    if (v->n != 3 || v->first->kind != JSON_STRING) {
        return invalid(k, "Invalid Condition: must be an operator, a name and a value.");
    }
    const struct json_value *how = v->first, *name = how->next, *wanted = name->next;
    if (str_ieqz(how->str, "content-length-range")) {
        return check_length(k, name);
    }
    bool known = str_ieqz(how->str, "eq") || str_ieqz(how->str, "starts-with");
    if (!known || name->kind != JSON_STRING || !str_starts(name->str, STR("$")) ||
        wanted->kind != JSON_STRING) {
        return invalid(k, "Invalid Condition: unknown operator, or the name doesn't begin with $.");
    }
    return match(k, how->str, str_sub(name->str, 1, name->str.n), wanted->str);
}

static enum s3_policy_verdict check_extra(struct check *k)
{
    static const char *const free_names[] = { "policy", "signature", "x-amz-signature",
                                              "awsaccesskeyid" };
    for (size_t i = 0; i < k->in->form->n; i++) {
        struct str name = k->in->form->v[i].name;
        bool free_name = str_ieqz(str_sub(name, 0, 9), "x-ignore-");
        for (size_t j = 0; j < ARRAY_LEN(free_names); j++) {
            free_name = free_name || str_ieqz(name, free_names[j]);
        }
        if (!free_name && !k->covered[i]) {
            k->answer->text = arena_printf(
                k->a, "Invalid according to Policy: Extra input fields: %.*s", STR_ARG(name));
            return S3_POLICY_DENIES;
        }
    }
    return S3_POLICY_ALLOWS;
}

static enum s3_policy_verdict check_conditions(struct check *k, const struct json_value *list)
{
    for (const struct json_value *v = list->first; v; v = v->next) {
        enum s3_policy_verdict said = v->kind == JSON_OBJECT  ? check_object(k, v)
                                      : v->kind == JSON_ARRAY ? check_array(k, v)
                                                              : invalid(k, "Invalid Condition.");
        if (said != S3_POLICY_ALLOWS) {
            return said;
        }
    }
    return check_extra(k);
}

enum s3_policy_verdict s3_post_policy(struct arena *a, const struct s3_policy_case *in,
                                      struct s3_policy_answer *ret)
{
    struct check k = { a, in, ARENA_ARRAY(a, bool, in->form->n + 1), ret };
    struct str text = STR_NONE, why = STR_NONE;
    struct json_value *doc = NULL;
    int64_t expires = 0;
    *ret = (struct s3_policy_answer){ .limit = 0 };
    if (base64_decode(a, in->policy, &text) != ST_OK || !str_utf8(text) ||
        json_parse(a, text, &doc, &why) != ST_OK || doc->kind != JSON_OBJECT) {
        return invalid(&k, "Invalid JSON.");
    }
    struct str expiration = json_get_str(doc, "expiration");
    const struct json_value *list = json_get(doc, "conditions");
    if (!str_set(expiration)) {
        return invalid(&k, "Policy missing expiration.");
    }
    if (clock_parse(expiration, &expires) != ST_OK) {
        return invalid(&k, "Invalid 'expiration' value.");
    }
    if (!list || list->kind != JSON_ARRAY) {
        return invalid(&k, "Policy missing conditions.");
    }
    if (expires <= in->now_ms) {
        ret->text = STR("Invalid according to Policy: Policy expired.");
        return S3_POLICY_DENIES;
    }
    return check_conditions(&k, list);
}
