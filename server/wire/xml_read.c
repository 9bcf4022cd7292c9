#include "server/wire/xml_read.h"

#include <expat.h>
#include <limits.h>

#include "server/base/buf.h"

struct reader {
    struct arena *arena;
    XML_Parser parser;
    struct xml_node *root;
    struct xml_node *stack[XML_READ_DEPTH_MAX];
    struct xml_node **end[XML_READ_DEPTH_MAX]; /* where the next child goes */
    unsigned depth;
    unsigned nodes;
    struct buf text; /* of the innermost element so far */
    const char *why; /* set: stopped */
    enum status st;
};

static void stop(struct reader *r, enum status st, const char *why)
{
    if (!r->why) {
        r->why = why;
        r->st = st;
        XML_StopParser(r->parser, XML_FALSE);
    }
}

static struct str local_name(struct arena *a, const char *name)
{
    const char *colon = strrchr(name, ':');
    return arena_strz(a, colon ? colon + 1 : name);
}

static void add_attributes(struct reader *r, struct xml_node *node, const XML_Char **atts)
{
    for (; atts[0] && !r->why; atts += 2) {
        struct xml_attr *attr = ARENA_NEW(r->arena, struct xml_attr);
        attr->name = local_name(r->arena, atts[0]);
        attr->value = arena_strz(r->arena, atts[1]);
        attr->next = node->attrs;
        node->attrs = attr;
        if (++r->nodes > XML_READ_NODES_MAX) {
            stop(r, ST_NOMEM, "too many elements");
        }
    }
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
    struct reader *r = arg;
    if (r->why) {
        return;
    }
    if (r->depth >= XML_READ_DEPTH_MAX || ++r->nodes > XML_READ_NODES_MAX || arena_over(r->arena)) {
        stop(r, ST_NOMEM,
             r->depth >= XML_READ_DEPTH_MAX ? "elements nested too deep" : "too many elements");
        return;
    }
    struct xml_node *node = ARENA_NEW(r->arena, struct xml_node);
    node->name = local_name(r->arena, name);
    node->text = STR("");
    add_attributes(r, node, atts);
    if (r->depth == 0) {
        r->root = node;
    } else {
        *r->end[r->depth - 1] = node;
        r->end[r->depth - 1] = &node->next;
        r->stack[r->depth - 1]->n++;
    }
    r->stack[r->depth] = node;
    r->end[r->depth] = &node->first;
    r->depth++;
    buf_clear(&r->text);
}

static void on_end(void *arg, const XML_Char *name)
{
    struct reader *r = arg;
    (void)name;
    if (r->why) {
        return;
    }
    struct xml_node *node = r->stack[--r->depth];
    if (node->n == 0) {
        node->text = arena_str(r->arena, buf_str(&r->text));
    }
    buf_clear(&r->text);
}

static void on_text(void *arg, const XML_Char *s, int n)
{
    struct reader *r = arg;
    if (!r->why) {
        buf_add(&r->text, s, (size_t)n);
    }
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *sysid,
                       const XML_Char *pubid, int has_internal)
{
    (void)name;
    (void)sysid;
    (void)pubid;
    (void)has_internal;
    stop(arg, ST_INVALID, "document type declarations are not allowed");
}

static enum status run(struct reader *r, struct str text, struct str *ret_why)
{
    /* XML_Parse takes an int. */
    enum XML_Status done =
        text.n > INT_MAX ? XML_STATUS_ERROR : XML_Parse(r->parser, text.p, (int)text.n, XML_TRUE);
    if (done == XML_STATUS_OK && buf_ok(&r->text) && !arena_over(r->arena)) {
        return ST_OK;
    }
    const char *why = r->why;
    enum status st = r->why ? r->st : ST_INVALID;
    if (!why && done == XML_STATUS_OK) {
        why = "the document is too large";
        st = ST_NOMEM;
    }
    if (!why) {
        why = XML_ErrorString(XML_GetErrorCode(r->parser));
    }
    *ret_why = arena_printf(r->arena, "%s in line %lu", why ? why : "too large",
                            (unsigned long)XML_GetCurrentLineNumber(r->parser));
    return st;
}

enum status xml_parse(struct arena *a, struct str text, struct xml_node **ret, struct str *ret_why)
{
    struct reader r = { .arena = a, .text = BUF_INIT(0), .st = ST_INVALID };
    buf_init(&r.text, text.n * 2 + 16); /* from UTF-16 or Latin-1 it may grow */
    r.parser = XML_ParserCreate(NULL);
    if (!r.parser) {
        *ret_why = STR("out of memory");
        return ST_NOMEM;
    }
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    enum status st = run(&r, text.p ? text : STR(""), ret_why);
    XML_ParserFree(r.parser);
    buf_fini(&r.text);
    *ret = r.root;
    return st;
}
