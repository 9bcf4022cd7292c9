/* Arguments of a run, as "Passing and accessing Python parameters" of the Glue guide orders them.
 */
#include "emulators/glue/glue_internal.h"

static struct glue_generic_map_entry *find(const struct glue_generic_map *map, struct str key)
{
    for (size_t i = 0; i < map->n; i++) {
        if (str_eq(map->v[i].key, key)) {
            return &map->v[i];
        }
    }
    return NULL;
}

static void overlay(struct glue_generic_map *all, const struct glue_generic_map *more)
{
    for (size_t i = 0; i < more->n; i++) {
        struct glue_generic_map_entry *old = find(all, more->v[i].key);
        if (old) {
            old->value = more->v[i].value;
        } else {
            all->v[all->n++] = more->v[i];
        }
    }
}

struct glue_generic_map glue_args_merge(struct arena *a, const struct glue_job *job,
                                        const struct glue_job_run *run)
{
    size_t most = job->DefaultArguments.n + run->Arguments.n + job->NonOverridableArguments.n;
    struct glue_generic_map all = { 0, ARENA_ARRAY(a, struct glue_generic_map_entry, most + 1) };
    overlay(&all, &job->DefaultArguments);
    overlay(&all, &run->Arguments);
    overlay(&all, &job->NonOverridableArguments);
    return all;
}

struct str glue_arg(const struct glue_generic_map *args, const char *name)
{
    for (size_t i = 0; i < args->n; i++) {
        if (str_starts(args->v[i].key, STR("--")) &&
            str_eqz(str_sub(args->v[i].key, 2, args->v[i].key.n), name)) {
            return args->v[i].value;
        }
    }
    return STR_NONE;
}

bool glue_flag(const struct glue_generic_map *args, const char *name)
{
    struct str value = glue_arg(args, name);
    return str_set(value) && (value.n == 0 || str_ieqz(value, "true"));
}
