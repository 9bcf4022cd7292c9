#include "emulators/events/events_internal.h"
#include "server/base/mem.h"

#define PAGE 100 /* and the most that a request may ask for */
#define TAGS_MAX 50
#define TAG_KEY_MAX 128
#define TAG_VALUE_MAX 256

const struct aws_error events_ValidationException = { "ValidationException", NULL, 400, NULL };

/* --- names ------------------------------------------------------------------------------------ */
struct str events_bus_arn(struct arena *a, const struct events_key *key)
{
    return arena_printf(a, "arn:aws:events:%.*s:%.*s:event-bus/%.*s", STR_ARG(key->region),
                        STR_ARG(key->account), STR_ARG(key->bus));
}

struct str events_rule_arn(struct arena *a, const struct events_rule_row *rule)
{
    const struct events_key *key = &rule->key;
    bool main_bus = str_eqz(key->bus, EVENTS_DEFAULT_BUS);
    return arena_printf(a, "arn:aws:events:%.*s:%.*s:rule/%.*s%s%.*s", STR_ARG(key->region),
                        STR_ARG(key->account), STR_ARG(main_bus ? STR("") : key->bus),
                        main_bus ? "" : "/", STR_ARG(rule->name));
}

bool events_bus_arn_read(struct str arn, struct events_key *ret)
{
    struct str part[5], rest = arn;
    for (size_t i = 0; i < 5; i++) {
        if (!str_cut(rest, ':', &part[i], &rest)) {
            return false;
        }
    }
    if (!str_eqz(part[0], "arn") || !str_eqz(part[2], "events") ||
        !str_starts(rest, STR("event-bus/"))) {
        return false;
    }
    *ret = (struct events_key){ part[4], part[3], str_sub(rest, 10, rest.n) };
    return ret->bus.n > 0;
}

static bool name_fits(struct str name, size_t max, const char *more)
{
    for (size_t i = 0; i < name.n; i++) {
        char ch = char_lower(name.p[i]);
        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '.' || ch == '-' ||
              ch == '_' || (ch && strchr(more, ch)))) {
            return false;
        }
    }
    return name.n >= 1 && name.n <= max;
}

enum status events_check_name(struct call *c, const char *member, struct str name, size_t max,
                              const char *more)
{
    if (name_fits(name, max, more)) {
        return ST_OK;
    }
    if (name.n > max) {
        return call_fail(c, &events_ValidationException,
                         "1 validation error detected: Value '%.*s' at '%s' failed to satisfy "
                         "constraint: Member must have length less than or equal to %zu",
                         STR_ARG(name), member, max);
    }
    return call_fail(c, &events_ValidationException,
                     "1 validation error detected: Value '%.*s' at '%s' failed to satisfy "
                     "constraint: Member must satisfy regular expression pattern: "
                     "[%s\\.\\-_A-Za-z0-9]+",
                     STR_ARG(name), member, more);
}

enum status events_bus_exists(struct db *db, const struct events_key *key)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(EVENTS_ARENA_MAX);
    struct events_bus_row row;
    return str_eqz(key->bus, EVENTS_DEFAULT_BUS) ? ST_OK : events_store_bus(db, a, key, &row);
}

enum status events_find_bus(struct call *c, struct str given, struct events_key *ret)
{
    *ret = (struct events_key){ c->caller.account, c->caller.region,
                                str_empty(given) ? STR(EVENTS_DEFAULT_BUS) : given };
    struct events_key named;
    enum status st = ST_OK;
    if (str_starts(given, STR("arn:"))) {
        bool ours = events_bus_arn_read(given, &named) && str_eq(named.account, ret->account) &&
                    str_eq(named.region, ret->region);
        ret->bus = ours ? named.bus : given;
        st = ours ? ST_OK : ST_NOT_FOUND;
    }
    st = st == ST_OK ? events_bus_exists(c->db, ret) : st;
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &events_ResourceNotFoundException, "Event bus %.*s does not exist.",
                         STR_ARG(ret->bus));
    }
    return call_status(c, st);
}

enum status events_find_rule(struct call *c, struct str bus, struct str name,
                             struct events_rule_row *ret)
{
    struct events_key key;
    enum status st = events_find_bus(c, bus, &key);
    if (st != ST_OK) {
        return st;
    }
    st = events_store_rule(c->db, c->arena, &key, name, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &events_ResourceNotFoundException,
                         "Rule %.*s does not exist on EventBus %.*s.", STR_ARG(name),
                         STR_ARG(key.bus));
    }
    return call_status(c, st);
}

/* --- pages ------------------------------------------------------------------------------------ */
struct events_page events_page_of(struct opt_i64 limit, struct str token, struct str prefix)
{
    return (struct events_page){ .prefix = prefix,
                                 .after = str_set(token) ? token : STR(""),
                                 .limit = (limit.set ? limit.v : PAGE) + 1 };
}

bool events_page_cut(const struct events_page *page, size_t *n)
{
    size_t limit = (size_t)page->limit - 1;
    bool more = *n > limit;
    *n = more ? limit : *n;
    return more;
}

/* --- tags ------------------------------------------------------------------------------------- */
static enum status check_tags(struct call *c, const struct events_tag_list *tags)
{
    for (size_t i = 0; i < tags->n; i++) {
        const struct events_tag *tag = &tags->v[i];
        if (tag->Key.n < 1 || tag->Key.n > TAG_KEY_MAX || tag->Value.n > TAG_VALUE_MAX ||
            str_starts(arena_lower(c->arena, tag->Key), STR("aws:"))) {
            return call_fail(c, &events_ValidationException,
                             "Tag keys have 1 to %d characters and don't begin with aws:, values "
                             "have at most %d.",
                             TAG_KEY_MAX, TAG_VALUE_MAX);
        }
    }
    return ST_OK;
}

enum status events_set_tags(struct call *c, struct str arn, const struct events_tag_list *tags)
{
    struct events_tag_list all;
    enum status st = check_tags(c, tags);
    st = st == ST_OK ? call_status(c, tags_set(c->db, &events_tags, arn, tags)) : st;
    st = st == ST_OK ? call_status(c, tags_list(c->db, c->arena, &events_tags, arn, &all)) : st;
    if (st == ST_OK && all.n > TAGS_MAX) {
        return call_fail(c, &events_ValidationException, "A resource has at most %d tags.",
                         TAGS_MAX);
    }
    return st;
}
