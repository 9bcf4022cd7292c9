/* Requests recorded from real clients (fixtures/wire/captures): one JSON object per line, gzipped.
 * For unit tests that run from the top of the repository. */
#ifndef CISTERN_TESTS_SUPPORT_CAPTURES_H
#define CISTERN_TESTS_SUPPORT_CAPTURES_H

#include <stdbool.h>

#include "server/http/headers.h"

struct capture {
    struct str label;
    struct http_request request;
    struct str body; /* absent: it was too big to be recorded whole */
};

/* Calls fn for every labelled request of fixtures/wire/captures/<name>.jsonl.gz; the arena and all
 * strings are gone afterwards. Fails the running cmocka test when the file cannot be read. */
void captures_each(const char *name, void (*fn)(void *arg, struct arena *a, struct capture *c),
                   void *arg);
/* A whole gzipped file, NUL-terminated; free() it. */
char *captures_read(const char *path);

#endif
