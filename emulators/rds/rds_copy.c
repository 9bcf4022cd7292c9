/* Snapshots: the process is stopped by a signal while its folder is copied. So the copy is the
 * folder of one instant, as after a kill, and recovery makes a consistent database of it; clients
 * only wait.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "emulators/rds/rds_server.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/store/tree.h"

#define STOP_LOOKS 1000 /* at intervals of a millisecond */

struct shot {
    struct rds *rds;
    struct rds_server *server; /* NULL: the instance has no process */
    struct arena *arena;
    struct str id, snapshot;
    const char *from, *to, *side;
    int failed_errno;
    pid_t pid; /* of the process to wait for; 0: none */
};

/* Is the thread stopped? The state is the letter after the name in parentheses. */
static bool is_stopped(int tasks, const char *tid)
{
    char path[64], text[512];
    (void)snprintf(path, sizeof(path), "%.20s/stat", tid);
    CLEANUP(close_fd) int fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    text[n > 0 ? n : 0] = '\0';
    const char *name_end = strrchr(text, ')');
    return !name_end || name_end[1] == '\0' || strchr("TtZX", name_end[2]) != NULL;
}

/* kill() returns before every thread of the process has stopped. */
static bool all_stopped(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    bool stopped = d != NULL;
    struct dirent *e;
    while (stopped && (e = readdir(d)) != NULL) {
        stopped = e->d_name[0] == '.' || is_stopped(dirfd(d), e->d_name);
    }
    if (d) {
        closedir(d);
    }
    return stopped;
}

static bool wait_until_stopped(pid_t pid)
{
    const struct timespec pause = { 0, 1000000 };
    for (int i = 0; i < STOP_LOOKS; i++) {
        if (all_stopped(pid)) {
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    errno = ETIMEDOUT;
    return false;
}

static void shoot(void *arg)
{
    struct shot *shot = arg;
    errno = 0;
    status_ignore(tree_remove(shot->side)); /* logged; the mkdir below tells */
    bool good = (!shot->pid || wait_until_stopped(shot->pid)) && mkdir(shot->side, 0755) == 0 &&
                rds_copy_tree(shot->from, arena_printf(shot->arena, "%s/data", shot->side).p) &&
                rename(shot->side, shot->to) == 0;
    shot->failed_errno = good ? 0 : errno ? errno : EIO;
}

static void note_shot(struct shot *shot, struct arena *a)
{
    struct db *db = core_db(shot->rds->core);
    struct rds_snapshot snapshot;
    struct rds_instance i;
    if (rds_store_snapshot_by_id(db, a, shot->snapshot, &snapshot) == ST_OK) {
        snapshot.doc->Status = str_z(shot->failed_errno ? "failed" : "available");
        snapshot.doc->PercentProgress = OPT_I64(shot->failed_errno ? 0 : 100);
        snapshot.doc->SnapshotCreateTime = OPT_TIME(clock_now_ms());
        status_ignore(rds_store_update_snapshot(db, a, &snapshot)); /* logged */
        const struct rds_fact f = { RDS_EVENTS_SNAPSHOT,
                                    "RDS-EVENT-0042",
                                    "creation",
                                    snapshot.name,
                                    snapshot.doc->DBSnapshotArn,
                                    STR("Manual snapshot created") };
        status_ignore(shot->failed_errno ? ST_OK : rds_note(shot->rds, a, &snapshot.owner, &f));
    }
    if (shot->failed_errno) {
        log_error(RDS_TOPIC, "snapshot %s: %s", shot->to, strerror(shot->failed_errno));
    }
    if (rds_store_by_id(db, a, shot->id, &i) != ST_OK) {
        return;
    }
    bool last = str_eqz(i.doc->DBInstanceStatus, "deleting");
    if (last && !shot->failed_errno) {
        rds_server_end(shot->rds, i.id, RDS_THEN_DELETE);
    } else if (last || str_eqz(i.doc->DBInstanceStatus, "backing-up")) {
        status_ignore(rds_set_status(shot->rds, a, &i, shot->server ? "available" : "stopped"));
    }
}

static void shot_done(void *arg)
{
    struct shot *shot = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new(RDS_ARENA_MAX);
    struct rds_server *s = shot->server;
    if (s) {
        s->working--;
        if (s->proc) {
            proc_kill(s->proc, SIGCONT);
        }
    }
    note_shot(shot, a);
    if (s && s->ended) {
        rds_server_gone(s);
    }
    arena_free(shot->arena);
    free(shot);
}

static void shot_committed(void *arg, bool committed)
{
    struct shot *shot = arg;
    if (!committed || core_stopping(shot->rds->core)) {
        arena_free(shot->arena);
        free(shot);
        return;
    }
    shot->server = rds_server_find(shot->rds, shot->id);
    if (shot->server && shot->server->proc) {
        shot->server->working++;
        shot->pid = proc_pid(shot->server->proc);
        proc_kill(shot->server->proc, SIGSTOP);
    } else {
        shot->server = NULL;
    }
    work_start(core_loop(shot->rds->core), shoot, shot_done, shot);
}

void rds_server_snapshot(struct rds *r, struct str id, struct str snapshot_id)
{
    struct shot *shot = xcalloc(1, sizeof(*shot));
    shot->rds = r;
    shot->arena = arena_new(RDS_ARENA_MAX);
    shot->id = arena_str(shot->arena, id);
    shot->snapshot = arena_str(shot->arena, snapshot_id);
    shot->from = arena_printf(shot->arena, "%s/data", rds_instance_dir(r, shot->arena, id)).p;
    shot->to = rds_snapshot_dir(r, shot->arena, snapshot_id);
    shot->side = arena_printf(shot->arena, "%s.new", shot->to).p;
    core_after_commit(r->core, shot_committed, shot);
}
