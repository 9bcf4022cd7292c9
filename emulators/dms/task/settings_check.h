/* What task settings may say, and which of them say nothing to an S3 target. Pure; any thread. */
#ifndef CISTERN_DMS_SETTINGS_CHECK_H
#define CISTERN_DMS_SETTINGS_CHECK_H

#include <stdbool.h>

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/wire/json.h"

/* The item at "Section.Member"; NULL when there is none. */
static inline const struct json_value *dms_settings_at(const struct json_value *doc,
                                                       const char *section, const char *member)
{
    return json_get(json_get(doc, section), member);
}

/* A full document of settings. ST_INVALID: *ret_error names the member and the values that it may
 * have, or says why it can't be carried out. */
enum status dms_settings_check(struct arena *a, const struct json_value *doc,
                               struct str *ret_error) MUST_CHECK;

/* "ErrorBehavior.ApplyErrorInsertPolicy, …": the settings of `text` (see dms_settings_merge()) that
 * differ from the defaults and change nothing for a task that writes MySQL's rows to S3;
 * `captures`: it also follows changes. Absent: there are none. */
struct str dms_settings_idle(struct arena *a, struct str text, bool captures);

#endif
