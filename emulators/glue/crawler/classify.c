#include "emulators/glue/crawler/classify.h"

#include "server/base/map.h"
#include "server/base/mem.h"

bool schema_known(const struct schema *s)
{
    return !str_eqz(s->classification, "UNKNOWN");
}

static void set_unknown(const struct sample *s, struct str why, struct schema *ret)
{
    *ret = (struct schema){ .classification = STR("UNKNOWN"),
                            .compression = s->compression,
                            .why = why };
}

static bool classify_built_in(struct arena *a, const struct sample *s, struct schema *ret,
                              struct str *ret_why)
{
    if (str_starts(s->head, STR("PAR1"))) {
        return classify_parquet(a, s, ret, ret_why);
    }
    if (str_starts(s->head, STR("Obj\x01"))) {
        return classify_avro(a, s, ret, ret_why);
    }
    if (str_starts(s->head, STR("ORC"))) {
        *ret_why = STR("it is an ORC file, which this crawler can't read: write Parquet instead");
        return false;
    }
    *ret_why = STR("it is neither Parquet, Avro, JSON nor CSV with at least two columns and rows");
    return classify_json(a, s, STR_NONE, ret) || classify_csv(a, s, NULL, ret);
}

void classify(struct arena *a, const struct sample *s, const struct classifier *custom,
              size_t n_custom, struct schema *ret)
{
    struct str why = STR("it is empty");
    for (size_t i = 0; i < n_custom && s->head.n; i++) {
        const struct classifier *c = &custom[i];
        bool fits = c->json ? classify_json(a, s, c->json_path, ret) : classify_csv(a, s, c, ret);
        if (fits) {
            ret->compression = s->compression;
            return;
        }
    }
    if (!s->head.n || !classify_built_in(a, s, ret, &why)) {
        set_unknown(s, why, ret);
        return;
    }
    ret->compression = s->compression;
}

struct schema schema_copy(struct arena *a, const struct schema *s)
{
    struct schema copy = *s;
    copy.columns = hive_copy(a, s->columns, s->n);
    copy.json_path = arena_str(a, s->json_path);
    copy.avro_schema = arena_str(a, s->avro_schema);
    copy.why = arena_str(a, s->why);
    return copy;
}

/* --- several files ---------------------------------------------------------------------------- */
static bool same_csv(const struct csv_facts *x, const struct csv_facts *y)
{
    return x->delimiter == y->delimiter && x->quote == y->quote && x->header == y->header &&
           x->open_serde == y->open_serde;
}

bool schema_same_format(const struct schema *x, const struct schema *y)
{
    return str_eq(x->classification, y->classification) && str_eq(x->compression, y->compression) &&
           str_eq(x->json_path, y->json_path) && same_csv(&x->csv, &y->csv);
}

double schema_similarity(const struct schema *x, const struct schema *y)
{
    size_t wider = x->n > y->n ? x->n : y->n, common = 0;
    if (wider == 0) {
        return 1;
    }
    struct map names;
    map_init(&names);
    CLEANUP(arena_freep) struct arena *scratch = arena_new(HIVE_FIELDS_MAX * (size_t)1024);
    for (size_t i = 0; i < x->n; i++) {
        (void)map_put(&names, arena_lower(scratch, x->columns[i].name), &x->columns[i]);
    }
    for (size_t i = 0; i < y->n; i++) {
        const struct hive_field *same = map_get(&names, arena_lower(scratch, y->columns[i].name));
        common += same && hive_compatible(same->type, y->columns[i].type);
    }
    map_fini(&names);
    return (double)common / (double)wider;
}

struct schema schema_merge(struct arena *a, const struct schema *x, const struct schema *y)
{
    struct schema merged = *x;
    hive_unite(a, &merged.columns, &merged.n, y->columns, y->n);
    merged.csv.quoted = x->csv.quoted || y->csv.quoted;
    merged.records = x->records + y->records;
    merged.exact = x->exact && y->exact;
    merged.sampled_bytes = x->sampled_bytes + y->sampled_bytes;
    return merged;
}
