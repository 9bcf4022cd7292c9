/* AddPermission, GetPolicy, RemovePermission. */
#include "emulators/lambda/lambda_check.h"
#include "server/base/mem.h"
#include "server/wire/json.h"

#define POLICY_MAX (20u << 10) /* as on AWS */

static bool sid_valid(struct str sid)
{
    bool good = sid.n >= 1 && sid.n <= 100;
    for (size_t i = 0; good && i < sid.n; i++) {
        char ch = sid.p[i];
        good = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
               ch == '-' || ch == '_';
    }
    return good;
}

/* No statement, no policy. */
static enum status no_policy(struct call *c)
{
    return call_fail(c, &lambda_ResourceNotFoundException,
                     "The resource you requested does not exist.");
}

static struct str policy_text(struct call *c, const struct lambda_statement *list, size_t n)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(1u << 20);
    buf_puts(&b, "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[");
    for (size_t i = 0; i < n; i++) {
        buf_puts(&b, i ? "," : "");
        buf_str_add(&b, list[i].text);
    }
    buf_puts(&b, "]}");
    return arena_str(c->arena, buf_str(&b));
}

static enum status check_permission(struct call *c, const struct lambda_add_permission_request *in)
{
    if (!sid_valid(in->StatementId)) {
        return lambda_invalid(c, "statementId", in->StatementId,
                              "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)");
    }
    if (!lambda_action_valid(in->Action)) {
        return lambda_invalid(
            c, "action", in->Action,
            "satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])");
    }
    if (in->Principal.n == 0 || str_find(in->Principal, ' ', 0) >= 0) {
        return lambda_invalid(c, "principal", in->Principal,
                              "satisfy regular expression pattern: [^\\s]+");
    }
    if (str_set(in->SourceArn) && !str_starts(in->SourceArn, STR("arn:"))) {
        return lambda_invalid(
            c, "sourceArn", in->SourceArn,
            "satisfy regular expression pattern: "
            "arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:([a-z]{2}((-gov)|(-iso(b?)))?-"
            "[a-z]+-\\d{1})?:(\\d{12})?:(.*)");
    }
    if (str_set(in->SourceAccount) && in->SourceAccount.n != 12) {
        return lambda_invalid(c, "sourceAccount", in->SourceAccount,
                              "satisfy regular expression pattern: \\d{12}");
    }
    return ST_OK;
}

static enum status room_for(struct call *c, const struct lambda_key *key,
                            const struct lambda_statement *s)
{
    struct lambda_statement *list;
    size_t n;
    enum status st = lambda_store_statements(c->db, c->arena, key, &list, &n);
    size_t bytes = s->text.n;
    for (size_t i = 0; st == ST_OK && i < n; i++) {
        bytes += list[i].text.n;
    }
    if (st == ST_OK && bytes > POLICY_MAX) {
        return call_fail(c, &lambda_PolicyLengthExceededException,
                         "The final policy size (%zu) is bigger than the limit (%u).", bytes,
                         POLICY_MAX);
    }
    return call_status(c, st);
}

/* A changed policy gives the function a new revision, as on AWS. */
static enum status touch(struct call *c, struct lambda_row *row)
{
    int64_t modified = row->modified_ms;
    lambda_touch(c, row);
    row->modified_ms = modified;
    return lambda_store_update(c->db, row);
}

enum status lambda_add_permission(struct call *c, const struct lambda_add_permission_request *in,
                                  struct lambda_add_permission_response *ret_out)
{
    struct lambda_row row;
    enum status st = check_permission(c, in);
    st = st == ST_OK ? lambda_target_row(c, in->FunctionName, in->Qualifier, &row) : st;
    st = st == ST_OK ? lambda_check_revision(c, in->RevisionId, &row, "GetPolicy") : st;
    if (st != ST_OK) {
        return st;
    }
    struct lambda_statement s = {
        .sid = in->StatementId,
        .grant = { .principal = in->Principal,
                   .action = in->Action,
                   .source_arn = in->SourceArn,
                   .source_account = in->SourceAccount,
                   .other_conditions = str_set(in->EventSourceToken) ||
                                       str_set(in->PrincipalOrgID) ||
                                       str_set(in->FunctionUrlAuthType) },
    };
    const struct lambda_statement_more more = { in->EventSourceToken, in->PrincipalOrgID,
                                                in->FunctionUrlAuthType };
    s.text = lambda_statement_text(c->arena, s.sid, &s.grant,
                                   lambda_arn(c->arena, &row.key, STR_NONE), &more);
    st = room_for(c, &row.key, &s);
    if (st != ST_OK) {
        return st;
    }
    st = lambda_store_add_statement(c->db, &row.key, &s);
    if (st == ST_EXISTS) {
        return call_fail(c, &lambda_ResourceConflictException,
                         "The statement id (%.*s) provided already exists. Please provide a new "
                         "statement id, or remove the existing statement.",
                         STR_ARG(s.sid));
    }
    ret_out->Statement = s.text;
    return call_status(c, st == ST_OK ? touch(c, &row) : st);
}

enum status lambda_get_policy(struct call *c, const struct lambda_get_policy_request *in,
                              struct lambda_get_policy_response *ret_out)
{
    struct lambda_row row;
    struct lambda_statement *list;
    size_t n;
    enum status st = lambda_target_row(c, in->FunctionName, in->Qualifier, &row);
    if (st == ST_OK) {
        st = call_status(c, lambda_store_statements(c->db, c->arena, &row.key, &list, &n));
    }
    if (st != ST_OK) {
        return st;
    }
    if (n == 0) {
        return no_policy(c);
    }
    ret_out->Policy = policy_text(c, list, n);
    ret_out->RevisionId = row.revision;
    return ST_OK;
}

enum status lambda_remove_permission(struct call *c,
                                     const struct lambda_remove_permission_request *in,
                                     void *ret_out)
{
    (void)ret_out;
    struct lambda_row row;
    enum status st = lambda_target_row(c, in->FunctionName, in->Qualifier, &row);
    st = st == ST_OK ? lambda_check_revision(c, in->RevisionId, &row, "GetPolicy") : st;
    if (st != ST_OK) {
        return st;
    }
    st = lambda_store_delete_statement(c->db, &row.key, in->StatementId);
    if (st == ST_NOT_FOUND) {
        struct lambda_statement *list;
        size_t n = 0;
        st = lambda_store_statements(c->db, c->arena, &row.key, &list, &n);
        if (st == ST_OK && n == 0) {
            return call_fail(c, &lambda_ResourceNotFoundException,
                             "No policy is associated with the given resource.");
        }
        return st != ST_OK ? call_status(c, st)
                           : call_fail(c, &lambda_ResourceNotFoundException,
                                       "Statement %.*s is not found in resource policy.",
                                       STR_ARG(in->StatementId));
    }
    return call_status(c, st == ST_OK ? touch(c, &row) : st);
}
