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
    st = dms_put_tags(c, in->ResourceArn, &in->Tags);
    struct dms_tag_row *rows;
    size_t n = 0;
    if (st == ST_OK) {
        st = dms_store_tag_list(c->db, c->arena, in->ResourceArn, &rows, &n);
    }
    if (st == ST_OK && n > TAGS_MAX) {
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
    if (st != ST_OK) {
        return st;
    }
    for (size_t i = 0; i < in->TagKeys.n && st == ST_OK; i++) {
        st = dms_store_tag_delete(c->db, in->ResourceArn, in->TagKeys.v[i]);
    }
    return call_status(c, st);
}

static enum status list_one(struct call *c, struct str arn, bool name_it, struct dms_tag_list *out)
{
    enum status st = need(c, arn);
    if (st != ST_OK) {
        return st;
    }
    struct dms_tag_row *rows = NULL;
    size_t n = 0;
    st = dms_store_tag_list(c->db, c->arena, arn, &rows, &n);
    struct dms_tag *more = ARENA_ARRAY(c->arena, struct dms_tag, out->n + n + 1);
    if (out->n > 0) {
        memcpy(more, out->v, out->n * sizeof(*more));
    }
    for (size_t i = 0; i < n; i++) {
        more[out->n++] = (struct dms_tag){ .Key = rows[i].key,
                                           .Value = rows[i].value,
                                           .ResourceArn = name_it ? rows[i].arn : STR_NONE };
    }
    out->v = more;
    return call_status(c, st);
}

enum status dms_list_tags_for_resource(struct call *c,
                                       const struct dms_list_tags_for_resource_request *in,
                                       struct dms_list_tags_for_resource_response *ret_out)
{
    if (str_empty(in->ResourceArn) && in->ResourceArnList.n == 0) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "ResourceArn or ResourceArnList is needed.");
    }
    if (!str_empty(in->ResourceArn)) {
        return list_one(c, in->ResourceArn, false, &ret_out->TagList);
    }
    enum status st = ST_OK;
    for (size_t i = 0; i < in->ResourceArnList.n && st == ST_OK; i++) {
        st = list_one(c, in->ResourceArnList.v[i], true, &ret_out->TagList);
    }
    return st;
}
