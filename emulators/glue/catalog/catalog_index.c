/* Partition indexes: names for groups of partition keys. They speed nothing up here, where a
 * listing walks the values in order anyway, but whoever asks sees what was defined. */
#include "emulators/glue/catalog/catalog_common.h"
#include "server/base/mem.h"

#define INDEXES_MAX 3

static const struct glue_column *find_key(const struct glue_table *table, struct str name)
{
    for (size_t i = 0; i < table->PartitionKeys.n; i++) {
        if (str_ieq(table->PartitionKeys.v[i].Name, name)) {
            return &table->PartitionKeys.v[i];
        }
    }
    return NULL;
}

enum status catalog_create_index(struct call *c, const struct catalog_key *key,
                                 const struct glue_table *table,
                                 const struct glue_partition_index *index)
{
    struct catalog_index *have;
    size_t n_have;
    enum status st = catalog_check_name(c, "partitionIndex.indexName", index->IndexName);
    st = st == ST_OK ? catalog_check_count(c, "partitionIndex.keys", index->Keys.n,
                                           table->PartitionKeys.n ? table->PartitionKeys.n : 1)
                     : st;
    for (size_t i = 0; st == ST_OK && i < index->Keys.n; i++) {
        if (!find_key(table, index->Keys.v[i])) {
            return call_fail(c, &glue_InvalidInputException,
                             "Index key '%.*s' isn't a partition key of the table.",
                             STR_ARG(index->Keys.v[i]));
        }
    }
    st = st == ST_OK ? call_status(c, catalog_indexes(c->db, c->arena, key, &have, &n_have)) : st;
    if (st == ST_OK && n_have >= INDEXES_MAX) {
        return call_fail(c, &glue_ResourceNumberLimitExceededException,
                         "A table has at most %d partition indexes.", INDEXES_MAX);
    }
    st = st == ST_OK ? catalog_add_index(c->db, c->arena, key, index->IndexName, &index->Keys) : st;
    if (st == ST_EXISTS) {
        return call_fail(c, &glue_AlreadyExistsException,
                         "Index with the given indexName: %.*s "
                         "already exists.",
                         STR_ARG(index->IndexName));
    }
    return call_status(c, st);
}

enum status glue_create_partition_index(struct call *c,
                                        const struct glue_create_partition_index_request *in,
                                        void *ret_out)
{
    (void)ret_out;
    struct catalog_key key;
    struct glue_table *table;
    enum status st = catalog_open_table(c, CATALOG_TABLE_OF(in), &key, &table);
    return st == ST_OK ? catalog_create_index(c, &key, table, in->PartitionIndex) : st;
}

enum status glue_delete_partition_index(struct call *c,
                                        const struct glue_delete_partition_index_request *in,
                                        void *ret_out)
{
    (void)ret_out;
    struct catalog_key key;
    struct glue_table *table;
    enum status st = catalog_open_table(c, CATALOG_TABLE_OF(in), &key, &table);
    st = st == ST_OK ? catalog_delete_index(c->db, c->arena, &key, in->IndexName) : st;
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException,
                         "Index with the given indexName: %.*s does not exist.",
                         STR_ARG(in->IndexName));
    }
    return call_status(c, st);
}

static struct glue_partition_index_descriptor
describe(struct arena *a, const struct glue_table *table, const struct catalog_index *index)
{
    struct glue_partition_index_descriptor d = { .IndexName = index->label,
                                                 .IndexStatus = STR("ACTIVE") };
    d.Keys.v = ARENA_ARRAY(a, struct glue_key_schema_element, index->n_keys + 1);
    for (size_t i = 0; i < index->n_keys; i++) {
        const struct glue_column *column = find_key(table, index->keys[i]);
        d.Keys.v[d.Keys.n++] =
            (struct glue_key_schema_element){ index->keys[i],
                                              column ? column->Type : STR("string") };
    }
    return d;
}

enum status glue_get_partition_indexes(struct call *c,
                                       const struct glue_get_partition_indexes_request *in,
                                       struct glue_get_partition_indexes_response *ret_out)
{
    struct catalog_key key;
    struct glue_table *table;
    struct catalog_index *index = NULL;
    size_t n = 0;
    enum status st = catalog_open_table(c, CATALOG_TABLE_OF(in), &key, &table);
    st = st == ST_OK ? catalog_indexes(c->db, c->arena, &key, &index, &n) : st;
    if (st == ST_OK) {
        struct glue_partition_index_descriptor_list *out = &ret_out->PartitionIndexDescriptorList;
        out->v = ARENA_ARRAY(c->arena, struct glue_partition_index_descriptor, n + 1);
        for (; out->n < n; out->n++) {
            out->v[out->n] = describe(c->arena, table, &index[out->n]);
        }
    }
    return call_status(c, st);
}
