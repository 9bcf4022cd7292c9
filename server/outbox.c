/* Rows wait in the table; `flight` says whose turn it is: 0 waiting, 1 handed over, 2 of a kind
 * that nobody registered. The set of ids in memory is what really counts as "in flight": after a
 * pass that was rolled back the column may say less. */
#include "server/outbox.h"

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/map.h"
#include "server/base/mem.h"
#include "server/core.h"
#include "server/loop/loop.h"
#include "server/store/db.h"

/* The wall clock may be set while a timer runs: look again after this at the latest. */
#define OUTBOX_LOOK_MS 60000
/* After the database refused. */
#define OUTBOX_TROUBLE_MS 1000
/* For rows that could not be handed over yet. */
#define OUTBOX_SKIPPED_MS 20
#define OUTBOX_ARENA_MAX (256u << 20)

struct outbox_kind {
    const char *name;
    outbox_fn fn;
    void *state;
};

struct outbox {
    struct core *core;
    struct outbox_kind kinds[OUTBOX_KINDS_MAX];
    size_t n_kinds;
    struct map flight; /* the 8 bytes of an id → outbox */
    struct timer *timer;
    bool running;
    bool dirty; /* something was added or became due since the last look */
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"
    " target TEXT, due_ms INTEGER NOT NULL, attempt INTEGER NOT NULL, payload BLOB,"
    " created_ms INTEGER NOT NULL, flight INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS outbox_due ON outbox(due_ms, id) WHERE flight=0;";

static struct outbox *outbox_of(struct core *core)
{
    return *core_slot(core, "outbox", NULL);
}

static struct str id_key(const int64_t *id)
{
    return (struct str){ (const char *)id, sizeof(*id) };
}

static const struct outbox_kind *find_kind(const struct outbox *o, struct str name)
{
    for (size_t i = 0; i < o->n_kinds; i++) {
        if (str_eqz(name, o->kinds[i].name)) {
            return &o->kinds[i];
        }
    }
    return NULL;
}

/* --- handing over ----------------------------------------------------------------------------- */

static void look(void *arg);

static void look_again(struct outbox *o, int64_t delay_ms)
{
    int64_t ms = delay_ms < 0 ? 0 : delay_ms;
    timer_start(o->timer, ms < OUTBOX_LOOK_MS ? ms : OUTBOX_LOOK_MS, 0);
}

/* Waits for the next row that is due. */
static void arm(struct outbox *o)
{
    int64_t due;
    enum status st = db_get_i64(core_db(o->core), &due,
                                "SELECT due_ms FROM outbox WHERE flight=0 ORDER BY due_ms LIMIT 1");
    if (st == ST_OK) {
        look_again(o, due - clock_now_ms());
    } else if (st == ST_NOT_FOUND) {
        timer_stop(o->timer);
    } else {
        look_again(o, OUTBOX_TROUBLE_MS);
    }
}

static enum status read_due(struct outbox *o, struct arena *a, struct outbox_row *rows,
                            size_t *ret_n)
{
    size_t n = 0;
    struct rows q;
    status_ignore(db_query(core_db(o->core), &q, /* rows_end repeats it */
                           "SELECT id,kind,target,payload,due_ms,created_ms,attempt FROM outbox"
                           " WHERE flight=0 AND due_ms<=? ORDER BY due_ms,id LIMIT ?",
                           bi(clock_now_ms()), bi(OUTBOX_BATCH)));
    while (n < OUTBOX_BATCH && !arena_over(a) && rows_next(&q)) {
        rows[n++] = (struct outbox_row){ .id = rows_i64(&q, 0),
                                         .kind = rows_str(&q, a, 1),
                                         .target = rows_str(&q, a, 2),
                                         .payload = rows_str(&q, a, 3),
                                         .due_ms = rows_i64(&q, 4),
                                         .created_ms = rows_i64(&q, 5),
                                         .attempt = rows_i64(&q, 6) };
    }
    *ret_n = n;
    return rows_end(&q);
}

/* The row may be gone or postponed by the function of the row before it. */
static enum status hand_over(struct outbox *o, const struct outbox_row *row, bool *ret_skipped)
{
    const struct outbox_kind *kind = find_kind(o, row->kind);
    struct db *db = core_db(o->core);
    if (map_get(&o->flight, id_key(&row->id))) {
        *ret_skipped = true; /* its retry isn't committed yet, or its hand-over was rolled back */
        return ST_OK;
    }
    enum status st = db_exec(db, "UPDATE outbox SET flight=? WHERE id=? AND flight=0 AND due_ms=?",
                             bi(kind ? 1 : 2), bi(row->id), bi(row->due_ms));
    if (st != ST_OK || db_changes(db) == 0 || !kind) {
        return st;
    }
    map_put(&o->flight, id_key(&row->id), o);
    kind->fn(kind->state, row);
    return ST_OK;
}

static void look(void *arg)
{
    struct outbox *o = arg;
    if (!o->running) {
        return;
    }
    o->dirty = false;
    struct arena *a = arena_new(OUTBOX_ARENA_MAX);
    struct outbox_row *rows = ARENA_ARRAY(a, struct outbox_row, OUTBOX_BATCH);
    size_t n = 0;
    bool skipped = false;
    enum status st = read_due(o, a, rows, &n);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        st = hand_over(o, &rows[i], &skipped);
    }
    arena_free(a);
    if (st != ST_OK) {
        look_again(o, OUTBOX_TROUBLE_MS);
    } else if (skipped) {
        look_again(o, OUTBOX_SKIPPED_MS);
    } else {
        arm(o); /* rows beyond the batch are due already: at once, after the sockets */
    }
}

static void kick(void *arg, bool committed)
{
    struct outbox *o = arg;
    if (committed && o->dirty) {
        look(o);
    }
}

static void changed(struct outbox *o)
{
    o->dirty = true;
    core_after_commit(o->core, kick, o);
}

/* --- the services' side ----------------------------------------------------------------------- */

void outbox_register(struct core *core, const char *kind, outbox_fn fn, void *state)
{
    struct outbox *o = outbox_of(core);
    if (o->n_kinds == OUTBOX_KINDS_MAX || find_kind(o, str_z(kind))) {
        log_error("outbox", "kind %s cannot be registered: known already, or too many kinds", kind);
        abort();
    }
    o->kinds[o->n_kinds++] = (struct outbox_kind){ .name = kind, .fn = fn, .state = state };
}

enum status outbox_add(struct core *core, const char *kind, struct str target, struct str payload,
                       int64_t due_ms, int64_t *ret_id)
{
    struct outbox *o = outbox_of(core);
    int64_t now = clock_now_ms();
    enum status st =
        db_exec(core_db(core),
                "INSERT INTO outbox(kind,target,due_ms,attempt,payload,created_ms,flight)"
                " VALUES(?,?,?,0,?,?,?)",
                bz(kind), bs(target), bi(due_ms > 0 ? due_ms : now), bs(payload), bi(now),
                bi(find_kind(o, str_z(kind)) ? 0 : 2));
    if (st == ST_OK && ret_id) {
        *ret_id = db_last_rowid(core_db(core));
    }
    if (st == ST_OK) {
        changed(o);
    }
    return st;
}

struct landing {
    struct outbox *o;
    int64_t id;
};

/* The row is finished or waits again: it may be handed over. */
static void landed(void *arg, bool committed)
{
    struct landing *l = arg;
    if (committed) {
        map_del(&l->o->flight, id_key(&l->id));
    }
}

static enum status land(struct outbox *o, int64_t id)
{
    if (db_changes(core_db(o->core)) == 0) {
        return ST_NOT_FOUND;
    }
    struct landing *l = ARENA_NEW(core_pass_arena(o->core), struct landing);
    *l = (struct landing){ .o = o, .id = id };
    core_after_commit(o->core, landed, l);
    return ST_OK;
}

enum status outbox_done(struct core *core, int64_t id)
{
    enum status st = db_exec(core_db(core), "DELETE FROM outbox WHERE id=?", bi(id));
    return st == ST_OK ? land(outbox_of(core), id) : st;
}

enum status outbox_retry(struct core *core, int64_t id, int64_t due_ms, struct str payload)
{
    enum status st = db_exec(core_db(core),
                             "UPDATE outbox SET due_ms=?,attempt=attempt+1,flight=0,"
                             "payload=coalesce(?,payload) WHERE id=?",
                             bi(due_ms), bs(payload), bi(id));
    if (st == ST_OK) {
        st = land(outbox_of(core), id);
    }
    if (st == ST_OK) {
        changed(outbox_of(core));
    }
    return st;
}

enum status outbox_hurry(struct core *core, const char *kind)
{
    enum status st = db_exec(core_db(core),
                             "UPDATE outbox SET due_ms=?1 WHERE kind=?2 AND flight=0 AND due_ms>?1",
                             bi(clock_now_ms()), bz(kind));
    if (st == ST_OK && db_changes(core_db(core)) > 0) {
        changed(outbox_of(core));
    }
    return st;
}

int64_t outbox_pending(struct core *core, const char *kind, int64_t due_before_ms)
{
    int64_t n = 0;
    enum status st = db_get_i64(
        core_db(core), &n,
        "SELECT count(*) FROM outbox WHERE kind=? AND (flight=1 OR (flight=0 AND due_ms<=?))",
        bz(kind), bi(due_before_ms));
    return st == ST_OK ? n : 1; /* not to be known: not idle */
}

bool outbox_in_flight(struct core *core, int64_t id)
{
    return map_get(&outbox_of(core)->flight, id_key(&id)) != NULL;
}

/* --- the core's side -------------------------------------------------------------------------- */

static void outbox_free(void *value)
{
    struct outbox *o = value;
    timer_free(o->timer);
    map_fini(&o->flight);
    free(o);
}

enum status outbox_open(struct core *core)
{
    struct outbox *o = xcalloc(1, sizeof(*o));
    o->core = core;
    map_init(&o->flight);
    o->timer = timer_new(core_loop(core), look, o);
    *core_slot(core, "outbox", outbox_free) = o;
    return db_script(core_db(core), schema);
}

/* What the last process had in flight, and kinds that are known now. */
static enum status revive(struct outbox *o)
{
    struct db *db = core_db(o->core);
    enum status st = db_exec(db, "UPDATE outbox SET flight=2 WHERE flight<>2");
    for (size_t i = 0; i < o->n_kinds && st == ST_OK; i++) {
        st = db_exec(db, "UPDATE outbox SET flight=0 WHERE kind=?", bz(o->kinds[i].name));
    }
    return st;
}

enum status outbox_start(struct core *core)
{
    struct outbox *o = outbox_of(core);
    map_fini(&o->flight); /* after a reset: the services were stopped, nothing is under way */
    enum status st = revive(o);
    if (st == ST_OK) {
        o->running = true;
        look(o);
    }
    return st;
}

void outbox_stop(struct core *core)
{
    struct outbox *o = outbox_of(core);
    o->running = false;
    timer_stop(o->timer);
}
