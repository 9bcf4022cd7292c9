/* Reading the rules of TableMappings: what its files share. Pure. */
#ifndef CISTERN_DMS_RULE_PARSE_H
#define CISTERN_DMS_RULE_PARSE_H

#include "emulators/dms/mapping/mapping.h"
#include "server/wire/json.h"

struct dms_rule_parser {
    struct arena *a;
    struct str id; /* of the rule at hand; absent: none */
    uint64_t number;
    struct str name;
    struct str *error;
    struct dms_selection *selections;
    size_t selections_n;
    struct dms_transform *transforms;
    size_t transforms_n;
    struct dms_table_settings *settings;
    size_t settings_n;
    struct expressions *expressions; /* to try them; made when first needed */
};

/* Sets the error, in the service's own frame around the reason; ST_INVALID. */
enum status dms_rule_refuse(struct dms_rule_parser *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) MUST_CHECK;
/* Refuses members that aren't in the NULL-terminated list; `what` is said of the object. */
enum status dms_rule_members(struct dms_rule_parser *p, const struct json_value *o,
                             const char *const *known, const char *what) MUST_CHECK;
/* A member, or NULL when it is missing or null. */
const struct json_value *dms_rule_member(const struct json_value *o, const char *name);
/* A non-empty text. */
enum status dms_rule_text(struct dms_rule_parser *p, const struct json_value *o, const char *name,
                          struct str *ret) MUST_CHECK;
/* A text (maybe empty), or absent. */
enum status dms_rule_optional(struct dms_rule_parser *p, const struct json_value *o,
                              const char *name, struct str *ret) MUST_CHECK;
/* A whole number from 0 on, also as text; *ret stays when missing. */
enum status dms_rule_number(struct dms_rule_parser *p, const struct json_value *o, const char *name,
                            int64_t *ret) MUST_CHECK;
/* An array of texts (numbers count as their text). */
enum status dms_rule_texts(struct dms_rule_parser *p, const struct json_value *list,
                           const char *name, const struct str **ret, size_t *ret_n) MUST_CHECK;
bool dms_rule_has_wildcard(struct str s);

enum status dms_rule_selection(struct dms_rule_parser *p, const struct json_value *rule) MUST_CHECK;
enum status dms_rule_filters(struct dms_rule_parser *p, const struct json_value *rule,
                             struct dms_selection *sel) MUST_CHECK;
enum status dms_rule_transform(struct dms_rule_parser *p, const struct json_value *rule) MUST_CHECK;
enum status dms_rule_settings(struct dms_rule_parser *p, const struct json_value *rule) MUST_CHECK;

#endif
