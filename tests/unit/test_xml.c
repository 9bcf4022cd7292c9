/* XML: hostile documents, what the writer escapes. */
#include "tests/unit/wire_model.h"

#include "server/wire/xml_read.h"
#include "server/wire/xml_write.h"

static void expect_invalid(struct str text, const char *part)
{
    struct arena *a = arena_new(TEST_ARENA);
    struct xml_node *root;
    struct str why = STR("");
    assert_int_not_equal(xml_parse(a, text, &root, &why), ST_OK);
    if (str_find_str(why, str_z(part)) < 0) {
        fail_msg("'%.*s' does not hold '%s'", STR_ARG(why), part);
    }
    arena_free(a);
}

static void test_entities_are_refused(void **state)
{
    (void)state;
    expect_invalid(STR("<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\">"
                       "<!ENTITY lol1 \"&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;\">"
                       "<!ENTITY lol2 \"&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;\">]>"
                       "<lolz>&lol2;</lolz>"),
                   "not allowed");
    expect_invalid(STR("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"), "not allowed");
    expect_invalid(STR("<a>&unknown;</a>"), "entity");
}

static void test_bombs_are_refused(void **state)
{
    (void)state;
    struct arena *a = arena_new(TEST_ARENA);
    expect_invalid(t_repeat(a, "<a>", 1000000), "too deep");
    expect_invalid(arena_printf(a, "<a>%s</a>", t_repeat(a, "<b/>", 300000).p), "too many");
    expect_invalid(arena_printf(a, "<a %s/>", t_repeat(a, "b='' ", 10).p), "duplicate");
    arena_free(a);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = { "",         "<",           "<a>",
                                       "<a></b>",  "x",           "<a/>x",
                                       "<a b=c/>", "<a>\x01</a>", "<a>\xFF</a>",
                                       "<a/><b/>", "<a>&#0;</a>" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        expect_invalid(str_z(bad[i]), "line 1");
    }
    t_refused(PROTO_REST_XML, STR("<a>"), "MalformedXML", "not well-formed");
}

static void test_namespaces_and_text(void **state)
{
    (void)state;
    struct arena *a = arena_new(TEST_ARENA);
    struct xml_node *root = NULL;
    struct str why;
    struct str text = STR("<?xml version=\"1.0\"?>\n<s:a xmlns:s='u' s:t='1'><s:b> x&amp;&#13;"
                          "<![CDATA[<]]>\xC3\xA9 </s:b><!-- c --><c/></s:a>");
    assert_int_equal(xml_parse(a, text, &root, &why), ST_OK);
    assert_true(str_eqz(root->name, "a") && root->n == 2);
    assert_true(str_eqz(root->first->name, "b"));
    assert_true(str_eqz(root->first->text, " x&\r<\xC3\xA9 "));
    assert_true(str_empty(root->first->next->text) && str_set(root->first->next->text));
    arena_free(a);
}

static void test_decoding(void **state)
{
    (void)state;
    struct t_result t =
        t_decode(PROTO_REST_XML,
                 STR("<Any xmlns='x'><Name>n</Name><Flat>a</Flat><Size> 12 </Size><Flat>b</Flat>"
                     "<Map><entry><key>k</key><value>v</value></entry></Map><Names/>"
                     "<Child><Name>c</Name></Child><When>2024-05-06T07:08:09.5Z</When></Any>"));
    assert_int_equal(t.st, ST_OK);
    assert_int_equal(t.in->Flat.n, 2);
    assert_true(str_eqz(t.in->Flat.v[1], "b"));
    assert_true(t.in->Size.v == 12);
    assert_true(t.in->Names.n == 0 && t.in->Names.v);
    assert_true(str_eqz(t.in->Map.v[0].value, "v"));
    assert_true(str_eqz(t.in->Child->Name, "c"));
    assert_true(t.in->When.ms == 1714979289500);
    t_free(&t);
    t_refused(PROTO_REST_XML, STR("<a><Name><b/></Name></a>"), "MalformedXML", "'name'");
    t_refused(PROTO_REST_XML, STR("<a><Name>n</Name><Size>x</Size></a>"), "MalformedXML",
              "'size' is 'x'");
    t_refused(PROTO_REST_XML, STR("<a><Name>n</Name><Map><entry/></Map></a>"), "MalformedXML",
              "a key and a value");
    t_refused(PROTO_REST_XML, STR("<a/>"), "MalformedXML", "'name'");
}

static void test_mangled_documents(void **state)
{
    (void)state;
    t_mangle(PROTO_REST_XML,
             STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Node xmlns=\"u\"><Name>a&amp;b&#233;"
                 "</Name><Count>5</Count><Flag>true</Flag><Data>AAEC</Data><Flat>x</Flat>"
                 "<Names><member>m</member></Names><Map><entry><key>k</key><value>v</value>"
                 "</entry></Map><Children><member><Name>c</Name></member></Children></Node>"));
}

static void test_writer_escapes(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(4096);
    struct xml_out x;
    xml_begin(&x, &b);
    xml_open(&x, "a");
    xml_attr(&x, "t", STR("\"<\n>"));
    xml_leaf(&x, "b", STR("<&>\"\r\n\x01\x7f\xC3\xA9\xFF"));
    xml_open(&x, "c");
    xml_close(&x);
    xml_close(&x);
    assert_true(xml_ok(&x));
    assert_string_equal(b.p, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a t=\"&quot;&lt;&#10;"
                             "&gt;\"><b>&lt;&amp;&gt;&quot;&#13;\n&#1;&#127;\xC3\xA9\xEF\xBF\xBD"
                             "</b><c/></a>");
    buf_fini(&b);
}

static void test_writer_checks_nesting(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(4096);
    struct xml_out x;
    xml_begin(&x, &b);
    xml_open(&x, "a");
    assert_false(xml_ok(&x));
    xml_close(&x);
    assert_true(xml_ok(&x));
    xml_close(&x);
    assert_false(xml_ok(&x));
    xml_begin(&x, &b);
    for (int i = 0; i <= XML_WRITE_DEPTH_MAX; i++) {
        xml_open(&x, "a");
    }
    assert_true(x.failed);
    xml_begin(&x, &b);
    xml_leaf(&x, "a", STR("t"));
    xml_attr(&x, "late", STR("v"));
    assert_false(xml_ok(&x));
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entities_are_refused),
        cmocka_unit_test(test_bombs_are_refused),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_namespaces_and_text),
        cmocka_unit_test(test_decoding),
        cmocka_unit_test(test_mangled_documents),
        cmocka_unit_test(test_writer_escapes),
        cmocka_unit_test(test_writer_checks_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
