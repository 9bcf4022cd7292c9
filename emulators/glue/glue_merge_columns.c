#include "emulators/glue/glue_merge_columns.h"

static bool is_columns(const struct glue_note *note)
{
    return note->kind != GLUE_NOTE_EMPTIED;
}

static ptrdiff_t find(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(names[i], name)) {
            return (ptrdiff_t)i;
        }
    }
    return -1;
}

/* Names before and after one change of the table. */
struct step {
    const struct str *old_places, *new_places, *new_columns;
    size_t n_old, n_new, n_columns;
    bool renamed;
};

static struct step step_of(struct arena *a, const struct glue_note *from,
                           const struct glue_note *to)
{
    struct step s = { .renamed = to->renamed };
    s.old_places = glue_ledger_names(a, from->places, &s.n_old);
    s.new_places = glue_ledger_names(a, to->places, &s.n_new);
    s.new_columns = glue_ledger_names(a, to->columns, &s.n_columns);
    return s;
}

/* What the column is called after the step; absent: it went. */
static struct str follow(const struct step *s, struct str name)
{
    if (!str_set(name) || find(s->new_columns, s->n_columns, name) >= 0) {
        return name;
    }
    ptrdiff_t at = find(s->old_places, s->n_old, name);
    if (at < 0) {
        return name; /* none of the source's: somebody added it to the data set */
    }
    if (!s->renamed || s->n_old != s->n_new) {
        return STR_NONE;
    }
    struct str other = s->new_places[at];
    bool is_new =
        find(s->old_places, s->n_old, other) < 0 && find(s->new_columns, s->n_columns, other) >= 0;
    return is_new ? other : STR_NONE;
}

/* Follows all changes after the note at index `from`. */
static const struct str *follow_all(const struct merge_plan *plan, size_t from,
                                    const struct str *names, size_t n)
{
    struct str *now = ARENA_ARRAY(plan->arena, struct str, n + 1);
    const struct glue_note *last = &plan->notes[from];
    for (size_t i = 0; i < n; i++) {
        now[i] = names[i];
    }
    for (size_t k = from + 1; k < plan->n_notes; k++) {
        if (!is_columns(&plan->notes[k])) {
            continue;
        }
        struct step s = step_of(plan->arena, last, &plan->notes[k]);
        for (size_t i = 0; i < n; i++) {
            now[i] = follow(&s, now[i]);
        }
        last = &plan->notes[k];
    }
    return now;
}

/* Does the note say what this file looks like? Names of change files are times. */
static bool speaks_of(const struct glue_note *note, const struct merge_source_file *file)
{
    struct str stamp, extension;
    if (!is_columns(note) || file->load) {
        return note->kind == GLUE_NOTE_LOAD;
    }
    str_cut(merge_base_name(file->object.key), '.', &stamp, &extension);
    return str_cmp(stamp, note->after) > 0;
}

const struct str *merge_columns_of(const struct merge_plan *plan,
                                   const struct merge_source_file *file, size_t *ret_n)
{
    size_t found = plan->n_notes;
    for (size_t i = 0; i < plan->n_notes; i++) {
        if (speaks_of(&plan->notes[i], file)) {
            found = i;
        }
    }
    *ret_n = 0;
    if (found == plan->n_notes) {
        return NULL;
    }
    const struct str *names = glue_ledger_names(plan->arena, plan->notes[found].columns, ret_n);
    return follow_all(plan, found, names, *ret_n);
}

const struct str *merge_columns_now(const struct merge_plan *plan, const struct str *names,
                                    size_t n)
{
    for (size_t i = 0; i < plan->n_notes; i++) {
        if (is_columns(&plan->notes[i]) && plan->notes[i].id >= plan->columns_seen) {
            return follow_all(plan, i, names, n);
        }
    }
    return NULL;
}
