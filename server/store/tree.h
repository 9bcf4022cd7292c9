/* Whole folders. */
#ifndef CISTERN_STORE_TREE_H
#define CISTERN_STORE_TREE_H

#include "server/base/status.h"

struct loop;

/* Blocking; any thread. Deletes the folder (or file) with everything below it; symbolic links are not followed. What is
 * missing already is fine. ST_IO: something could not be deleted (logged). */
enum status tree_remove(const char *path) MUST_CHECK;
/* The same in a worker, without anybody waiting for it. Loop thread; the path is copied. */
void tree_remove_later(struct loop *loop, const char *path);

#endif
