#include "emulators/lambda/lambda_policy.h"

#include "server/base/mem.h"
#include "server/wire/json.h"

#define STATEMENT_MAX (64u << 10)

bool lambda_arn_like(struct str pattern, struct str arn)
{
    for (int i = 0; i < 5; i++) {
        struct str p, a, p_rest, a_rest;
        if (!str_cut(pattern, ':', &p, &p_rest) || !str_cut(arn, ':', &a, &a_rest)) {
            break; /* not six parts: "*" */
        }
        if (!str_glob(p, a)) {
            return false;
        }
        pattern = p_rest;
        arn = a_rest;
    }
    return str_glob(pattern, arn);
}

bool lambda_grant_allows(const struct lambda_grant *g, const struct lambda_source *s)
{
    bool action = str_eqz(g->action, "lambda:InvokeFunction") || str_eqz(g->action, "lambda:*") ||
                  str_eqz(g->action, "*");
    bool principal = str_eq(g->principal, s->service) || str_eqz(g->principal, "*");
    return action && principal && !g->other_conditions &&
           (!str_set(g->source_arn) ||
            (str_set(s->arn) && lambda_arn_like(g->source_arn, s->arn))) &&
           (!str_set(g->source_account) || str_eq(g->source_account, s->account));
}

bool lambda_action_valid(struct str action)
{
    if (str_eqz(action, "*") || str_eqz(action, "lambda:*")) {
        return true;
    }
    if (!str_starts(action, STR("lambda:")) || action.n == 7) {
        return false;
    }
    for (size_t i = 7; i < action.n; i++) {
        char c = action.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
            return false;
        }
    }
    return true;
}

/* --- text ------------------------------------------------------------------------------------- */

static bool is_account(struct str s)
{
    bool digits = s.n == 12;
    for (size_t i = 0; digits && i < s.n; i++) {
        digits = s.p[i] >= '0' && s.p[i] <= '9';
    }
    return digits;
}

static void put_principal(struct json_out *o, struct arena *a, struct str principal)
{
    json_keyz(o, "Principal");
    if (str_eqz(principal, "*")) {
        json_str(o, principal);
        return;
    }
    json_open(o, '{');
    if (is_account(principal)) {
        json_pair(o, "AWS", arena_printf(a, "arn:aws:iam::%.*s:root", STR_ARG(principal)));
    } else if (str_starts(principal, STR("arn:"))) {
        json_pair(o, "AWS", principal);
    } else {
        json_pair(o, "Service", principal);
    }
    json_close(o, '}');
}

static void put_string_conditions(struct json_out *o, const struct lambda_grant *g,
                                  const struct lambda_statement_more *more)
{
    const struct {
        const char *key;
        struct str value;
    } all[] = {
        { "AWS:SourceAccount", g->source_account },
        { "lambda:EventSourceToken", more->event_source_token },
        { "aws:PrincipalOrgID", more->org_id },
        { "lambda:FunctionUrlAuthType", more->url_auth_type },
    };
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (!str_set(all[i].value)) {
            continue;
        }
        if (!any) {
            json_keyz(o, "StringEquals");
            json_open(o, '{');
            any = true;
        }
        json_pair(o, all[i].key, all[i].value);
    }
    if (any) {
        json_close(o, '}');
    }
}

struct str lambda_statement_text(struct arena *a, struct str sid, const struct lambda_grant *g,
                                 struct str resource_arn, const struct lambda_statement_more *more)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(STATEMENT_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "Sid", sid);
    json_pair(&o, "Effect", STR("Allow"));
    put_principal(&o, a, g->principal);
    json_pair(&o, "Action", g->action);
    json_pair(&o, "Resource", resource_arn);
    if (str_set(g->source_arn) || str_set(g->source_account) || g->other_conditions) {
        json_keyz(&o, "Condition");
        json_open(&o, '{');
        put_string_conditions(&o, g, more);
        if (str_set(g->source_arn)) {
            json_keyz(&o, "ArnLike");
            json_open(&o, '{');
            json_pair(&o, "AWS:SourceArn", g->source_arn);
            json_close(&o, '}');
        }
        json_close(&o, '}');
    }
    json_close(&o, '}');
    return arena_str(a, buf_str(&b));
}
