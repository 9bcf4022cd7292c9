/* Helpers that the handlers share. */
#include <inttypes.h>

#include "emulators/dms/dms_internal.h"
#include "server/base/id.h"
#include "server/wire/shape_def.h"

#define IDENT_MAX 255
#define RECORDS_DEFAULT 100
#define RECORDS_MIN 20

struct str dms_new_arn(struct call *c, const char *kind, struct str given)
{
    struct str id = str_empty(given) ? id_base32(c->arena, 26) : given;
    return call_arn(c, "dms", "%s:%.*s", kind, STR_ARG(id));
}

enum status dms_refuse(struct arena *a, struct str *ret_error, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *ret_error = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return ST_INVALID;
}

struct str dms_arn_id(struct str arn)
{
    size_t at = arn.n;
    while (at > 0 && arn.p[at - 1] != ':') {
        at--;
    }
    return str_sub(arn, at, arn.n);
}

struct dms_owner dms_owner_of(const struct call *c)
{
    return (struct dms_owner){ c->caller.account, c->caller.region };
}

static bool letter(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

static bool legal_ident(struct str s)
{
    if (s.n < 1 || s.n > IDENT_MAX || !letter(s.p[0]) || s.p[s.n - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool hyphen = ch == '-';
        if (!letter(ch) && !(ch >= '0' && ch <= '9') && !hyphen) {
            return false;
        }
        if (hyphen && s.p[i - 1] == '-') {
            return false;
        }
    }
    return true;
}

enum status dms_check_ident(struct call *c, const char *member, struct str ident)
{
    if (legal_ident(ident)) {
        return ST_OK;
    }
    return call_fail(c, &dms_InvalidParameterValueException,
                     "The parameter %s is not a valid identifier. Identifiers must begin with a "
                     "letter; must contain only ASCII letters, digits, and hyphens; and must not "
                     "end with a hyphen or contain two consecutive hyphens.",
                     member);
}

enum status dms_check_filters(struct call *c, const struct dms_filter_list *filters,
                              const char *const *known)
{
    for (size_t i = 0; i < filters->n; i++) {
        bool found = false;
        for (const char *const *k = known; *k && !found; k++) {
            found = str_eqz(filters->v[i].Name, *k);
        }
        if (!found) {
            return call_fail(c, &dms_InvalidParameterValueException,
                             "Unsupported filter name: %.*s", STR_ARG(filters->v[i].Name));
        }
        if (filters->v[i].Values.n == 0) {
            return call_fail(c, &dms_InvalidParameterValueException, "Filter %.*s has no values.",
                             STR_ARG(filters->v[i].Name));
        }
    }
    return ST_OK;
}

bool dms_filter_fits(const struct dms_filter_list *filters, const char *name, struct str value)
{
    for (size_t i = 0; i < filters->n; i++) {
        const struct dms_filter *f = &filters->v[i];
        if (!str_eqz(f->Name, name)) {
            continue;
        }
        bool hit = false;
        for (size_t k = 0; k < f->Values.n && !hit; k++) {
            hit = str_eq(f->Values.v[k], value);
        }
        if (!hit) {
            return false;
        }
    }
    return true;
}

enum status dms_need_any(struct call *c, const char *noun, size_t n,
                         const struct dms_filter_list *filters)
{
    return n > 0 || filters->n == 0 ? ST_OK
                                    : call_fail(c, &dms_ResourceNotFoundFault,
                                                "No %ss found matching the filter(s).", noun);
}

enum status dms_cut_n(struct call *c, const struct dms_ask *ask, int64_t most, size_t size,
                      void *list, struct str *ret_marker)
{
    struct shape_seq seq = shape_seq_load(list);
    int64_t page = ask->max_records.set ? ask->max_records.v : RECORDS_DEFAULT;
    if (page < RECORDS_MIN || page > most) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "MaxRecords must be between %d and %" PRId64 ".", RECORDS_MIN, most);
    }
    uint64_t from = 0;
    if (!str_empty(ask->marker) && (str_u64(ask->marker, &from) != ST_OK || from > seq.n)) {
        return call_fail(c, &dms_InvalidParameterValueException, "The Marker is not valid.");
    }
    seq.v = (char *)seq.v + from * size;
    seq.n -= from;
    if (seq.n > (size_t)page) {
        seq.n = (size_t)page;
        *ret_marker = arena_printf(c->arena, "%" PRIu64, from + seq.n);
    }
    shape_seq_store(list, seq);
    return ST_OK;
}
