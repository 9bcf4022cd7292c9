#include "tests/support/http_server.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>

#include "server/base/mem.h"
#include "server/config.h"
#include "server/core_run.h"
#include "server/http/auth.h"
#include "server/http/listener.h"
#include "server/service.h"
#include "tests/support/tmpdir.h"

struct server {
    struct http_server face;
    struct config config;
    pthread_t thread;
    sem_t ready;
    struct core *core;
    struct listener *listener;
};

static bool answered(void *arg)
{
    return !listener_busy(arg);
}

static void *serve(void *arg)
{
    struct server *s = arg;
    assert_int_equal(core_new(&s->config, services, &s->core), ST_OK);
    assert_int_equal(listener_start(s->core, core_db_path(s->core), &s->listener), ST_OK);
    s->face.port = listener_port(s->listener);
    assert_int_equal(core_start(s->core), ST_OK);
    sem_post(&s->ready);
    core_run(s->core);
    listener_close(s->listener);
    bool quiet = core_stop(s->core);
    core_wait(s->core, answered, s->listener, 200);
    listener_stop(s->listener);
    if (quiet) {
        core_free(s->core);
    }
    return NULL;
}

static enum status lookup(struct db *db, struct arena *a, struct str key, struct credential *ret)
{
    (void)a;
    assert_non_null(db);
    bool expired = str_eqz(key, EXPIRED_KEY);
    if (!str_eqz(key, ISSUED_KEY) && !expired) {
        return ST_NOT_FOUND;
    }
    *ret = (struct credential){
        .secret = STR(ISSUED_SECRET),
        .session_token = STR(ISSUED_TOKEN),
        .account = STR(ISSUED_ACCOUNT),
        .expires_ms = expired ? 1000 : 0,
    };
    return ST_OK;
}

struct http_server *http_server_start(bool strict)
{
    struct server *s = xcalloc(1, sizeof(*s));
    s->face.dir = tmpdir_make();
    s->config = (struct config){ .listen_addr = "127.0.0.1",
                                 .data_dir = s->face.dir,
                                 .auth_strict = strict,
                                 .access_key = "test",
                                 .secret_key = "test",
                                 .account = "000000000000",
                                 .region = "us-east-1",
                                 .clock_scale = 1,
                                 .workers = 2 };
    auth_set_lookup(lookup);
    sem_init(&s->ready, 0, 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    sem_wait(&s->ready);
    return &s->face;
}

static struct server *server_of(struct http_server *server)
{
    return CONTAINER_OF(server, struct server, face);
}

struct core *http_server_core(struct http_server *server)
{
    return server_of(server)->core;
}

void http_server_end(struct http_server *server)
{
    core_end(server_of(server)->core);
}

void http_server_stop(struct http_server *server)
{
    struct server *s = server_of(server);
    core_end(s->core);
    pthread_join(s->thread, NULL);
    sem_destroy(&s->ready);
    tmpdir_remove(s->face.dir);
    free(s);
}

int http_server_setup(void **state)
{
    *state = http_server_start(false);
    return 0;
}

int http_server_setup_strict(void **state)
{
    *state = http_server_start(true);
    return 0;
}

int http_server_teardown(void **state)
{
    http_server_stop(*state);
    return 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

bool http_answer_has(const struct http_answer *answer, const char *text)
{
    return str_find_str(buf_str(&answer->body), str_z(text)) >= 0;
}

void http_expect_answer(const struct http_answer *answer, int status, const char *text)
{
    bool found = !*text || http_answer_has(answer, text) ||
                 str_find_str(buf_str(&answer->head), str_z(text)) >= 0;
    if (answer->status != status || !found) {
        fail_msg("wanted %d with \"%s\", got %.*s%.*s", status, text,
                 STR_ARG(buf_str(&answer->head)), STR_ARG(buf_str(&answer->body)));
    }
}

void http_expect(const struct http_server *server, int status, const char *text,
                 const char *request)
{
    struct http_answer r;
    http_ask(server->port, str_z(request), &r);
    http_expect_answer(&r, status, text);
    http_answer_fini(&r);
}
