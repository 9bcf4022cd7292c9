/* One HTTP exchange: the call together with its transport. Made when the request line is there,
 * freed when the answer has left or the client is gone.
 *
 * Who owns it: the HTTP thread of its connection; from exchange_to_core() until the core resumes
 * the connection, the core thread. Nobody ever shares it. */
#ifndef CISTERN_HTTP_EXCHANGE_H
#define CISTERN_HTTP_EXCHANGE_H

#include "server/base/list.h"
#include "server/http/authenticate.h"
#include "server/http/body.h"
#include "server/http/call.h"
#include "server/http/headers.h"
#include "server/http/reply.h"
#include "server/http/route.h"
#include "server/wire/codec.h"

struct MHD_Connection;
struct listener;
struct watch;

enum exchange_phase {
    EXCHANGE_HEAD,   /* nothing looked at yet */
    EXCHANGE_BODY,   /* the body arrives */
    EXCHANGE_CORE,   /* the core has it, the connection is suspended */
    EXCHANGE_ANSWER, /* the reply is rendered */
    EXCHANGE_SENT,   /* queued to the client */
};

struct http_exchange {
    struct call call;
    struct call_reply reply;
    struct http_request request;
    struct route route;
    struct http_auth auth;
    struct http_body body;
    struct wire_request wire;
    struct wire_label labels[2];
    struct str content_encoding;   /* without aws-chunked; absent when nothing is left */
    bool content_encoding_changed; /* the one above counts, not the header */

    struct listener *listener;
    struct MHD_Connection *connection;
    int socket;
    enum exchange_phase phase;
    int64_t started_us;
    int64_t sent_bytes; /* of the answer's body, for the log */
    int sent_status;

    /* core thread only */
    struct link in_core;
    bool in_handler;
    bool pending;  /* the handler said ST_PENDING */
    bool finished; /* call_finish() was called */
    enum status finished_with;
    struct watch *hangup; /* looks for the end of the connection while pending */
    void (*on_abort)(void *arg);
    void *on_abort_arg;
};

/* `target` is copied. Never NULL. */
struct http_exchange *exchange_new(struct listener *l, struct core *core, struct str target);
void exchange_free(struct http_exchange *x);
/* The exchange a call is part of (c->http), never NULL. */
struct http_exchange *exchange_of(struct call *c);

/* --- core side (exchange_core.c) -------------------------------------------------------------- */
/* HTTP thread: the connection is already suspended. */
void exchange_to_core(struct http_exchange *x);
/* Core thread, at the end: answers 503. */
void exchange_abandon(struct http_exchange *x);

#endif
