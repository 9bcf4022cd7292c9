#include "emulators/logs/logs_filter.h"

/* One term from *rest; its text is a view into the pattern. */
static enum status term_next(struct str *rest, struct logs_filter_term *ret)
{
    struct str s = *rest;
    ret->kind = '+';
    if (s.p[0] == '?' || s.p[0] == '-') {
        ret->kind = s.p[0];
        s = str_sub(s, 1, s.n);
    }
    if (s.n && s.p[0] == '"') {
        ptrdiff_t end = str_find(s, '"', 1);
        if (end < 0) {
            return ST_INVALID;
        }
        ret->text = str_sub(s, 1, (size_t)end);
        *rest = str_trim(str_sub(s, (size_t)end + 1, s.n));
        return ST_OK;
    }
    ptrdiff_t end = str_find(s, ' ', 0);
    ret->text = end < 0 ? s : str_sub(s, 0, (size_t)end);
    *rest = end < 0 ? STR("") : str_trim(str_sub(s, (size_t)end, s.n));
    return ST_OK;
}

enum status logs_filter_parse(struct arena *a, struct str pattern, struct logs_filter *ret)
{
    struct str rest = str_trim(pattern);
    *ret = (struct logs_filter){ NULL, 0 };
    if (rest.n && strchr("{[%", rest.p[0])) {
        return ST_NOT_FOUND;
    }
    ret->terms = ARENA_ARRAY(a, struct logs_filter_term, rest.n / 2 + 1);
    while (rest.n) {
        enum status st = term_next(&rest, &ret->terms[ret->n]);
        if (st != ST_OK) {
            return st;
        }
        ret->n++;
    }
    return ST_OK;
}

bool logs_filter_match(const struct logs_filter *filter, struct str message)
{
    bool any_wanted = false, any_found = false;
    for (size_t i = 0; i < filter->n; i++) {
        bool there = str_find_str(message, filter->terms[i].text) >= 0;
        char kind = filter->terms[i].kind;
        if ((kind == '+' && !there) || (kind == '-' && there)) {
            return false;
        }
        any_wanted = any_wanted || kind == '?';
        any_found = any_found || (kind == '?' && there);
    }
    return any_found || !any_wanted;
}
