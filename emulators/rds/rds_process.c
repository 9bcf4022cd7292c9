/* The process itself: started, asked to end, frozen for a snapshot, and what follows its end. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

#include "emulators/rds/rds_server.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/store/tree.h"

#define KILL_AFTER_MS 60000 /* a server that doesn't end when it is asked to */
#define ASK_EVERY_MS 200    /* a server that has only begun to start may miss the signal */

/* --- the end ---------------------------------------------------------------------------------- */
/* The row goes at once, the folder in the background. */
static void delete_instance(struct rds *r, struct arena *a, const struct rds_instance *i)
{
    const char *dir = rds_instance_dir(r, a, i->id);
    status_ignore(rds_event(r, a, i, i->doc->DBInstanceStatus, STR_NONE));         /* logged */
    status_ignore(rds_store_remove(core_db(r->core), i->id));                      /* too */
    status_ignore(tags_clear(core_db(r->core), &rds_tags, i->doc->DBInstanceArn)); /* too */
    tree_remove_later(core_loop(r->core), dir);
}

static void follow(struct rds *r, struct str id, enum rds_after after)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    struct rds_instance i;
    if (after == RDS_THEN_SERVER_ENDS || rds_store_by_id(core_db(r->core), a, id, &i) != ST_OK) {
        return;
    }
    if (after == RDS_THEN_START) {
        rds_server_launch(r, &i);
    } else if (after == RDS_THEN_DELETE) {
        delete_instance(r, a, &i);
    } else {
        status_ignore(rds_set_status(r, a, &i, "stopped")); /* logged */
    }
}

void rds_server_gone(struct rds_server *s)
{
    if (s->working > 0) {
        return; /* the last worker calls again */
    }
    struct rds *r = s->rds;
    if (s->state == RDS_SERVER_ENDING || s->after == RDS_THEN_DELETE ||
        s->after == RDS_THEN_SERVER_ENDS) {
        CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
        struct str id = arena_str(a, s->id);
        enum rds_after after = s->after;
        rds_export(r, id); /* its last words */
        rds_server_free(s);
        follow(r, id, after);
        return;
    }
    const char *state =
        s->state == RDS_SERVER_STARTING && s->has_settings ? "incompatible-parameters" : "failed";
    if (s->failure) {
        rds_server_failed(s, state, "Setting it up failed: %s", s->failure);
    } else {
        rds_server_failed(s, state, "Its database server ended by itself; %s/error.log tells more.",
                          s->dir);
    }
}

static void exited(void *arg, const struct proc_result *result)
{
    struct rds_server *s = arg;
    timer_free(s->killer);
    s->killer = NULL;
    s->proc = NULL;
    s->ended = true;
    atomic_store(&s->cancel, true);
    if (result->start_errno) {
        s->failure =
            arena_printf(s->arena, "%s: %s.", s->engine->program, strerror(result->start_errno)).p;
    }
    rds_server_gone(s);
}

static void ask_to_end(void *arg)
{
    struct rds_server *s = arg;
    if (clock_mono_ms() < s->kill_ms) {
        proc_kill(s->proc, SIGTERM);
        return;
    }
    log_warn(RDS_TOPIC, "instance %.*s: its server doesn't end; killed", STR_ARG(s->name));
    proc_kill(s->proc, SIGKILL);
}

static void end_now(struct rds_server *s, enum rds_after after)
{
    s->after = after;
    atomic_store(&s->cancel, true);
    if (!s->proc) {
        return; /* its folder is being made: the next step sees `after` */
    }
    s->state = RDS_SERVER_ENDING;
    proc_kill(s->proc, SIGCONT); /* a snapshot may have stopped it */
    s->kill_ms = clock_mono_ms() + KILL_AFTER_MS;
    if (!s->killer) {
        s->killer = timer_new(core_loop(s->rds->core), ask_to_end, s);
        timer_start(s->killer, 0, ASK_EVERY_MS);
    }
}

struct end {
    struct rds *rds;
    enum rds_after after;
    char id[];
};

static void end_committed(void *arg, bool committed)
{
    struct end *e = arg;
    struct rds_server *s = rds_server_find(e->rds, str_z(e->id));
    if (committed && s) {
        end_now(s, e->after);
    } else if (committed) {
        follow(e->rds, str_z(e->id), e->after);
    }
    free(e);
}

void rds_server_end(struct rds *r, struct str id, enum rds_after after)
{
    struct end *e = xcalloc(1, sizeof(*e) + id.n + 1);
    e->rds = r;
    e->after = after;
    memcpy(e->id, id.p, id.n);
    core_after_commit(r->core, end_committed, e);
}

static bool none_left(void *arg)
{
    const struct rds *r = arg;
    return list_empty(&r->servers) && r->asked == 0;
}

void rds_server_end_all(struct rds *r)
{
    for (struct link *l = r->servers.next, *next; l != &r->servers; l = next) {
        next = l->next;
        end_now(CONTAINER_OF(l, struct rds_server, link), RDS_THEN_SERVER_ENDS);
    }
    (void)core_wait(r->core, none_left, r, KILL_AFTER_MS + 5000); /* those that stay are killed */
}

/* --- the beginning ---------------------------------------------------------------------------- */
static void on_output(void *arg, int stream, struct str bytes)
{
    struct rds_server *s = arg;
    (void)stream;
    buf_str_add(&s->said, bytes); /* beyond its limit the rest is lost */
}

void rds_server_spawn(struct rds_server *s, const char *const *argv)
{
    static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/bin", "LANG=C", "TZ=UTC", NULL };
    const struct proc_options options = { .argv = argv,
                                          .env = env,
                                          .cwd = s->data_dir,
                                          .uid = s->rds->uid,
                                          .gid = s->rds->gid,
                                          .on_output = on_output,
                                          .on_exit = exited,
                                          .arg = s };
    atomic_store(&s->cancel, false);
    s->ended = false;
    buf_clear(&s->said);
    s->proc = proc_start(core_loop(s->rds->core), &options);
}
