/* The tables of IAM: roles, their inline and attached policies, managed policies. The only SQL of
 * the service. Core thread; strings live in the arena given. */
#ifndef CISTERN_IAM_STORE_H
#define CISTERN_IAM_STORE_H

#include <stdbool.h>

#include "emulators/iam/iam_model.h"
#include "server/base/arena.h"
#include "server/store/db.h"

extern const char iam_schema_sql[];

/* A page of names: those after `marker` in byte order, at most `max` (the reader asks for one more
 * to learn whether there are further ones). */
struct iam_page {
    struct str path_prefix; /* absent: any */
    struct str marker;      /* absent: from the start */
    int64_t max;
};

/* --- roles ------------------------------------------------------------------------------------ */
/* ST_EXISTS: the name is taken in the account. */
enum status iam_store_add_role(struct db *db, struct str account,
                               const struct iam_role *role) MUST_CHECK;
/* ST_NOT_FOUND when there is none. The policy document is as it was stored (not encoded). */
enum status iam_store_role(struct db *db, struct arena *a, struct str account, struct str name,
                           struct iam_role *ret) MUST_CHECK;
enum status iam_store_roles(struct db *db, struct arena *a, struct str account,
                            const struct iam_page *page, struct iam_role_list_type *ret) MUST_CHECK;
enum status iam_store_update_role(struct db *db, struct str account,
                                  const struct iam_role *role) MUST_CHECK;
enum status iam_store_delete_role(struct db *db, struct str account, struct str name) MUST_CHECK;
/* Inline and attached policies of a role. */
enum status iam_store_role_policy_count(struct db *db, struct str account, struct str role,
                                        int64_t *ret) MUST_CHECK;

enum status iam_store_tag_role(struct db *db, struct str account, struct str role,
                               const struct iam_tag_list_type *tags) MUST_CHECK;
enum status iam_store_untag_role(struct db *db, struct str account, struct str role,
                                 struct str key) MUST_CHECK;
enum status iam_store_role_tags(struct db *db, struct arena *a, struct str account, struct str role,
                                struct iam_tag_list_type *ret) MUST_CHECK;

/* --- inline policies -------------------------------------------------------------------------- */
enum status iam_store_put_inline(struct db *db, struct str account, struct str role,
                                 struct str name, struct str document) MUST_CHECK;
enum status iam_store_inline(struct db *db, struct arena *a, struct str account, struct str role,
                             struct str name, struct str *ret_document) MUST_CHECK;
enum status iam_store_inlines(struct db *db, struct arena *a, struct str account, struct str role,
                              const struct iam_page *page,
                              struct iam_policy_name_list_type *ret) MUST_CHECK;
enum status iam_store_delete_inline(struct db *db, struct str account, struct str role,
                                    struct str name) MUST_CHECK;

/* --- attachments ------------------------------------------------------------------------------ */
enum status iam_store_attach(struct db *db, struct str account, struct str role,
                             struct str policy_arn) MUST_CHECK;
enum status iam_store_detach(struct db *db, struct str account, struct str role,
                             struct str policy_arn) MUST_CHECK;
enum status iam_store_attached(struct db *db, struct arena *a, struct str account, struct str role,
                               const struct iam_page *page,
                               struct iam_attached_policies_list_type *ret) MUST_CHECK;

/* --- managed policies ------------------------------------------------------------------------- */
enum status iam_store_add_policy(struct db *db, struct str account, const struct iam_policy *policy,
                                 struct str document) MUST_CHECK;
enum status iam_store_policy(struct db *db, struct arena *a, struct str arn, struct iam_policy *ret,
                             struct str *ret_document) MUST_CHECK;
enum status iam_store_policies(struct db *db, struct arena *a, struct str account,
                               const struct iam_page *page,
                               struct iam_policy_list_type *ret) MUST_CHECK;
enum status iam_store_delete_policy(struct db *db, struct str arn) MUST_CHECK;

#endif
