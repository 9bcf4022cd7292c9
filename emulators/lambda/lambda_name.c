#include "emulators/lambda/lambda_name.h"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool all_of(struct str s, const char *more)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alnum(s.p[i]) && !(s.p[i] && strchr(more, s.p[i]))) {
            return false;
        }
    }
    return s.n > 0;
}

static bool is_account(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
    }
    return s.n == 12;
}

/* Takes "<head>:" off the front when head fits. */
static bool take_account(struct str *rest, struct str *ret)
{
    struct str head, tail;
    if (!str_cut(*rest, ':', &head, &tail) || !is_account(head)) {
        return false;
    }
    *ret = head;
    *rest = tail;
    return true;
}

static bool take_word(struct str *rest, struct str word)
{
    if (!str_starts(*rest, word)) {
        return false;
    }
    *rest = str_sub(*rest, word.n, rest->n);
    return true;
}

/* "arn:aws:lambda:<region>:", where the partition may be another one. */
static enum status take_arn_head(struct str *rest, struct lambda_name *n)
{
    struct str part;
    if (!take_word(rest, STR("arn:"))) {
        return ST_OK;
    }
    if (!str_cut(*rest, ':', &part, rest) || !str_starts(part, STR("aws")) ||
        !take_word(rest, STR("lambda:")) || !str_cut(*rest, ':', &n->region, rest) ||
        !all_of(n->region, "-") || !take_account(rest, &n->account) ||
        !str_starts(*rest, STR("function:"))) {
        return ST_INVALID;
    }
    return ST_OK;
}

enum status lambda_name_parse(struct str text, struct lambda_name *ret)
{
    struct lambda_name n = { STR_NONE, STR_NONE, STR_NONE, STR_NONE };
    struct str rest = text;
    if (text.n > 170 || take_arn_head(&rest, &n) != ST_OK) {
        return ST_INVALID;
    }
    if (!str_set(n.account)) {
        (void)take_account(&rest, &n.account);
    }
    struct str after = rest;
    if (take_word(&after, STR("function:")) && after.n > 0) {
        rest = after;
    }
    if (!str_cut(rest, ':', &n.name, &n.qualifier)) {
        n.qualifier = STR_NONE;
    } else if (!str_eqz(n.qualifier, LAMBDA_LATEST) &&
               (n.qualifier.n > 128 || !all_of(n.qualifier, "-_"))) {
        return ST_INVALID;
    }
    if (!lambda_name_valid(n.name)) {
        return ST_INVALID;
    }
    *ret = n;
    return ST_OK;
}

bool lambda_name_valid(struct str name)
{
    return name.n <= LAMBDA_NAME_MAX && all_of(name, "-_");
}

bool lambda_role_valid(struct str arn)
{
    struct str rest = arn, part;
    return take_word(&rest, STR("arn:")) && str_cut(rest, ':', &part, &rest) &&
           str_starts(part, STR("aws")) && take_word(&rest, STR("iam::")) &&
           take_account(&rest, &part) && take_word(&rest, STR("role/")) && all_of(rest, "+=,.@-_/");
}

struct str lambda_arn(struct arena *a, const struct lambda_key *key, struct str qualifier)
{
    return arena_printf(a, "arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s", STR_ARG(key->region),
                        STR_ARG(key->account), STR_ARG(key->name), str_set(qualifier) ? ":" : "",
                        STR_ARG(qualifier));
}

struct str lambda_key_text(struct arena *a, const struct lambda_key *key)
{
    return arena_printf(a, "%.*s:%.*s:%.*s", STR_ARG(key->account), STR_ARG(key->region),
                        STR_ARG(key->name));
}

enum status lambda_key_parse(struct str text, struct lambda_key *ret)
{
    struct str rest;
    if (!str_cut(text, ':', &ret->account, &rest) ||
        !str_cut(rest, ':', &ret->region, &ret->name)) {
        return ST_INVALID;
    }
    return ST_OK;
}
