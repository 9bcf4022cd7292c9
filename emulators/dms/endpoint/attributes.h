/* Extra connection attributes ("name=value;name=value") into the members of a settings shape. Pure;
 * any thread. */
#ifndef CISTERN_DMS_ATTRIBUTES_H
#define CISTERN_DMS_ATTRIBUTES_H

#include <stdbool.h>

#include "server/base/arena.h"
#include "server/base/str.h"
#include "server/wire/shape.h"

struct dms_attribute_rules {
    const char *engine;        /* for messages */
    const struct shape *shape; /* whose members are meant, in any case of letters */
    /* NULL: all members may be set; else those that it lists, up to a NULL. */
    const char *const *members;
    /* Other names: pairs of an attribute and its member; a NULL member: accepted, the caller looks
     * after it with dms_attribute(). Up to a NULL. May be NULL. */
    const char *const (*others)[2];
};

/* Sets the members of `settings` (a struct of the shape) that it doesn't have yet. ST_INVALID:
 * *ret_error names the attribute. */
enum status dms_attributes(struct arena *a, struct str text,
                           const struct dms_attribute_rules *rules, void *settings,
                           struct str *ret_error) MUST_CHECK;
/* The value of one attribute, any case of letters in its name; absent: not given. */
struct str dms_attribute(struct str text, const char *name);
/* Members that are set in `from` replace those of `to`: texts, numbers, flags and lists. */
void dms_overlay(const struct shape *shape, void *to, const void *from);

#endif
