/* Partitions of a table, one by one and in batches. What is done with one is a function of its own
 * that words its problem; the single operation fails with it, the batch lists it. */
#include "emulators/glue/catalog/catalog_common.h"
#include "server/base/clock.h"

#define BATCH_GET_MAX 1000
#define VALUE_MAX 1024

/* The table of the call, or the call failed. */
static enum status open_table(struct call *c, struct str catalog_id, struct str database,
                              struct str table, struct catalog_key *ret_key,
                              struct glue_table **ret)
{
    enum status st = catalog_key_of(c, catalog_id, database, table, ret_key);
    return st == ST_OK ? catalog_require_table(c, ret_key, ret) : st;
}

static enum status missing(struct arena *a, struct catalog_problem *p)
{
    return catalog_refuse(a, p, &glue_EntityNotFoundException, "Cannot find partition.");
}

/* One value per partition key, none too long. */
static enum status check_values(struct arena *a, const struct glue_table *table,
                                const struct glue_value_string_list *values,
                                struct catalog_problem *p)
{
    if (values->n != table->PartitionKeys.n) {
        return catalog_refuse(a, p, &glue_InvalidInputException,
                              "The number of partition keys do not match the number of partition "
                              "values");
    }
    for (size_t i = 0; i < values->n; i++) {
        if (values->v[i].n < 1 || values->v[i].n > VALUE_MAX) {
            return catalog_refuse(a, p, &glue_InvalidInputException,
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

/* --- one ---------------------------------------------------------------------------------------
 */
static enum status create_one(struct call *c, const struct catalog_key *key,
                              const struct glue_table *table, const struct glue_partition_input *in,
                              struct catalog_problem *p)
{
    enum status st = check_values(c->arena, table, &in->Values, p);
    if (st != ST_OK) {
        return st;
    }
    struct glue_partition partition = partition_from(c->arena, in, key, clock_now_ms());
    st = catalog_add_partition(c->db, c->arena, key, &partition);
    return st == ST_EXISTS ? catalog_refuse(c->arena, p, &glue_AlreadyExistsException,
                                            "Partition already exists.")
                           : st;
}

/* Without values in the input the partition keeps its own. */
static enum status update_one(struct call *c, const struct catalog_key *key,
                              const struct glue_table *table,
                              const struct glue_value_string_list *values,
                              struct glue_partition_input *in, struct catalog_problem *p)
{
    struct glue_partition *old;
    if (!in->Values.n) {
        in->Values = *values;
    }
    enum status st = check_values(c->arena, table, &in->Values, p);
    st = st == ST_OK ? catalog_partition(c->db, c->arena, key, values, &old) : st;
    if (st == ST_OK) {
        struct glue_partition partition = partition_from(c->arena, in, key, old->CreationTime.ms);
        st = catalog_set_partition(c->db, c->arena, key, values, &partition);
    }
    if (st == ST_EXISTS) {
        return catalog_refuse(c->arena, p, &glue_AlreadyExistsException,
                              "Partition already exists.");
    }
    return st == ST_NOT_FOUND ? missing(c->arena, p) : st;
}

static enum status delete_one(struct call *c, const struct catalog_key *key,
                              const struct glue_value_string_list *values,
                              struct catalog_problem *p)
{
    enum status st = catalog_delete_partition(c->db, c->arena, key, values);
    return st == ST_NOT_FOUND ? missing(c->arena, p) : st;
}

enum status glue_create_partition(struct call *c, const struct glue_create_partition_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    struct catalog_key key;
    struct glue_table *table;
    struct catalog_problem p = { 0 };
    enum status st = open_table(c, in->CatalogId, in->DatabaseName, in->TableName, &key, &table);
    st = st == ST_OK ? create_one(c, &key, table, in->PartitionInput, &p) : st;
    return catalog_end(c, st, &p);
}

enum status glue_get_partition(struct call *c, const struct glue_get_partition_request *in,
                               struct glue_get_partition_response *ret_out)
{
    struct catalog_key key;
    struct glue_table *table;
    struct catalog_problem p = { 0 };
    enum status st = open_table(c, in->CatalogId, in->DatabaseName, in->TableName, &key, &table);
    st = st == ST_OK
             ? catalog_partition(c->db, c->arena, &key, &in->PartitionValues, &ret_out->Partition)
             : st;
    return catalog_end(c, st == ST_NOT_FOUND ? missing(c->arena, &p) : st, &p);
}

enum status glue_update_partition(struct call *c, const struct glue_update_partition_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    struct catalog_key key;
    struct glue_table *table;
    struct catalog_problem p = { 0 };
    const struct glue_value_string_list values = { in->PartitionValueList.n,
                                                   in->PartitionValueList.v };
    enum status st = open_table(c, in->CatalogId, in->DatabaseName, in->TableName, &key, &table);
    st = st == ST_OK ? update_one(c, &key, table, &values, in->PartitionInput, &p) : st;
    return catalog_end(c, st, &p);
}

enum status glue_delete_partition(struct call *c, const struct glue_delete_partition_request *in,
                                  void *ret_out)
{
    (void)ret_out;
    struct catalog_key key;
    struct glue_table *table;
    struct catalog_problem p = { 0 };
    enum status st = open_table(c, in->CatalogId, in->DatabaseName, in->TableName, &key, &table);
    st = st == ST_OK ? delete_one(c, &key, &in->PartitionValues, &p) : st;
    return catalog_end(c, st, &p);
}

/* --- many --------------------------------------------------------------------------------------
 */
/* A problem becomes an item of the answer; anything else ends the batch. */
static enum status note(struct call *c, enum status st, const struct catalog_problem *p,
                        struct glue_value_string_list values, struct glue_partition_errors *errors)
{
    if (st != ST_AWS || !p->error) {
        return st;
    }
    ARENA_GROW(c->arena, errors->v, errors->n);
    errors->v[errors->n++] =
        (struct glue_partition_error){ values, catalog_error_detail(c->arena, p) };
    return ST_OK;
}

enum status glue_batch_create_partition(struct call *c,
                                        const struct glue_batch_create_partition_request *in,
                                        struct glue_batch_create_partition_response *ret_out)
{
    struct catalog_key key;
    struct glue_table *table;
    struct glue_partition_errors *errors = &ret_out->Errors;
    enum status st = catalog_check_count(c, "partitionInputList", in->PartitionInputList.n,
                                         CATALOG_BATCH_CREATE_MAX);
    st = st == ST_OK ? open_table(c, in->CatalogId, in->DatabaseName, in->TableName, &key, &table)
                     : st;
    errors->v = ARENA_NEW(c->arena, struct glue_partition_error);
    for (size_t i = 0; st == ST_OK && i < in->PartitionInputList.n; i++) {
        const struct glue_partition_input *one = &in->PartitionInputList.v[i];
        struct catalog_problem p = { 0 };
        st = create_one(c, &key, table, one, &p);
        st = note(c, st, &p, one->Values, errors);
    }
    return call_status(c, st);
}

enum status glue_batch_delete_partition(struct call *c,
                                        const struct glue_batch_delete_partition_request *in,
                                        struct glue_batch_delete_partition_response *ret_out)
{
    struct catalog_key key;
    struct glue_table *table;
    struct glue_partition_errors *errors = &ret_out->Errors;
    enum status st = catalog_check_count(c, "partitionsToDelete", in->PartitionsToDelete.n,
                                         CATALOG_BATCH_DELETE_MAX);
    st = st == ST_OK ? open_table(c, in->CatalogId, in->DatabaseName, in->TableName, &key, &table)
                     : st;
    errors->v = ARENA_NEW(c->arena, struct glue_partition_error);
    for (size_t i = 0; st == ST_OK && i < in->PartitionsToDelete.n; i++) {
        struct catalog_problem p = { 0 };
        st = delete_one(c, &key, &in->PartitionsToDelete.v[i].Values, &p);
        st = note(c, st, &p, in->PartitionsToDelete.v[i].Values, errors);
    }
    return call_status(c, st);
}

enum status glue_batch_update_partition(struct call *c,
                                        const struct glue_batch_update_partition_request *in,
                                        struct glue_batch_update_partition_response *ret_out)
{
    struct catalog_key key;
    struct glue_table *table;
    struct glue_batch_update_partition_failure_list *errors = &ret_out->Errors;
    enum status st = catalog_check_count(c, "entries", in->Entries.n, CATALOG_BATCH_CREATE_MAX);
    st = st == ST_OK ? open_table(c, in->CatalogId, in->DatabaseName, in->TableName, &key, &table)
                     : st;
    errors->v = ARENA_NEW(c->arena, struct glue_batch_update_partition_failure_entry);
    for (size_t i = 0; st == ST_OK && i < in->Entries.n; i++) {
        struct catalog_problem p = { 0 };
        struct glue_batch_update_partition_request_entry *e = &in->Entries.v[i];
        const struct glue_value_string_list values = { e->PartitionValueList.n,
                                                       e->PartitionValueList.v };
        st = update_one(c, &key, table, &values, e->PartitionInput, &p);
        if (st == ST_AWS && p.error) {
            ARENA_GROW(c->arena, errors->v, errors->n);
            errors->v[errors->n++] = (struct glue_batch_update_partition_failure_entry){
                e->PartitionValueList, catalog_error_detail(c->arena, &p)
            };
            st = ST_OK;
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
    struct catalog_key key;
    struct glue_table *table;
    struct glue_partition_list *out = &ret_out->Partitions;
    enum status st =
        catalog_check_count(c, "partitionsToGet", in->PartitionsToGet.n, BATCH_GET_MAX);
    st = st == ST_OK ? open_table(c, in->CatalogId, in->DatabaseName, in->TableName, &key, &table)
                     : st;
    out->v = ARENA_ARRAY(c->arena, struct glue_partition, in->PartitionsToGet.n + 1);
    ret_out->UnprocessedKeys.v = ARENA_NEW(c->arena, struct glue_partition_value_list);
    for (size_t i = 0; st == ST_OK && i < in->PartitionsToGet.n; i++) {
        struct glue_partition *p;
        st = catalog_partition(c->db, c->arena, &key, &in->PartitionsToGet.v[i].Values, &p);
        if (st == ST_OK) {
            out->v[out->n++] = *p;
        } else if (st == ST_NOT_FOUND) {
            st = ST_OK;
        }
    }
    return call_status(c, st);
}
