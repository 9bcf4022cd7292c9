/* A folder of the test's own, below TMPDIR or /tmp. */
#ifndef CISTERN_TESTS_SUPPORT_TMPDIR_H
#define CISTERN_TESTS_SUPPORT_TMPDIR_H

#include <stddef.h>

char *tmpdir_make(void); /* its path, for tmpdir_remove */
/* Deletes the folder with everything below, and frees the path. */
void tmpdir_remove(char *path);
/* Entries of a folder; 0 when it does not exist. */
size_t tmpdir_count(const char *path);

#endif
