/* Kinds of resources (dms_store.h) and their documents: each is kept as the structure of the model
 * that an operation answers. Core thread, in the current transaction; what is read lies in the
 * arena of the call. Structs have no type here: `doc` is the one that is named beside the kind,
 * `ret_doc` the address of a pointer to one, `list` a generated list of them. */
#ifndef CISTERN_DMS_DOC_H
#define CISTERN_DMS_DOC_H

#include "emulators/dms/dms_internal.h"
#include "server/wire/doc.h"

#define DMS_KIND_FILTERS_MAX 4

struct dms_kind {
    const char *id;   /* in ARNs and in rows */
    const char *noun; /* in messages */
    struct doc_form form;
    struct dms_kind_filter {
        const char *name;
        size_t off; /* of the text that it looks at in the struct */
    } filters[DMS_KIND_FILTERS_MAX];
};
extern const struct dms_kind dms_instances;     /* dms_replication_instance */
extern const struct dms_kind dms_endpoints;     /* dms_endpoint */
extern const struct dms_kind dms_subnet_groups; /* dms_replication_subnet_group */
extern const struct dms_kind dms_certificates;  /* dms_certificate */
extern const struct dms_kind dms_configs;       /* dms_replication_config */
extern const struct dms_kind dms_runs;          /* dms_replication_task_assessment_run */
extern const struct dms_kind dms_ones;          /* dms_replication_task_individual_assessment */

/* ST_INVALID: what is there is no such document (any more). Any thread. */
static inline enum status dms_doc_read(const struct dms_kind *kind, struct arena *a,
                                       const struct dms_resource *row, void *ret_doc)
{
    return doc_form_read(&kind->form, a, row->doc, ret_doc);
}
/* Sets row->doc, in the arena. Any thread. */
static inline enum status dms_doc_write(const struct dms_kind *kind, struct arena *a,
                                        const void *doc, struct dms_resource *row)
{
    return doc_form_write(&kind->form, a, doc, &row->doc);
}
/* Shape of a member of an operation's input ("CreateEndpoint", "S3Settings"), which must be there.
 */
const struct shape *dms_member(const char *op, const char *member);

/* The resource with this ARN, or of the caller's with this identifier, and its document unless
 * ret_doc is NULL. There is none: the call fails. */
enum status dms_need(struct call *c, const struct dms_kind *kind, struct str arn,
                     struct dms_resource *ret, void *ret_doc) MUST_CHECK;
enum status dms_need_ident(struct call *c, const struct dms_kind *kind, struct str ident,
                           struct dms_resource *ret, void *ret_doc) MUST_CHECK;
/* Stores a new one of the caller's with its tags; *row has ARN, identifier and secret. Identifier
 * or ARN are taken: the call fails. */
enum status dms_keep_new(struct call *c, const struct dms_kind *kind, struct dms_resource *row,
                         const void *doc, const struct dms_tag_list *tags) MUST_CHECK;
/* Stores what has become of it. The identifier is taken: the call fails. */
enum status dms_keep(struct call *c, const struct dms_kind *kind, struct dms_resource *row,
                     const void *doc) MUST_CHECK;
/* All of the caller's, or with filters those that fit. */
enum status dms_gather(struct call *c, const struct dms_kind *kind,
                       const struct dms_filter_list *filters, void *list) MUST_CHECK;
/* One page of them. None for filters that were given: the call fails. */
enum status dms_describe(struct call *c, const struct dms_kind *kind, const struct dms_ask *ask,
                         void *list, struct str *ret_marker) MUST_CHECK;

#endif
