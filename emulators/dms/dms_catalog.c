/* Tells the readers of a table's files which columns they have and which of them are the key. */
#include "emulators/dms/dms_worker_impl.h"
#include "emulators/facade/catalog.h"

enum status dms_catalog_note(struct core *core, struct arena *a, const struct dms_worker *w,
                             const struct dms_table *t)
{
    struct str *columns = ARENA_ARRAY(a, struct str, t->plan.n + 1);
    struct str *key = ARENA_ARRAY(a, struct str, t->def->pk_n + 1);
    for (size_t i = 0; i < t->plan.n; i++) {
        columns[i] = t->def->columns[t->plan.columns[i].index].name;
    }
    for (size_t i = 0; i < t->def->pk_n; i++) {
        key[i] = t->def->columns[t->def->pk[i]].name;
    }
    struct str location =
        arena_printf(a, "s3://%.*s/%.*s", STR_ARG(w->s3.bucket), STR_ARG(t->prefix));
    return catalog_note_table(
        core, location,
        &(struct catalog_table){ columns, t->plan.n, key, t->def->pk_n, w->s3.csv.timestamp_name });
}
