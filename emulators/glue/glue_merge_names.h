/* Names of a cistern-merge run's arguments: ours, Glue's own, or neither. Pure; any thread. */
#ifndef CISTERN_GLUE_MERGE_NAMES_H
#define CISTERN_GLUE_MERGE_NAMES_H

#include "server/base/arena.h"
#include "server/base/str.h"

enum merge_name {
    MERGE_NAME_OURS,
    MERGE_NAME_GLUES, /* a special parameter of Glue: passed over */
    MERGE_NAME_SLIP,  /* resembles one of ours: a misspelt one must not be passed over */
    MERGE_NAME_OTHER, /* somebody else's */
};
/* Of "--name" or "name". */
enum merge_name merge_name_of(struct str argument);
/* "--final_path --bucket …" for messages. */
struct str merge_names(struct arena *a);

#endif
