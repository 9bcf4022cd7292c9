/* Tags of everything in Glue that may have them, by ARN. */
#include "emulators/glue/catalog/catalog_store.h"
#include "emulators/glue/crawler/crawler_store.h"
#include "emulators/glue/glue_internal.h"
#include "emulators/glue/trigger/trigger_store.h"
#include "emulators/glue/trigger/workflow_store.h"
#include "server/wire/codec.h"

#define TAGS_MAX 50
#define TAG_KEY_MAX 128
#define TAG_VALUE_MAX 256

static struct str arn_of(struct call *c, const char *kind, struct str name)
{
    return call_arn(c, "glue", "%s/%.*s", kind, STR_ARG(name));
}

/* --- what may have tags: is it there? --------------------------------------------------------- */
static enum status has_job(struct call *c, const struct glue_owner *o, struct str name)
{
    struct glue_job *job;
    return glue_store_job(c->db, c->arena, o, name, &job);
}

static enum status has_trigger(struct call *c, const struct glue_owner *o, struct str name)
{
    struct glue_trigger *trigger;
    return glue_store_trigger(c->db, c->arena, o, name, &trigger);
}

static enum status has_workflow(struct call *c, const struct glue_owner *o, struct str name)
{
    struct glue_workflow *workflow;
    return glue_store_workflow(c->db, c->arena, o, name, &workflow);
}

static enum status has_database(struct call *c, const struct glue_owner *o, struct str name)
{
    return catalog_has_database(c->db, c->arena, o, name);
}

static enum status has_connection(struct call *c, const struct glue_owner *o, struct str name)
{
    struct glue_connection *connection;
    return catalog_connection(c->db, c->arena, o, name, &connection);
}

static enum status has_crawler(struct call *c, const struct glue_owner *o, struct str name)
{
    struct crawler_row crawler;
    return crawler_store_find(c->db, c->arena, o, name, &crawler);
}

static const struct {
    const char *prefix;
    enum status (*has)(struct call *c, const struct glue_owner *o, struct str name);
} kinds[] = {
    { "job/", has_job },           { "crawler/", has_crawler },   { "trigger/", has_trigger },
    { "workflow/", has_workflow }, { "database/", has_database }, { "connection/", has_connection },
};

static enum status check_arn(struct call *c, struct str arn)
{
    struct glue_owner owner = glue_owner_of(c);
    struct str own = call_arn(c, "glue", "%s", "");
    struct str rest = str_starts(arn, own) ? str_sub(arn, own.n, arn.n) : STR("");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct str prefix = str_z(kinds[i].prefix);
        if (!str_starts(rest, prefix)) {
            continue;
        }
        enum status st = kinds[i].has(c, &owner, str_sub(rest, prefix.n, rest.n));
        if (st == ST_NOT_FOUND) {
            return call_fail(c, &glue_EntityNotFoundException, "Resource %.*s not found.",
                             STR_ARG(arn));
        }
        return call_status(c, st);
    }
    return call_fail(c, &glue_InvalidInputException,
                     "ResourceArn '%.*s' isn't the ARN of a job, crawler, trigger, workflow, "
                     "database or connection of this account and region (%.*sjob/NAME).",
                     STR_ARG(arn), STR_ARG(own));
}

/* --- keeping ---------------------------------------------------------------------------------- */
static enum status check_tag(struct call *c, const struct glue_tags_map_entry *tag)
{
    if (tag->key.n < 1 || tag->key.n > TAG_KEY_MAX || tag->value.n > TAG_VALUE_MAX) {
        return call_fail(c, &glue_InvalidInputException,
                         "Tag '%.*s': a key has 1 to %d characters, a value at most %d.",
                         STR_ARG(tag->key), TAG_KEY_MAX, TAG_VALUE_MAX);
    }
    if (str_starts(tag->key, STR("aws:"))) {
        return call_fail(c, &glue_InvalidInputException,
                         "Tag '%.*s': keys that begin with aws: are reserved.", STR_ARG(tag->key));
    }
    return ST_OK;
}

static enum status add(struct call *c, struct str arn, const struct glue_tags_map *tags)
{
    struct glue_tags_map all = { 0 };
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < tags->n; i++) {
        st = check_tag(c, &tags->v[i]);
    }
    if (st != ST_OK || tags->n == 0) {
        return st;
    }
    st = tags_set(c->db, &glue_tags, arn, tags);
    st = call_status(c, st == ST_OK ? tags_list(c->db, c->arena, &glue_tags, arn, &all) : st);
    if (st == ST_OK && all.n > TAGS_MAX) {
        return call_fail(c, &glue_InvalidInputException, "A resource has at most %d tags.",
                         TAGS_MAX);
    }
    return st;
}

enum status glue_tags_add(struct call *c, const char *kind, struct str name,
                          const struct glue_tags_map *tags)
{
    return add(c, arn_of(c, kind, name), tags);
}

enum status glue_tags_drop(struct call *c, const char *kind, struct str name)
{
    return call_status(c, tags_clear(c->db, &glue_tags, arn_of(c, kind, name)));
}

static bool has_tag(const struct glue_tags_map *tags, const struct glue_tags_map_entry *want)
{
    for (size_t i = 0; i < tags->n; i++) {
        if (str_eq(tags->v[i].key, want->key) && str_eq(tags->v[i].value, want->value)) {
            return true;
        }
    }
    return false;
}

enum status glue_tags_match(struct call *c, const char *kind, struct str name,
                            const struct glue_tags_map *want, bool *ret)
{
    struct glue_tags_map tags;
    *ret = true;
    if (want->n == 0) {
        return ST_OK;
    }
    enum status st = tags_list(c->db, c->arena, &glue_tags, arn_of(c, kind, name), &tags);
    for (size_t i = 0; st == ST_OK && i < want->n; i++) {
        *ret = *ret && has_tag(&tags, &want->v[i]);
    }
    return call_status(c, st);
}

/* --- operations ------------------------------------------------------------------------------- */
enum status glue_get_tags(struct call *c, const struct glue_get_tags_request *in,
                          struct glue_get_tags_response *ret_out)
{
    enum status st = check_arn(c, in->ResourceArn);
    return st == ST_OK ? call_status(c, tags_list(c->db, c->arena, &glue_tags, in->ResourceArn,
                                                  &ret_out->Tags))
                       : st;
}

enum status glue_tag_resource(struct call *c, const struct glue_tag_resource_request *in,
                              void *ret_out)
{
    (void)ret_out;
    enum status st = check_arn(c, in->ResourceArn);
    return st == ST_OK ? add(c, in->ResourceArn, &in->TagsToAdd) : st;
}

enum status glue_untag_resource(struct call *c, const struct glue_untag_resource_request *in,
                                void *ret_out)
{
    (void)ret_out;
    enum status st = check_arn(c, in->ResourceArn);
    return st == ST_OK
               ? call_status(c, tags_unset(c->db, &glue_tags, in->ResourceArn, &in->TagsToRemove))
               : st;
}
