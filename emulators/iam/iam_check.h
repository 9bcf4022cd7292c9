/* What IAM checks on the way in, shared by its resources. HTTP or core thread. */
#ifndef CISTERN_IAM_CHECK_H
#define CISTERN_IAM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "emulators/iam/iam_store.h"
#include "server/http/call.h"

/* A policy document must be a JSON object with a Statement; else MalformedPolicyDocument. */
enum status iam_check_document(struct call *c, struct str document) MUST_CHECK;
/* Names: 1–128 characters of [A-Za-z0-9+=,.@_-]; else ValidationError naming `member`. */
enum status iam_check_name(struct call *c, const char *member, struct str name) MUST_CHECK;
/* "/" or "/…/"; absent gives "/". */
enum status iam_check_path(struct call *c, struct str path, struct str *ret_path) MUST_CHECK;
/* MaxItems 1–1000, default 100. */
struct iam_page iam_page_in(struct str path_prefix, struct str marker, struct opt_i64 max_items);
/* Cuts a list of *n items that holds one item more than the page and says in *ret_truncated whether
 * it did; true: the caller sets Marker to the name of the last item that is left. */
bool iam_page_cut(const struct iam_page *page, size_t *n, struct opt_bool *ret_truncated);

/* The role, or the call failed with NoSuchEntity. */
enum status iam_find_role(struct call *c, struct str name, struct iam_role *ret) MUST_CHECK;
enum status iam_no_role(struct call *c, struct str name);

#endif
