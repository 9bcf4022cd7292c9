/* The real listener, core and store in this process, with the services that the test links (often
 * those of echo_service.c), on a port of its own. ISSUED_KEY is a key that "we issued". */
#ifndef CISTERN_TESTS_SUPPORT_HTTP_SERVER_H
#define CISTERN_TESTS_SUPPORT_HTTP_SERVER_H

#include <stdbool.h>

#include "tests/support/http_client.h"

struct http_server {
    int port;
    char *dir;
};

#define ISSUED_KEY "ASIAISSUED"
#define ISSUED_SECRET "issued-secret"
#define ISSUED_TOKEN "token"
#define ISSUED_ACCOUNT "111122223333"
#define EXPIRED_KEY "ASIAEXPIRED" /* same secret and token */

struct core;

struct http_server *http_server_start(bool strict);
/* For core_post() and core_sync(). */
struct core *http_server_core(struct http_server *server);
/* Begins to stop, without waiting. */
void http_server_end(struct http_server *server);
void http_server_stop(struct http_server *server);

/* Does the body hold this text? */
bool http_answer_has(const struct http_answer *answer, const char *text);
/* Asks on a connection of its own and fails the test unless status and text are there, the text in
 * body or head. */
void http_expect(const struct http_server *server, int status, const char *text,
                 const char *request);
void http_expect_answer(const struct http_answer *answer, int status, const char *text);

/* cmocka: *state is a lenient or strict server. */
int http_server_setup(void **state);
int http_server_setup_strict(void **state);
int http_server_teardown(void **state);

#endif
