/* GetPartitions: choosing by expression and segment before a document is read. */
#include "emulators/glue/catalog/catalog_common.h"
#include "emulators/glue/catalog/catalog_expression.h"

#define PARTITIONS_PAGE 1000
#define SEGMENTS_MAX 10

/* What a listing keeps. */
struct choice {
    struct arena *arena;
    const struct catalog_expression *expression; /* NULL: all */
    int64_t segment, segments;                   /* 0 segments: all */
    struct str why;                              /* when the expression can't be decided */
};

/* The same in every process: segments must not change between two calls. */
static uint64_t hash_of(const struct glue_value_string_list *values)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < values->n; i++) {
        for (size_t k = 0; k < values->v[i].n; k++) {
            h = (h ^ (unsigned char)values->v[i].p[k]) * UINT64_C(1099511628211);
        }
        h = (h ^ 0xffu) * UINT64_C(1099511628211);
    }
    return h ^ h >> 32;
}

static enum status keep(void *arg, const struct glue_value_string_list *values, bool *ret_keep)
{
    struct choice *c = arg;
    *ret_keep = !c->segments || hash_of(values) % (uint64_t)c->segments == (uint64_t)c->segment;
    return *ret_keep && c->expression
               ? catalog_expression_holds(c->expression, c->arena, values, ret_keep, &c->why)
               : ST_OK;
}

static enum status read_segment(struct call *c, const struct glue_segment *s, struct choice *choice)
{
    if (!s) {
        return ST_OK;
    }
    if (s->TotalSegments.v < 1 || s->TotalSegments.v > SEGMENTS_MAX || s->SegmentNumber.v < 0 ||
        s->SegmentNumber.v >= s->TotalSegments.v) {
        return call_fail(c, &glue_InvalidInputException,
                         "Segment: TotalSegments must be 1 to %d and SegmentNumber from 0 to "
                         "TotalSegments - 1.",
                         SEGMENTS_MAX);
    }
    choice->segment = s->SegmentNumber.v;
    choice->segments = s->TotalSegments.v;
    return ST_OK;
}

static enum status read_choice(struct call *c, const struct glue_get_partitions_request *in,
                               const struct glue_table *table, struct choice *choice)
{
    struct catalog_expression *expression;
    *choice = (struct choice){ .arena = c->arena };
    enum status st = read_segment(c, in->Segment, choice);
    if (st != ST_OK || str_empty(str_trim(in->Expression))) {
        return st;
    }
    st = catalog_expression_read(c->arena, in->Expression, &table->PartitionKeys, &expression,
                                 &choice->why);
    if (st != ST_OK) {
        return call_fail(c, &glue_InvalidInputException, "%.*s", STR_ARG(choice->why));
    }
    choice->expression = expression;
    return ST_OK;
}

enum status glue_get_partitions(struct call *c, const struct glue_get_partitions_request *in,
                                struct glue_get_partitions_response *ret_out)
{
    struct catalog_key key;
    struct glue_table *table;
    struct catalog_page page;
    struct choice choice;
    struct glue_partition_list *out = &ret_out->Partitions;
    const struct catalog_missing missing[] = {
        { "QueryAsOfTime (governed tables)", in->QueryAsOfTime.set },
        { "TransactionId (governed tables)", str_set(in->TransactionId) },
        { NULL, false },
    };
    enum status st = catalog_refuse_missing(c, missing);
    st = st == ST_OK ? catalog_open_table(c, CATALOG_TABLE_OF(in), &key, &table) : st;
    st = st == ST_OK ? catalog_page_of(c, in->NextToken, in->MaxResults, PARTITIONS_PAGE, &page)
                     : st;
    st = st == ST_OK ? read_choice(c, in, table, &choice) : st;
    if (st != ST_OK) {
        return st;
    }
    bool all = !choice.expression && !choice.segments;
    const struct catalog_value_filter filter = { keep, &choice };
    st = catalog_partitions(c->db, c->arena, &key, page, all ? NULL : &filter, out);
    if (st == ST_INVALID && str_set(choice.why)) {
        return call_fail(c, &glue_InvalidStateException, "%.*s", STR_ARG(choice.why));
    }
    if (st == ST_OK && (int64_t)out->n > page.limit) {
        out->n = (size_t)page.limit;
        ret_out->NextToken =
            catalog_token(c->arena, catalog_partition_token(c->arena, &out->v[out->n - 1].Values));
    }
    for (size_t i = 0; in->ExcludeColumnSchema.v && i < out->n; i++) {
        if (out->v[i].StorageDescriptor) {
            out->v[i].StorageDescriptor->Columns.n = 0;
        }
    }
    return call_status(c, st);
}
