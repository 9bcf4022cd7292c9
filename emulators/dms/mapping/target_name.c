/* Names in the target. Of several rules for one object the one with the lowest rule-id counts, as
 * the user guide says ("Transformation rules and actions"). */
#include "emulators/dms/mapping/table_rules.h"

static struct str upper(struct arena *a, struct str s)
{
    struct str copy = arena_str(a, s);
    char *p = arena_cstr(a, copy);
    for (size_t i = 0; i < copy.n; i++) {
        p[i] = char_upper(p[i]);
    }
    return (struct str){ p, copy.n };
}

struct str dms_transform_name(struct arena *a, const struct dms_transform *t, struct str name)
{
    bool starts, ends;
    switch (t->action) {
    case DMS_ACT_RENAME:
        return t->value;
    case DMS_ACT_LOWERCASE:
        return arena_lower(a, name);
    case DMS_ACT_UPPERCASE:
        return upper(a, name);
    case DMS_ACT_ADD_PREFIX:
        return arena_join(a, t->value, name);
    case DMS_ACT_ADD_SUFFIX:
        return arena_join(a, name, t->value);
    case DMS_ACT_REMOVE_PREFIX:
        return str_starts(name, t->value) ? str_sub(name, t->value.n, name.n) : name;
    case DMS_ACT_REMOVE_SUFFIX:
        return str_ends(name, t->value) ? str_sub(name, 0, name.n - t->value.n) : name;
    case DMS_ACT_REPLACE_PREFIX:
        starts = str_starts(name, t->old_value);
        return starts ? arena_join(a, t->value, str_sub(name, t->old_value.n, name.n)) : name;
    case DMS_ACT_REPLACE_SUFFIX:
        ends = str_ends(name, t->old_value);
        return ends ? arena_join(a, str_sub(name, 0, name.n - t->old_value.n), t->value) : name;
    default:
        return name;
    }
}

void dms_target_names(struct arena *a, const struct dms_mapping *m, struct str schema,
                      struct str table, struct str *ret_schema, struct str *ret_table)
{
    bool schema_done = false, table_done = false;
    *ret_schema = schema;
    *ret_table = table;
    for (size_t i = 0; i < m->transforms_n; i++) {
        const struct dms_transform *t = &m->transforms[i];
        if (t->action > DMS_ACT_REPLACE_SUFFIX || !dms_wildcard(t->schema, schema)) {
            continue;
        }
        if (t->target == DMS_TARGET_SCHEMA && !schema_done) {
            *ret_schema = dms_transform_name(a, t, schema);
            schema_done = true;
        } else if (t->target == DMS_TARGET_TABLE && !table_done && dms_wildcard(t->table, table)) {
            *ret_table = dms_transform_name(a, t, table);
            table_done = true;
        }
    }
}

const struct dms_table_settings *dms_table_settings_find(const struct dms_mapping *m,
                                                         struct str schema, struct str table)
{
    for (size_t i = 0; i < m->settings_n; i++) {
        if (str_eq(m->settings[i].schema, schema) && str_eq(m->settings[i].table, table)) {
            return &m->settings[i];
        }
    }
    return NULL;
}
