/* Partitions of a table, one by one and in batches. What is done with one is a function of its own
 * that words its problem; the single operation fails with it, the batch lists it. */
#include "emulators/glue/catalog/catalog_common.h"
#include "server/base/clock.h"

#define BATCH_GET_MAX 1000
#define VALUE_MAX 1024

/* A call's table, and what it says of the partition at hand. */
struct work {
    struct call *c;
    struct catalog_key key;
    struct glue_table *table;
    struct catalog_problem problem;
};

static enum status open_table(struct work *w, struct str catalog_id, struct str database,
                              struct str table)
{
    return catalog_open_table(w->c, catalog_id, database, table, &w->key, &w->table);
}

static enum status missing(struct work *w)
{
    return catalog_refuse(w->c->arena, &w->problem, &glue_EntityNotFoundException,
                          "Cannot find partition.");
}

static enum status exists(struct work *w)
{
    return catalog_refuse(w->c->arena, &w->problem, &glue_AlreadyExistsException,
                          "Partition already exists.");
}

/* One value per partition key, none too long. */
static enum status check_values(struct work *w, const struct glue_value_string_list *values)
{
    if (values->n != w->table->PartitionKeys.n) {
        return catalog_refuse(w->c->arena, &w->problem, &glue_InvalidInputException,
                              "The number of partition keys do not match the number of partition "
                              "values");
    }
    for (size_t i = 0; i < values->n; i++) {
        if (values->v[i].n < 1 || values->v[i].n > VALUE_MAX) {
            return catalog_refuse(w->c->arena, &w->problem, &glue_InvalidInputException,
                                  "A partition value has 1 to %d bytes, not %zu.", VALUE_MAX,
                                  values->v[i].n);
        }
    }
    return ST_OK;
}

static struct glue_partition partition_from(struct arena *a, const struct glue_partition_input *in,
                                            const struct catalog_key *key, int64_t created_ms)
{
    catalog_fill_storage(a, in->StorageDescriptor);
    return (struct glue_partition){
        .Values = in->Values,
        .CreationTime = OPT_TIME(created_ms),
        .LastAccessTime = in->LastAccessTime,
        .StorageDescriptor = in->StorageDescriptor,
        .Parameters = in->Parameters,
        .LastAnalyzedTime = in->LastAnalyzedTime,
        .CatalogId = key->owner.account,
    };
}

/* --- one -------------------------------------------------------------------------------------- */
static enum status create_one(struct work *w, const struct glue_partition_input *in)
{
    struct call *c = w->c;
    enum status st = check_values(w, &in->Values);
    if (st != ST_OK) {
        return st;
    }
    struct glue_partition partition = partition_from(c->arena, in, &w->key, clock_now_ms());
    st = catalog_add_partition(c->db, c->arena, &w->key, &partition);
    return st == ST_EXISTS ? exists(w) : st;
}

/* Without values in the input the partition keeps its own. */
static enum status update_one(struct work *w, const struct glue_value_string_list *values,
                              struct glue_partition_input *in)
{
    struct call *c = w->c;
    struct glue_partition *old;
    if (!in->Values.n) {
        in->Values = *values;
    }
    enum status st = check_values(w, &in->Values);
    st = st == ST_OK ? catalog_partition(c->db, c->arena, &w->key, values, &old) : st;
    if (st == ST_OK) {
        struct glue_partition partition =
            partition_from(c->arena, in, &w->key, old->CreationTime.ms);
        st = catalog_set_partition(c->db, c->arena, &w->key, values, &partition);
    }
    return st == ST_EXISTS ? exists(w) : st == ST_NOT_FOUND ? missing(w) : st;
}

static enum status delete_one(struct work *w, const struct glue_value_string_list *values)
{
    enum status st = catalog_delete_partition(w->c->db, w->c->arena, &w->key, values);
    return st == ST_NOT_FOUND ? missing(w) : st;
}

enum status glue_create_partition(struct call *c, const struct glue_create_partition_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    struct work w = { .c = c };
    enum status st = open_table(&w, CATALOG_TABLE_OF(in));
    st = st == ST_OK ? create_one(&w, in->PartitionInput) : st;
    return catalog_end(c, st, &w.problem);
}

enum status glue_get_partition(struct call *c, const struct glue_get_partition_request *in,
                               struct glue_get_partition_response *ret_out)
{
    struct work w = { .c = c };
    enum status st = open_table(&w, CATALOG_TABLE_OF(in));
    st = st == ST_OK
             ? catalog_partition(c->db, c->arena, &w.key, &in->PartitionValues, &ret_out->Partition)
             : st;
    return catalog_end(c, st == ST_NOT_FOUND ? missing(&w) : st, &w.problem);
}

enum status glue_update_partition(struct call *c, const struct glue_update_partition_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    struct work w = { .c = c };
    const struct glue_value_string_list values = { in->PartitionValueList.n,
                                                   in->PartitionValueList.v };
    enum status st = open_table(&w, CATALOG_TABLE_OF(in));
    st = st == ST_OK ? update_one(&w, &values, in->PartitionInput) : st;
    return catalog_end(c, st, &w.problem);
}

enum status glue_delete_partition(struct call *c, const struct glue_delete_partition_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    struct work w = { .c = c };
    enum status st = open_table(&w, CATALOG_TABLE_OF(in));
    st = st == ST_OK ? delete_one(&w, &in->PartitionValues) : st;
    return catalog_end(c, st, &w.problem);
}

/* --- many ------------------------------------------------------------------------------------- */
/* What an item's problem says, for the answer: *st is ST_OK again. NULL: there is none, or
 * something that ends the batch. */
static struct glue_error_detail *item_problem(struct work *w, enum status *st)
{
    if (*st != ST_AWS || !w->problem.error) {
        return NULL;
    }
    struct glue_error_detail *detail = catalog_error_detail(w->c->arena, &w->problem);
    w->problem = (struct catalog_problem){ 0 };
    *st = ST_OK;
    return detail;
}

/* After what was done with an item. */
static enum status note(struct work *w, enum status st, struct glue_value_string_list values,
                        struct glue_partition_errors *errors)
{
    struct glue_error_detail *detail = item_problem(w, &st);
    if (detail) {
        ARENA_GROW(w->c->arena, errors->v, errors->n);
        errors->v[errors->n++] = (struct glue_partition_error){ values, detail };
    }
    return st;
}

enum status glue_batch_create_partition(struct call *c,
                                        const struct glue_batch_create_partition_request *in,
                                        struct glue_batch_create_partition_response *ret_out)
{
    struct work w = { .c = c };
    enum status st = catalog_check_count(c, "partitionInputList", in->PartitionInputList.n,
                                         CATALOG_BATCH_CREATE_MAX);
    st = st == ST_OK ? open_table(&w, CATALOG_TABLE_OF(in)) : st;
    ret_out->Errors.v = ARENA_NEW(c->arena, struct glue_partition_error);
    for (size_t i = 0; st == ST_OK && i < in->PartitionInputList.n; i++) {
        const struct glue_partition_input *one = &in->PartitionInputList.v[i];
        st = note(&w, create_one(&w, one), one->Values, &ret_out->Errors);
    }
    return call_status(c, st);
}

enum status glue_batch_delete_partition(struct call *c,
                                        const struct glue_batch_delete_partition_request *in,
                                        struct glue_batch_delete_partition_response *ret_out)
{
    struct work w = { .c = c };
    enum status st = catalog_check_count(c, "partitionsToDelete", in->PartitionsToDelete.n,
                                         CATALOG_BATCH_DELETE_MAX);
    st = st == ST_OK ? open_table(&w, CATALOG_TABLE_OF(in)) : st;
    ret_out->Errors.v = ARENA_NEW(c->arena, struct glue_partition_error);
    for (size_t i = 0; st == ST_OK && i < in->PartitionsToDelete.n; i++) {
        const struct glue_value_string_list *values = &in->PartitionsToDelete.v[i].Values;
        st = note(&w, delete_one(&w, values), *values, &ret_out->Errors);
    }
    return call_status(c, st);
}

enum status glue_batch_update_partition(struct call *c,
                                        const struct glue_batch_update_partition_request *in,
                                        struct glue_batch_update_partition_response *ret_out)
{
    struct work w = { .c = c };
    struct glue_batch_update_partition_failure_list *errors = &ret_out->Errors;
    enum status st = catalog_check_count(c, "entries", in->Entries.n, CATALOG_BATCH_CREATE_MAX);
    st = st == ST_OK ? open_table(&w, CATALOG_TABLE_OF(in)) : st;
    errors->v = ARENA_NEW(c->arena, struct glue_batch_update_partition_failure_entry);
    for (size_t i = 0; st == ST_OK && i < in->Entries.n; i++) {
        struct glue_batch_update_partition_request_entry *e = &in->Entries.v[i];
        const struct glue_value_string_list values = { e->PartitionValueList.n,
                                                       e->PartitionValueList.v };
        st = update_one(&w, &values, e->PartitionInput);
        struct glue_error_detail *detail = item_problem(&w, &st);
        if (detail) {
            ARENA_GROW(c->arena, errors->v, errors->n);
            errors->v[errors->n++] =
                (struct glue_batch_update_partition_failure_entry){ e->PartitionValueList, detail };
        }
    }
    return call_status(c, st);
}

/* Partitions that aren't there are left out: UnprocessedKeys are for what a call had no time for.
 */
enum status glue_batch_get_partition(struct call *c,
                                     const struct glue_batch_get_partition_request *in,
                                     struct glue_batch_get_partition_response *ret_out)
{
    struct work w = { .c = c };
    struct glue_partition_list *out = &ret_out->Partitions;
    enum status st =
        catalog_check_count(c, "partitionsToGet", in->PartitionsToGet.n, BATCH_GET_MAX);
    st = st == ST_OK ? open_table(&w, CATALOG_TABLE_OF(in)) : st;
    out->v = ARENA_ARRAY(c->arena, struct glue_partition, in->PartitionsToGet.n + 1);
    ret_out->UnprocessedKeys.v = ARENA_NEW(c->arena, struct glue_partition_value_list);
    for (size_t i = 0; st == ST_OK && i < in->PartitionsToGet.n; i++) {
        struct glue_partition *p;
        st = catalog_partition(c->db, c->arena, &w.key, &in->PartitionsToGet.v[i].Values, &p);
        if (st == ST_OK) {
            out->v[out->n++] = *p;
        } else if (st == ST_NOT_FOUND) {
            st = ST_OK;
        }
    }
    return call_status(c, st);
}
