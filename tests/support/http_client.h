/* A blunt HTTP client for tests of the transport: sends bytes as they are, reads one answer. */
#ifndef CISTERN_TESTS_SUPPORT_HTTP_CLIENT_H
#define CISTERN_TESTS_SUPPORT_HTTP_CLIENT_H

#include <stdbool.h>

#include "server/base/buf.h"
#include "server/base/str.h"

struct http_answer {
    int status; /* 0: the connection ended without an answer */
    struct buf head, body;
};

int http_connect(int port); /* fails the test when it can't */
/* Everything, in pieces of at most `piece` bytes (0: at once); false when the peer has closed. */
bool http_send(int fd, struct str bytes, size_t piece);
/* Reads one answer; `head_only` for HEAD. Interim 1xx answers are skipped. */
void http_read(int fd, bool head_only, struct http_answer *ret);
void http_answer_fini(struct http_answer *answer);
/* Value of a header, in the answer's memory. */
struct str http_answer_header(const struct http_answer *answer, const char *name);
/* One request on a connection of its own. */
void http_ask(int port, struct str request, struct http_answer *ret);

#endif
