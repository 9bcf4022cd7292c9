#include "emulators/dms/dms_internal.h"

#define TAGS_MAX 50

static enum status need(struct call *c, struct str arn)
{
    if (dms_store_exists(c->db, arn)) {
        return ST_OK;
    }
    return call_fail(c, &dms_ResourceNotFoundFault, "The resource %.*s could not be found.",
                     STR_ARG(arn));
}

enum status dms_add_tags_to_resource(struct call *c,
                                     const struct dms_add_tags_to_resource_request *in,
                                     void *ret_out)
{
    (void)ret_out;
    enum status st = need(c, in->ResourceArn);
    if (st != ST_OK) {
        return st;
    }
    for (size_t i = 0; i < in->Tags.n; i++) {
        if (str_empty(in->Tags.v[i].Key)) {
            return call_fail(c, &dms_InvalidParameterValueException, "A tag needs a key.");
        }
    }
    struct dms_tag_list all;
    st = tags_set(c->db, &dms_tags, in->ResourceArn, &in->Tags);
    if (st == ST_OK) {
        st = tags_list(c->db, c->arena, &dms_tags, in->ResourceArn, &all);
    }
    if (st == ST_OK && all.n > TAGS_MAX) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "A resource can have %d tags at most.", TAGS_MAX);
    }
    return call_status(c, st);
}

enum status dms_remove_tags_from_resource(struct call *c,
                                          const struct dms_remove_tags_from_resource_request *in,
                                          void *ret_out)
{
    (void)ret_out;
    enum status st = need(c, in->ResourceArn);
    return st == ST_OK ? call_status(c, tags_unset(c->db, &dms_tags, in->ResourceArn, &in->TagKeys))
                       : st;
}

static enum status list_one(struct call *c, struct str arn, struct dms_tag_list *ret)
{
    enum status st = need(c, arn);
    return st == ST_OK ? call_status(c, tags_list(c->db, c->arena, &dms_tags, arn, ret)) : st;
}

enum status dms_list_tags_for_resource(struct call *c,
                                       const struct dms_list_tags_for_resource_request *in,
                                       struct dms_list_tags_for_resource_response *ret_out)
{
    if (str_empty(in->ResourceArn) && in->ResourceArnList.n == 0) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "ResourceArn or ResourceArnList is needed.");
    }
    struct dms_tag_list *all = &ret_out->TagList, one = { 0 };
    enum status st = ST_OK;
    if (!str_empty(in->ResourceArn)) {
        st = list_one(c, in->ResourceArn, all);
        for (size_t i = 0; i < all->n; i++) {
            all->v[i].ResourceArn = STR_NONE; /* it is told where there may be several */
        }
        return st;
    }
    all->v = ARENA_ARRAY(c->arena, struct dms_tag, 1);
    for (size_t i = 0; i < in->ResourceArnList.n && st == ST_OK; i++) {
        st = list_one(c, in->ResourceArnList.v[i], &one);
        for (size_t k = 0; k < one.n && st == ST_OK; k++) {
            ARENA_GROW(c->arena, all->v, all->n);
            all->v[all->n++] = one.v[k];
        }
    }
    return st;
}
