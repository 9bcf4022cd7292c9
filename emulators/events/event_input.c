#include "emulators/events/event_input.h"

#include "server/base/mem.h"

struct str event_compact(struct arena *a, struct str json)
{
    char *text = arena_alloc(a, json.n + 1);
    size_t n = 0;
    bool quoted = false;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        if (!quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
            continue;
        }
        text[n++] = c;
        if (quoted && c == '\\' && i + 1 < json.n) {
            text[n++] = json.p[++i];
        } else if (c == '"') {
            quoted = !quoted;
        }
    }
    return (struct str){ text, n };
}

/* --- templates -------------------------------------------------------------------------------- */
static const struct event_variable *find_variable(const struct event_input *in, struct str name)
{
    for (size_t i = 0; i < in->n_variables; i++) {
        if (str_eq(in->variables[i].name, name)) {
            return &in->variables[i];
        }
    }
    return NULL;
}

static bool is_predefined(struct str name)
{
    static const char *const all[] = {
        "aws.events.rule-arn",
        "aws.events.rule-name",
        "aws.events.event",
        "aws.events.event.json",
        "aws.events.event.ingestion-time",
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (str_eqz(name, all[i])) {
            return true;
        }
    }
    return false;
}

static bool name_valid(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = char_lower(name.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
              c == '.')) {
            return false;
        }
    }
    return name.n > 0;
}

/* The name in a placeholder that begins at `at`; absent: it is none. */
static struct str placeholder_at(struct str template, size_t at)
{
    ptrdiff_t end = template.p[at] == '<' ? str_find(template, '>', at) : -1;
    struct str name = end < 0 ? STR_NONE : str_sub(template, at + 1, (size_t)end);
    return str_set(name) && name_valid(name) ? name : STR_NONE;
}

/* The event without its detail. */
static struct str event_head(struct arena *a, const struct json_value *event)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(EVENT_INPUT_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    for (const struct json_value *m = event->first; m; m = m->next) {
        if (!str_eqz(m->key, "detail")) {
            json_key(&o, m->key);
            json_tree(&o, m);
        }
    }
    json_close(&o, '}');
    return arena_str(a, buf_str(&b));
}

static struct str quoted(struct arena *a, struct str s)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(EVENT_INPUT_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_str(&o, s);
    return arena_str(a, buf_str(&b));
}

/* JSON text of a placeholder; absent: there is no such value. */
static struct str value_of(struct arena *a, const struct event_input *in,
                           const struct event_occasion *o, struct str name)
{
    const struct event_variable *v = find_variable(in, name);
    if (v) {
        return event_path_read(a, v->path, o->event);
    }
    if (str_eqz(name, "aws.events.event.json")) {
        return o->json;
    }
    if (str_eqz(name, "aws.events.event")) {
        return event_head(a, o->event);
    }
    return quoted(a, str_eqz(name, "aws.events.rule-arn")    ? o->rule_arn
                     : str_eqz(name, "aws.events.rule-name") ? o->rule_name
                                                             : o->ingested);
}

/* Within a text: a text's characters as they are escaped already, anything else as its JSON. */
static void put_within(struct buf *b, struct arena *a, struct str value)
{
    struct str inner = value.n && value.p[0] == '"' ? value : quoted(a, value);
    if (inner.n >= 2 && str_set(value)) {
        buf_str_add(b, str_sub(inner, 1, inner.n - 1));
    }
}

/* `occasion` NULL: every placeholder becomes an empty text, to see whether the rest is JSON. */
static enum status fill(struct arena *a, const struct event_input *in,
                        const struct event_occasion *occasion, struct str *ret)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(EVENT_INPUT_MAX);
    struct str t = in->template;
    bool within = false;
    for (size_t i = 0; i < t.n; i++) {
        struct str name = placeholder_at(t, i);
        if (str_set(name)) {
            struct str value = occasion ? value_of(a, in, occasion, name) : STR_NONE;
            if (within) {
                put_within(&b, a, value);
            } else {
                buf_str_add(&b, str_set(value) ? value : STR("\"\""));
            }
            i += name.n + 1;
            continue;
        }
        buf_putc(&b, t.p[i]);
        if (within && t.p[i] == '\\' && i + 1 < t.n) {
            buf_putc(&b, t.p[++i]);
        } else if (t.p[i] == '"') {
            within = !within;
        }
    }
    *ret = arena_str(a, buf_str(&b));
    return buf_ok(&b) ? ST_OK : ST_NOMEM;
}

static enum status check_template(struct arena *a, const struct event_input *in,
                                  struct str *ret_why)
{
    struct str text, why = STR("it becomes too long");
    struct json_value *tree;
    for (size_t i = 0; i < in->n_variables; i++) {
        const struct event_variable *v = &in->variables[i];
        if (!event_path_valid(v->path)) {
            *ret_why = arena_printf(a, "InputPathsMap has an invalid JSON path for %.*s: %.*s",
                                    STR_ARG(v->name), STR_ARG(v->path));
            return ST_INVALID;
        }
        if (!name_valid(v->name) || str_starts(arena_lower(a, v->name), STR("aws."))) {
            *ret_why = arena_printf(a, "InputPathsMap has a name that isn't allowed: %.*s",
                                    STR_ARG(v->name));
            return ST_INVALID;
        }
    }
    for (size_t i = 0; i < in->template.n; i++) {
        struct str name = placeholder_at(in->template, i);
        if (str_set(name) && !find_variable(in, name) && !is_predefined(name)) {
            *ret_why =
                arena_printf(a, "InputTemplate contains invalid placeholder %.*s", STR_ARG(name));
            return ST_INVALID;
        }
    }
    if (fill(a, in, NULL, &text) != ST_OK || json_parse(a, text, &tree, &why) != ST_OK) {
        *ret_why = arena_printf(a,
                                "InputTemplate must be one JSON value (a text needs quotes of "
                                "its own): %.*s",
                                STR_ARG(why));
        return ST_INVALID;
    }
    return ST_OK;
}

/* --- inputs ----------------------------------------------------------------------------------- */
enum status event_input_check(struct arena *a, const struct event_input *in, struct str *ret_why)
{
    struct str why;
    struct json_value *tree;
    if (str_set(in->input) && json_parse(a, in->input, &tree, &why) != ST_OK) {
        *ret_why = arena_printf(a, "JSON syntax error in input: %.*s", STR_ARG(why));
        return ST_INVALID;
    }
    if (str_set(in->path) && !event_path_valid(in->path)) {
        *ret_why = arena_printf(a, "InputPath is no valid JSON path: %.*s", STR_ARG(in->path));
        return ST_INVALID;
    }
    return str_set(in->template) ? check_template(a, in, ret_why) : ST_OK;
}

enum status event_input_make(struct arena *a, const struct event_input *in,
                             const struct event_occasion *occasion, struct str *ret)
{
    if (str_set(in->input)) {
        *ret = in->input;
        return ST_OK;
    }
    if (str_set(in->path)) {
        struct str found = event_path_read(a, in->path, occasion->event);
        *ret = str_set(found) ? found : STR("null");
        return ST_OK;
    }
    if (str_set(in->template)) {
        return fill(a, in, occasion, ret);
    }
    *ret = occasion->json;
    return ST_OK;
}
