/* The inside of rds_server*.c: one process of one instance. Core thread, but for what a worker that
 * is named here owns meanwhile. */
#ifndef CISTERN_RDS_SERVER_H
#define CISTERN_RDS_SERVER_H

#include <stdatomic.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/buf.h"
#include "server/loop/proc.h"
#include "server/mysql/conn.h"

enum rds_server_state {
    RDS_SERVER_PREPARING, /* its folder is being made */
    RDS_SERVER_STARTING,  /* the process runs, nobody could log in yet */
    RDS_SERVER_UP,
    RDS_SERVER_ENDING, /* it was asked to end */
};

struct rds_server {
    struct link link;
    struct rds *rds;
    struct arena *arena;
    struct str id, name;
    const struct rds_engine *engine;
    enum rds_server_state state;
    const char *dir, *data_dir, *side_dir, *tmp_dir, *init_file;
    const char *source; /* what data_dir is copied from */
    bool from_snapshot;
    bool lower_case; /* MySQL: table names; settled when its folder is made */
    int copy_errno;

    struct proc *proc;   /* NULL: none */
    struct str password; /* the administrator's, new at every start */
    unsigned port;
    bool has_settings; /* its parameter group sets something */
    bool has_binlog;
    struct buf said;     /* on its standard streams */
    const char *failure; /* why we end it ourselves */
    enum rds_after after;
    int working;          /* workers that use this struct */
    bool ended;           /* the process is gone, workers aren't yet */
    atomic_bool cancel;   /* tells them */
    struct timer *killer; /* asks it to end, */
    int64_t kill_ms;      /* until then (clock_mono_ms) */
};

struct rds_server *rds_server_find(const struct rds *r, struct str id);
void rds_server_free(struct rds_server *s);
/* Notes the state and the reason in the row, and forgets the server. */
void rds_server_failed(struct rds_server *s, const char *state, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- rds_process.c ---------------------------------------------------------------------------- */
void rds_server_spawn(struct rds_server *s, const char *const *argv);
/* The process has ended and no worker uses `s` any more: what follows it. */
void rds_server_gone(struct rds_server *s);

/* --- rds_login.c: workers that talk to the server --------------------------------------------- */
/* Logs in as soon as the server lets us, runs the statements, then done(s, NULL) or done(s, why).
 */
void rds_server_login(struct rds_server *s, struct str statements,
                      void (*done)(struct rds_server *s, const struct mysql_err *err));

/* --- rds_template.c --------------------------------------------------------------------------- */
/* Sets s->source to an empty data folder of the engine, made when there is none yet; then
 * done(s, NULL), or done(s, what to tell the user). */
void rds_template_get(struct rds_server *s,
                      void (*done)(struct rds_server *s, const char *problem));

#endif
