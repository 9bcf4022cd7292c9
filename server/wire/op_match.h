/* URI templates: "/{Bucket}/{Key+}?acl". Internal to server/wire. */
#ifndef CISTERN_WIRE_OP_MATCH_H
#define CISTERN_WIRE_OP_MATCH_H

#include "server/wire/codec.h"

/* Does the raw path fit the template's path? Sets *ret_literals to the number of fixed segments and
 * *ret_value to the raw text of the label `want` (untouched when want is NULL or not in it). */
bool uri_match(const char *uri, struct str path, const char *want, struct str *ret_value,
               unsigned *ret_literals);
/* Value of a key in a raw query (its last occurrence, raw); false when absent. `it` as a position
 * to go on from: query_each walks all pairs, start with *it = 0. */
bool query_each(struct str query, size_t *it, struct str *ret_key, struct str *ret_value);
bool query_has(struct str query, const char *key, struct str *ret_value);

#endif
