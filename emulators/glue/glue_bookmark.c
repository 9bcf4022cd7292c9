/* Bookmarks: GetJobBookmark and ResetJobBookmark, and the way by which a script's Job object reads
 * and saves them:
 *
 *   GET /_cistern/glue/bookmarks/RUN_ID   {"state":JSON or null,"version":n} of the run's job
 *   PUT /_cistern/glue/bookmarks/RUN_ID   the body, any JSON, is saved; only while the run goes on
 */
#include "emulators/glue/glue_bookmark_store.h"
#include "emulators/glue/glue_internal.h"
#include "server/http/admin.h"
#include "server/wire/codec.h"
#include "server/wire/json.h"

#define PATH "/_cistern/glue/bookmarks/"
#define STATE_MAX (1u << 20)
#define ANSWER_MAX (STATE_MAX + 1024)

/* --- operations ------------------------------------------------------------------------------- */
/* AWS's words for a job that saved no bookmark. */
static enum status find_bookmark(struct call *c, struct str job_name, struct str run_id,
                                 struct glue_job_bookmark_entry **ret)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_job *job;
    enum status st = glue_find_job(c, job_name, &job);
    if (st != ST_OK) {
        return st;
    }
    *ret = ARENA_NEW(c->arena, struct glue_job_bookmark_entry);
    st = glue_store_bookmark(c->db, c->arena, &owner, job_name, run_id, *ret);
    if (st == ST_NOT_FOUND && str_set(run_id)) {
        return call_fail(c, &glue_EntityNotFoundException,
                         "Continuation for job %.*s and run %.*s not found", STR_ARG(job_name),
                         STR_ARG(run_id));
    }
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Continuation for job %.*s not found",
                         STR_ARG(job_name));
    }
    return call_status(c, st);
}

enum status glue_get_job_bookmark(struct call *c, const struct glue_get_job_bookmark_request *in,
                                  struct glue_get_job_bookmark_response *ret_out)
{
    return find_bookmark(c, in->JobName, in->RunId, &ret_out->JobBookmarkEntry);
}

/* Without a RunId the next run begins from the start; with one, from where that run ended. */
enum status glue_reset_job_bookmark(struct call *c,
                                    const struct glue_reset_job_bookmark_request *in,
                                    struct glue_reset_job_bookmark_response *ret_out)
{
    struct glue_owner owner = glue_owner_of(c);
    struct glue_job_bookmark_entry *entry;
    enum status st = find_bookmark(c, in->JobName, in->RunId, &entry);
    if (st != ST_OK) {
        return st;
    }
    if (!str_set(in->RunId)) {
        *entry = (struct glue_job_bookmark_entry){
            .JobName = in->JobName,
            .Version = OPT_I64(0),
            .Run = OPT_I64(0),
            .Attempt = OPT_I64(0),
        };
    }
    ret_out->JobBookmarkEntry = entry;
    return call_status(c, glue_store_rewind_bookmark(c->db, &owner, in->JobName, entry->Version.v));
}

/* --- for scripts ------------------------------------------------------------------------------ */
static const struct aws_error no_run = { .code = "EntityNotFoundException", .http_status = 404 };
static const struct aws_error not_active = { .code = "IllegalStateException", .http_status = 409 };
static const struct aws_error bad_state = { .code = "InvalidInputException", .http_status = 400 };
static const struct aws_error too_big = { .code = "InvalidInputException", .http_status = 413 };

static enum status run_of_path(struct call *c, struct glue_run_row *ret)
{
    struct str id = str_sub(c->path, sizeof(PATH) - 1, c->path.n);
    enum status st = glue_store_run(c->db, c->arena, id, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &no_run, "There is no job run '%.*s'.", STR_ARG(id));
    }
    return call_status(c, st);
}

static enum status reply(struct call *c, struct str state, int64_t version)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    buf_puts(&b, "{\"state\":");
    buf_str_add(&b, str_set(state) ? state : STR("null"));
    buf_printf(&b, ",\"version\":%lld}\n", (long long)version);
    enum status st = buf_ok(&b) ? ST_OK : ST_NOMEM;
    if (st == ST_OK) {
        call_reply_bytes(c, STR("application/json"), buf_str(&b));
    }
    buf_fini(&b);
    return call_status(c, st);
}

static enum status reply_newest(struct call *c, const struct glue_run_row *run)
{
    struct glue_job_bookmark_entry entry = { 0 };
    enum status st =
        glue_store_bookmark(c->db, c->arena, &run->owner, run->run->JobName, STR_NONE, &entry);
    return st == ST_OK || st == ST_NOT_FOUND ? reply(c, entry.JobBookmark, entry.Version.v)
                                             : call_status(c, st);
}

static enum status load(struct call *c, void *arg)
{
    (void)arg;
    struct glue_run_row run;
    enum status st = run_of_path(c, &run);
    return st == ST_OK ? reply_newest(c, &run) : st;
}

static enum status save(struct call *c, void *arg)
{
    (void)arg;
    struct glue_run_row run;
    struct json_value *parsed;
    struct str why, state = str_trim(c->body.bytes);
    enum status st = run_of_path(c, &run);
    if (st != ST_OK) {
        return st;
    }
    if (!str_eqz(run.run->JobRunState, "RUNNING") && !str_eqz(run.run->JobRunState, "STOPPING")) {
        return call_fail(c, &not_active,
                         "Job run %.*s is %.*s: only a run under way can save a bookmark.",
                         STR_ARG(run.run->Id), STR_ARG(run.run->JobRunState));
    }
    if (state.n > STATE_MAX) {
        return call_fail(c, &too_big, "A bookmark has at most %u bytes, not %zu.", STATE_MAX,
                         state.n);
    }
    if (json_parse(c->arena, state, &parsed, &why) != ST_OK) {
        return call_fail(c, &bad_state, "The bookmark is no JSON: %.*s.", STR_ARG(why));
    }
    st = glue_store_save_bookmark(c->db, c->arena, &run, state);
    return st == ST_OK ? reply_newest(c, &run) : call_status(c, st);
}

void glue_bookmark_init(struct glue_state *g)
{
    http_admin_register("GET", PATH, 0, load, g);
    http_admin_register("PUT", PATH, 0, save, g);
}
