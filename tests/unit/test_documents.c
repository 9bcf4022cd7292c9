/* server/documents.c, server/tags.c and server/store/db_read.c on a database in memory. */
#include "server/base/log.h"
#include "server/documents.h"
#include "server/store/db_read.h"
#include "server/tags.h"
#include "tests/unit/wire_model.h"

struct t_answer {
    struct str Other;
    struct t_node *Node;
    struct t_nodes Nodes;
};
static const struct field answer_fields[] = {
    { .name = "Other",
      .wire = "Other",
      .shape = &shape_any_string,
      .off = offsetof(struct t_answer, Other) },
    { .name = "Node", .wire = "Node", .shape = &t_node, .off = offsetof(struct t_answer, Node) },
    { .name = "Nodes",
      .wire = "Nodes",
      .shape = &t_nodes,
      .off = offsetof(struct t_answer, Nodes) },
};
static const struct shape answer = { .name = "Answer",
                                     .kind = SHAPE_STRUCT,
                                     .size = sizeof(struct t_answer),
                                     .fields = answer_fields,
                                     .n_fields = ARRAY_LEN(answer_fields) };
static const struct op ops[] = {
    { .name = "DeleteNode", .method = "POST", .uri = "/" },
    { .name = "GetNode", .out = &answer, .method = "POST", .uri = "/", .http_status = 200 },
    { .name = "PutNode", .method = "POST", .uri = "/" },
};

static const struct documents nodes = {
    { ops, ARRAY_LEN(ops), "GetNode", "Node" },
    DOCUMENTS_BY_NAME("node"),
};
/* As lists of one, since no operation answers a single one. */
static const struct documents listed = {
    { ops, ARRAY_LEN(ops), "GetNode", "Nodes" },
    DOCUMENTS_BY_NAME("node"),
};
/* A state beside the document, and two columns within the owner. */
static const struct documents deep = {
    { ops, ARRAY_LEN(ops), "GetNode", "Node" },
    .add = "INSERT INTO deep(account, region, parent, name, state, doc) VALUES(?,?,?,?,?,?)",
    .set = "UPDATE deep SET doc=?, state=? WHERE account=? AND region=? AND parent=? AND name=?",
    DOCUMENTS_READ("deep", DOCUMENTS_OWNED "parent=? AND ", "name"),
};

struct owner {
    struct str account, region;
};
static const struct owner here = { STR_INIT("1"), STR_INIT("eu") };
static const struct owner there = { STR_INIT("1"), STR_INIT("us") };

struct fixture {
    struct db *db;
    struct arena *arena;
};

static int setup(void **state)
{
    static struct fixture f;
    assert_int_equal(db_open(":memory:", DB_WRITE, &f.db), ST_OK);
    assert_int_equal(
        db_script(f.db, "CREATE TABLE node(account TEXT, region TEXT, name TEXT, doc TEXT NOT NULL,"
                        " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"
                        "CREATE TABLE deep(account TEXT, region TEXT, parent TEXT, name TEXT,"
                        " state TEXT NOT NULL, doc TEXT NOT NULL,"
                        " PRIMARY KEY(account, region, parent, name)) WITHOUT ROWID;"),
        ST_OK);
    f.arena = arena_new(TEST_ARENA);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    db_close(f->db);
    arena_free(f->arena);
    return 0;
}

static struct t_node node(const char *name, int64_t size)
{
    return (struct t_node){ .Name = str_z(name), .Size = OPT_I64(size) };
}

static enum status add(struct fixture *f, const struct owner *o, const char *name, int64_t size)
{
    struct t_node n = node(name, size);
    return documents_add(f->db, f->arena, &nodes, DOCUMENT_NAMED(o, n.Name), &n);
}

static void one_is_kept_replaced_and_removed(void **state)
{
    struct fixture *f = *state;
    struct t_node *found = NULL;
    const struct document_key *key = DOCUMENT_NAMED(&here, STR("a"));
    assert_int_equal(documents_get(f->db, f->arena, &nodes, key, &found), ST_NOT_FOUND);
    assert_null(found);
    assert_int_equal(documents_has(f->db, &nodes, key), ST_NOT_FOUND);
    assert_int_equal(add(f, &here, "a", 7), ST_OK);
    assert_int_equal(add(f, &here, "a", 8), ST_EXISTS);
    assert_int_equal(documents_has(f->db, &nodes, key), ST_OK);
    assert_int_equal(documents_has(f->db, &nodes, DOCUMENT_NAMED(&there, STR("a"))), ST_NOT_FOUND);
    assert_int_equal(documents_get(f->db, f->arena, &nodes, key, &found), ST_OK);
    assert_true(str_eqz(found->Name, "a"));
    assert_int_equal(found->Size.v, 7);

    struct t_node other = node("a", 9), missing = node("b", 1);
    assert_int_equal(documents_set(f->db, f->arena, &nodes, key, &other), ST_OK);
    assert_int_equal(documents_get(f->db, f->arena, &nodes, key, &found), ST_OK);
    assert_int_equal(found->Size.v, 9);
    assert_int_equal(
        documents_set(f->db, f->arena, &nodes, DOCUMENT_NAMED(&here, missing.Name), &missing),
        ST_NOT_FOUND);

    assert_int_equal(documents_remove(f->db, &nodes, key), ST_OK);
    assert_int_equal(documents_remove(f->db, &nodes, key), ST_NOT_FOUND);
    assert_int_equal(documents_has(f->db, &nodes, key), ST_NOT_FOUND);
}

/* What a folder of an older version holds: read by the wire's names, and rejected when it isn't. */
static void texts_of_older_folders_are_read(void **state)
{
    struct fixture *f = *state;
    struct t_node *found = NULL;
    struct str text;
    assert_int_equal(db_script(f->db, "INSERT INTO node VALUES"
                                      "('1','eu','old','{\"Node\":{\"Name\":\"x\",\"Size\":5}}'),"
                                      "('1','eu','other','{\"Other\":\"x\"}'),"
                                      "('1','eu','torn','{\"Node\":{')"),
                     ST_OK);
    assert_int_equal(
        documents_get(f->db, f->arena, &nodes, DOCUMENT_NAMED(&here, STR("old")), &found), ST_OK);
    assert_int_equal(found->Size.v, 5);
    assert_int_equal(
        documents_get(f->db, f->arena, &nodes, DOCUMENT_NAMED(&here, STR("other")), &found),
        ST_INVALID);
    assert_int_equal(
        documents_get(f->db, f->arena, &nodes, DOCUMENT_NAMED(&here, STR("torn")), &found),
        ST_INVALID);
    struct t_nodes list;
    assert_int_equal(
        documents_list(f->db, f->arena, &nodes, DOCUMENT_PAGE(&here, STR_NONE, -1), &list),
        ST_INVALID);

    assert_int_equal(add(f, &there, "a", 7), ST_OK);
    assert_int_equal(db_get_str(f->db, f->arena, &text, "SELECT doc FROM node WHERE region='us'"),
                     ST_OK);
    assert_true(str_eqz(text, "{\"Node\":{\"Name\":\"a\",\"Size\":7}}"));
}

static void lists_of_one_are_documents_too(void **state)
{
    struct fixture *f = *state;
    struct t_node n = node("a", 7), *found = NULL;
    struct t_nodes list;
    struct str text;
    const struct document_key *key = DOCUMENT_NAMED(&here, n.Name);
    assert_int_equal(documents_add(f->db, f->arena, &listed, key, &n), ST_OK);
    assert_int_equal(db_get_str(f->db, f->arena, &text, "SELECT doc FROM node"), ST_OK);
    assert_true(str_eqz(text, "{\"Nodes\":[{\"Name\":\"a\",\"Size\":7}]}"));
    assert_int_equal(documents_get(f->db, f->arena, &listed, key, &found), ST_OK);
    assert_int_equal(found->Size.v, 7);
    n.Size = OPT_I64(9);
    assert_int_equal(documents_set(f->db, f->arena, &listed, key, &n), ST_OK);
    assert_int_equal(
        documents_list(f->db, f->arena, &listed, DOCUMENT_PAGE(&here, STR_NONE, -1), &list), ST_OK);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.v[0].Size.v, 9);

    static const char *const others[] = { "{}", "{\"Nodes\":[]}",
                                          "{\"Nodes\":[{\"Name\":\"a\"},{\"Name\":\"b\"}]}" };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_int_equal(db_exec(f->db, "UPDATE node SET doc=?", bz(others[i])), ST_OK);
        assert_int_equal(documents_get(f->db, f->arena, &listed, key, &found), ST_INVALID);
    }
}

static void pages_go_on_after_a_name(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = { "c", "a", "e", "b", "d" };
    struct t_nodes list = { 9, NULL };
    assert_int_equal(
        documents_list(f->db, f->arena, &nodes, DOCUMENT_PAGE(&here, STR_NONE, 3), &list), ST_OK);
    assert_int_equal(list.n, 0);
    assert_non_null(list.v); /* an empty list, not an absent one */
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(add(f, &here, names[i], (int64_t)i), ST_OK);
    }
    assert_int_equal(add(f, &there, "a", 1), ST_OK);
    assert_int_equal(
        documents_list(f->db, f->arena, &nodes, DOCUMENT_PAGE(&here, STR_NONE, 3), &list), ST_OK);
    assert_int_equal(list.n, 3);
    assert_true(str_eqz(list.v[0].Name, "a"));
    assert_int_equal(list.v[0].Size.v, 1);
    assert_true(str_eqz(list.v[2].Name, "c"));
    assert_int_equal(
        documents_list(f->db, f->arena, &nodes, DOCUMENT_PAGE(&here, STR("c"), 3), &list), ST_OK);
    assert_int_equal(list.n, 2);
    assert_true(str_eqz(list.v[1].Name, "e"));
    assert_int_equal(
        documents_list(f->db, f->arena, &nodes, DOCUMENT_PAGE(&here, STR_NONE, -1), &list), ST_OK);
    assert_int_equal(list.n, 5);

    struct rows q;
    assert_int_equal(db_query(f->db, &q, "SELECT doc FROM node WHERE name=?", bs(STR("a"))), ST_OK);
    assert_int_equal(documents_rows(&q, f->arena, &nodes.form, &list), ST_OK);
    assert_int_equal(list.n, 2);
}

static void columns_beside_the_document(void **state)
{
    struct fixture *f = *state;
    struct t_node n = node("x", 1), *found;
    struct t_nodes list;
    const struct document_key *key = DOCUMENT_KEY(OWNER(&here), bs(STR("p")), bs(n.Name));
    int64_t ready;
    assert_int_equal(documents_add(f->db, f->arena, &deep,
                                   DOCUMENT_KEY(OWNER(&here), bs(STR("p")), bs(n.Name), bz("new")),
                                   &n),
                     ST_OK);
    n.Size = OPT_I64(2);
    assert_int_equal(
        documents_set(f->db, f->arena, &deep,
                      DOCUMENT_KEY(bz("ready"), OWNER(&here), bs(STR("p")), bs(n.Name)), &n),
        ST_OK);
    assert_int_equal(db_get_i64(f->db, &ready, "SELECT count(*) FROM deep WHERE state='ready'"),
                     ST_OK);
    assert_int_equal(ready, 1);
    assert_int_equal(documents_get(f->db, f->arena, &deep, key, &found), ST_OK);
    assert_int_equal(found->Size.v, 2);
    assert_int_equal(documents_list(f->db, f->arena, &deep,
                                    DOCUMENT_KEY(OWNER(&here), bs(STR("q")), bs(STR("")), bi(-1)),
                                    &list),
                     ST_OK);
    assert_int_equal(list.n, 0);
    assert_int_equal(documents_remove(f->db, &deep, key), ST_OK);
}

/* A statement that fails is no empty answer. */
static void what_fails_is_not_an_empty_answer(void **state)
{
    struct fixture *f = *state;
    struct t_node n = node("a", 1), *found;
    struct t_nodes list;
    const struct document_key *key = DOCUMENT_NAMED(&here, n.Name);
    assert_int_equal(db_script(f->db, "DROP TABLE node"), ST_OK);
    assert_int_equal(documents_add(f->db, f->arena, &nodes, key, &n), ST_DB);
    assert_int_equal(documents_set(f->db, f->arena, &nodes, key, &n), ST_DB);
    assert_int_equal(documents_get(f->db, f->arena, &nodes, key, &found), ST_DB);
    assert_int_equal(documents_has(f->db, &nodes, key), ST_DB);
    assert_int_equal(documents_remove(f->db, &nodes, key), ST_DB);
    assert_int_equal(
        documents_list(f->db, f->arena, &nodes, DOCUMENT_PAGE(&here, STR_NONE, -1), &list), ST_DB);
}

/* --- rows without documents: db_read.h -------------------------------------------------------- */
struct pair {
    struct str key, value;
};
struct number {
    int64_t n;
    struct str text;
};

static enum status number_row(struct rows *q, struct arena *a, void *ret)
{
    *(struct number *)ret = (struct number){ rows_i64(q, 0), rows_str(q, a, 1) };
    return rows_i64(q, 0) == 13 ? ST_CONFLICT : ST_OK;
}

static void rows_become_structs(void **state)
{
    struct fixture *f = *state;
    struct pair *pairs = NULL;
    struct number *numbers = NULL, one = { 1, STR_NONE };
    size_t n = 7;
    assert_int_equal(db_read(f->db, ALL_TEXTS(f->arena, &pairs, &n), "SELECT 'x', 'y' WHERE 0"),
                     ST_OK);
    assert_int_equal(n, 0);
    assert_non_null(pairs);
    assert_int_equal(db_read(f->db, ALL_TEXTS(f->arena, &pairs, &n),
                             "SELECT * FROM (VALUES('a','b'),('c',NULL),('e','f'))"),
                     ST_OK);
    assert_int_equal(n, 3);
    assert_true(str_eqz(pairs[0].value, "b") && !str_set(pairs[1].value));
    assert_true(str_eqz(pairs[2].key, "e"));

    assert_int_equal(db_read(f->db, ALL_ROWS(f->arena, number_row, &numbers, &n),
                             "SELECT column1, column2 FROM (VALUES(?,'one'),(2,'two'))", bi(1)),
                     ST_OK);
    assert_int_equal(n, 2);
    assert_true(numbers[1].n == 2 && str_eqz(numbers[1].text, "two"));

    assert_int_equal(
        db_read(f->db, ONE_ROW(f->arena, number_row, &one), "SELECT 2, 'x' WHERE ?", bi(0)),
        ST_NOT_FOUND);
    assert_int_equal(one.n, 1);
    assert_int_equal(
        db_read(f->db, ONE_ROW(f->arena, number_row, &one), "SELECT 2, 'x' WHERE ?", bi(1)), ST_OK);
    assert_int_equal(one.n, 2);
    /* A row that cannot be read ends it; so does a statement that cannot run. */
    assert_int_equal(db_read(f->db, ALL_ROWS(f->arena, number_row, &numbers, &n),
                             "SELECT * FROM (VALUES(1,'a'),(13,'b'),(2,'c'))"),
                     ST_CONFLICT);
    assert_int_equal(db_read(f->db, ONE_ROW(f->arena, number_row, &one), "SELECT 1 FROM nowhere"),
                     ST_DB);
    assert_int_equal(
        db_read(f->db, ALL_TEXTS(f->arena, &pairs, &n), "SELECT key FROM nowhere WHERE a=?", bi(1)),
        ST_DB);
}

static void changes_tell_whether_there_was_something(void **state)
{
    struct fixture *f = *state;
    static const char *const both[] = { "DELETE FROM deep WHERE account=? AND region=?",
                                        "DELETE FROM node WHERE account=? AND region=?", NULL };
    static const char *const broken[] = { "DELETE FROM nowhere WHERE a=? AND b=?",
                                          "DELETE FROM node WHERE account=? AND region=?", NULL };
    assert_int_equal(add(f, &here, "a", 1), ST_OK);
    assert_int_equal(add(f, &there, "a", 1), ST_OK);
    assert_int_equal(db_script(f->db, "INSERT INTO deep VALUES('1','eu','p','x','s','{}')"), ST_OK);
    assert_int_equal(db_change(f->db, "UPDATE node SET doc='{}' WHERE name=?", bz("z")),
                     ST_NOT_FOUND);
    assert_int_equal(db_change(f->db, "UPDATE node SET doc='{}' WHERE name=?", bz("a")), ST_OK);
    assert_int_equal(db_change_all(f->db, broken, OWNER(&here)), ST_DB);
    assert_int_equal(db_change_all(f->db, both, OWNER(&here)), ST_OK);
    assert_int_equal(db_change_all(f->db, both, OWNER(&here)), ST_NOT_FOUND);
    int64_t n;
    assert_int_equal(
        db_get_i64(f->db, &n, "SELECT (SELECT count(*) FROM node) + (SELECT count(*) FROM deep)"),
        ST_OK);
    assert_int_equal(n, 1); /* the other region's */
}

/* Two texts an item, as most models have them, or three. */
struct tag {
    struct str key, value;
};
struct tag_of {
    struct str key, value, arn;
};
struct tag_list {
    size_t n;
    struct tag *v;
};
struct tag_of_list {
    size_t n;
    struct tag_of *v;
};
struct key_list {
    size_t n;
    struct str *v;
};

static void tags_are_kept_by_arn(void **state)
{
    static const struct tags tags = TAGS_TABLE("tag");
    struct fixture *f = *state;
    const struct str a = STR("arn:a"), b = STR("arn:b");
    assert_int_equal(db_script(f->db, TAGS_SCHEMA("tag")), ST_OK);
    struct tag two[] = { { STR("z"), STR_NONE }, { STR("k"), STR("1") } };
    struct tag_of again[] = { { STR("k"), STR("2"), STR("not this") } };
    struct str keys[] = { STR("k"), STR("missing") };
    assert_int_equal(tags_set(f->db, &tags, a, &((struct tag_list){ 2, two })), ST_OK);
    assert_int_equal(tags_set(f->db, &tags, a, &((struct tag_of_list){ 1, again })), ST_OK);
    assert_int_equal(tags_set(f->db, &tags, b, &((struct tag_list){ 2, two })), ST_OK);
    assert_int_equal(tags_set(f->db, &tags, b, &((struct tag_list){ 0, NULL })), ST_OK);

    struct tag_of_list shown;
    assert_int_equal(tags_list(f->db, f->arena, &tags, a, &shown), ST_OK);
    assert_int_equal(shown.n, 2);
    assert_true(str_eqz(shown.v[0].key, "k") && str_eqz(shown.v[0].value, "2"));
    assert_true(str_eq(shown.v[0].arn, a));
    assert_true(str_eqz(shown.v[1].key, "z") && str_eqz(shown.v[1].value, ""));

    struct tag_list left;
    assert_int_equal(tags_unset(f->db, &tags, b, &((struct key_list){ 2, keys })), ST_OK);
    assert_int_equal(tags_clear(f->db, &tags, a), ST_OK);
    assert_int_equal(tags_list(f->db, f->arena, &tags, b, &left), ST_OK);
    assert_int_equal(left.n, 1);
    assert_true(str_eqz(left.v[0].key, "z"));
    assert_int_equal(tags_list(f->db, f->arena, &tags, a, &left), ST_OK);
    assert_int_equal(left.n, 0);
    assert_non_null(left.v);
}

int main(void)
{
    status_ignore(log_configure("error"));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_is_kept_replaced_and_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_of_older_folders_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_of_one_are_documents_too, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_go_on_after_a_name, setup, teardown),
        cmocka_unit_test_setup_teardown(columns_beside_the_document, setup, teardown),
        cmocka_unit_test_setup_teardown(what_fails_is_not_an_empty_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_become_structs, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_tell_whether_there_was_something, setup, teardown),
        cmocka_unit_test_setup_teardown(tags_are_kept_by_arn, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
