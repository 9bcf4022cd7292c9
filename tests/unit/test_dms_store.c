/* What is stored of tasks, on a database in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "emulators/dms/dms_store.h"
#include "server/base/log.h"
#include "server/base/mem.h"

static int64_t count(struct db *db, const char *sql)
{
    int64_t n = -1;
    assert_int_equal(db_get_i64(db, &n, sql), ST_OK);
    return n;
}

/* A task with a row in every table that has rows of tasks. */
static struct dms_task_row fill(struct db *db, const char *ident)
{
    const struct str no = STR("");
    struct dms_task_row t = { .arn = str_z(ident),
                              .account = STR("1"),
                              .region = STR("eu"),
                              .ident = str_z(ident),
                              .instance_arn = no,
                              .source_arn = no,
                              .target_arn = no,
                              .type = STR("cdc"),
                              .mappings = no,
                              .settings = no,
                              .state = STR("stopped") };
    const struct dms_table_row table = {
        .schema = STR("s"), .name = STR("t"), .state = no, .counts = { .left_inserts = 1 }
    };
    struct mysql_position at = { 0 };
    struct {
        size_t n;
        struct {
            struct str key, value;
        } * v;
    } tags = { 1, xcalloc(1, sizeof(*tags.v)) };
    tags.v[0].key = tags.v[0].value = STR("k");
    assert_int_equal(dms_store_task_add(db, &t), ST_OK);
    assert_int_equal(dms_store_table_put(db, t.id, &table), ST_OK);
    assert_int_equal(dms_store_reload_add(db, t.id, table.schema, table.name), ST_OK);
    assert_int_equal(mysql_position_set(&at, STR("bin.000001"), 4), ST_OK);
    assert_int_equal(dms_store_xa_start_put(db, t.id, &at), ST_OK);
    assert_int_equal(dms_store_sequence_put(db, t.id, 7), ST_OK);
    t.fresh_ms = 1;
    assert_int_equal(dms_store_task_update(db, &t), ST_OK);
    t.mappings = STR("other");
    assert_int_equal(dms_store_task_update(db, &t), ST_OK); /* noted, since it has run */
    assert_int_equal(tags_set(db, &dms_tags, t.arn, &tags), ST_OK);
    free(tags.v);
    return t;
}

/* Ids are never given twice, so what stayed behind would stay for ever. */
static void a_task_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char *const tables[] = {
        "SELECT count(*) FROM dms_table",    "SELECT count(*) FROM dms_table_left",
        "SELECT count(*) FROM dms_reload",   "SELECT count(*) FROM dms_xa_start",
        "SELECT count(*) FROM dms_sequence", "SELECT count(*) FROM dms_remap",
    };
    struct db *db;
    assert_int_equal(db_open(":memory:", DB_WRITE, &db), ST_OK);
    assert_int_equal(db_script(db, dms_schema_sql), ST_OK);
    assert_int_equal(count(db, "SELECT count(*) FROM sqlite_master m JOIN pragma_table_info(m.name)"
                               " c WHERE m.type='table' AND c.name='task'"),
                     ARRAY_LEN(tables));
    struct dms_task_row first = fill(db, "first"), second = fill(db, "second");
    assert_int_equal(dms_store_task_delete(db, &first), ST_OK);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        if (count(db, tables[i]) != 1) {
            fail_msg("%s is %d", tables[i], (int)count(db, tables[i]));
        }
    }
    assert_int_equal(count(db, "SELECT count(*) FROM dms_tag"), 1);
    assert_int_equal(dms_store_task_delete(db, &first), ST_NOT_FOUND);
    assert_int_equal(dms_store_task_delete(db, &second), ST_OK);
    assert_int_equal(count(db, "SELECT count(*) FROM dms_tag"), 0);
    db_close(db);
}

int main(void)
{
    status_ignore(log_configure("error"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
