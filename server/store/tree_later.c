#include "server/base/mem.h"
#include "server/loop/loop.h"
#include "server/store/tree.h"

static void remove_it(void *path)
{
    status_ignore(tree_remove(path)); /* logged; what stays only takes space */
}

void tree_remove_later(struct loop *loop, const char *path)
{
    work_start(loop, remove_it, free, xstrdup(path));
}
