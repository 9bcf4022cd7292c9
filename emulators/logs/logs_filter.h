/* Filter patterns of FilterLogEvents for unstructured text, as the CloudWatch Logs User Guide
 * ("Filter pattern syntax") defines them: words and "quoted phrases" must all be there, ?word at
 * least one of them, -word none. Pure; any thread. */
#ifndef CISTERN_LOGS_FILTER_H
#define CISTERN_LOGS_FILTER_H

#include <stdbool.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct logs_filter_term {
    char kind; /* '+' must, '?' any, '-' must not */
    struct str text;
};
struct logs_filter {
    struct logs_filter_term *terms;
    size_t n;
};

/* ST_INVALID: a quote isn't closed. ST_NOT_FOUND: a JSON ({…}), column ([…]) or regular expression
 * (%…%) pattern, which we don't evaluate. */
enum status logs_filter_parse(struct arena *a, struct str pattern,
                              struct logs_filter *ret) MUST_CHECK;
bool logs_filter_match(const struct logs_filter *filter, struct str message);

#endif
