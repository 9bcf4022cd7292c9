/* Whole folders. Blocking; any thread. */
#ifndef CISTERN_STORE_TREE_H
#define CISTERN_STORE_TREE_H

#include "server/base/status.h"

/* Deletes the folder (or file) with everything below it; symbolic links are not followed. What is
 * missing already is fine. ST_IO: something could not be deleted (logged). */
enum status tree_remove(const char *path) MUST_CHECK;

#endif
