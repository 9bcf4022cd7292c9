/* What the files of this service share: its state and small helpers of the handlers. Its rooms:
 *
 *   control/   instances, subnet groups, certificates, assessments, serverless replications, …
 *   endpoint/  sources and targets with their settings, and the test of a connection
 *   task/      tasks as the API sees them: states, settings, positions, statistics, metrics
 *   mapping/   table mappings: which tables and rows, under which names, with which values
 *   worker/    a running task: full load and change capture, one thread with its helpers
 *   file/      rows to objects: CSV, numbers, staged files; parquet/ is the format's writer */
#ifndef CISTERN_DMS_INTERNAL_H
#define CISTERN_DMS_INTERNAL_H

#include <stdbool.h>

#include "emulators/dms/dms_model.h"
#include "emulators/dms/dms_store.h"
#include "server/base/clock.h"
#include "server/base/list.h"
#include "server/base/mem.h"
#include "server/http/call.h"

struct core;
struct timer;

/* The service's state (call->state). Core thread. */
struct dms {
    struct core *core;
    struct link workers; /* running tasks */
    struct link tests;   /* connection tests under way */
    struct link probes;  /* visits of sources under way */
    struct timer *metrics;
    struct dms_machine *machine; /* dms_machine.h */
    int64_t started_ms;          /* of this process: what was under way before is over */
};

/* Codes that the service uses beyond its model. */
extern const struct aws_error dms_InvalidParameterValueException;
extern const struct aws_error dms_InvalidParameterCombinationException;

/* States of a task, as the API shows them. */
enum dms_task_state {
    DMS_TASK_CREATING,
    DMS_TASK_READY,
    DMS_TASK_STARTING,
    DMS_TASK_RUNNING,
    DMS_TASK_STOPPING,
    DMS_TASK_STOPPED,
    DMS_TASK_FAILED,
    DMS_TASK_DELETING,
};
struct str dms_task_state_name(enum dms_task_state state);
/* May the task go from the state in its row to this one? Sets it if so. */
bool dms_task_move(struct dms_task_row *t, enum dms_task_state to);
bool dms_task_in(const struct dms_task_row *t, enum dms_task_state state);

/* ST_INVALID, with the reason as text in the arena. */
enum status dms_refuse(struct arena *a, struct str *ret_error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- handlers' helpers ------------------------------------------------------------------------ */
static inline struct dms *dms_of(struct call *c)
{
    return c->state;
}

/* "arn:aws:dms:region:account:<kind>:<id>", with the caller's own id when one was given. */
struct str dms_new_arn(struct call *c, const char *kind, struct str given);
/* What follows its last colon. */
struct str dms_arn_id(struct str arn);
struct dms_owner dms_owner_of(const struct call *c);
/* Identifiers: letters, digits and hyphens, a letter first, no hyphen last or twice in a row, 1 to
 * 255 characters. Anything else fails the call. */
enum status dms_check_ident(struct call *c, const char *member, struct str ident) MUST_CHECK;

/* Filters: does `value` fit those of the list that have this name? Names not in the
 * NULL-terminated `known` fail the call. */
enum status dms_check_filters(struct call *c, const struct dms_filter_list *filters,
                              const char *const *known) MUST_CHECK;
bool dms_filter_fits(const struct dms_filter_list *filters, const char *name, struct str value);

/* None of what the filters ask for, of which there are some, is a failure. `noun`: "endpoint". */
enum status dms_need_any(struct call *c, const char *noun, size_t n,
                         const struct dms_filter_list *filters) MUST_CHECK;

/* What a Describe operation is asked for: of a request with these three members, or all but the
 * filters. */
struct dms_ask {
    const struct dms_filter_list *filters;
    struct opt_i64 max_records;
    struct str marker;
};
#define DMS_ASK(in) (&(const struct dms_ask){ &(in)->Filters, (in)->MaxRecords, (in)->Marker })
#define DMS_ASK_ALL(in) (&(const struct dms_ask){ NULL, (in)->MaxRecords, (in)->Marker })
/* Leaves one page of a generated list of all items, at most `most`. The marker tells the last
 * one's index; absent: that was all. */
#define DMS_PAGE_MAX 100
#define dms_cut(c, ask, most, list, ret_marker) \
    dms_cut_n((c), (ask), (most), sizeof(*(list)->v), (list), (ret_marker))
enum status dms_cut_n(struct call *c, const struct dms_ask *ask, int64_t most, size_t size,
                      void *list, struct str *ret_marker) MUST_CHECK;

/* --- tasks, for the service's life and the workers -------------------------------------------- */
/* The state of a task's row after its worker ended (enum dms_end), in the current transaction. */
void dms_task_ended(struct dms *dms, int64_t id, int end, struct str text);
/* The worker reached the source. */
void dms_task_is_up(struct dms *dms, int64_t id);
/* Where its log goes: "dms-tasks-<instance>", "dms-task-<resource id>", and the serverless forms.
 */
void dms_log_names(struct arena *a, const struct dms_task_row *t, struct str instance,
                   struct str *ret_group, struct str *ret_stream);
/* Prefix of the identifiers of tasks that belong to a serverless replication: no task of the user
 * can be named so. */
#define DMS_CONFIG_PREFIX "replication-config:"
/* Continues tasks that ran when the server was stopped. */
enum status dms_tasks_resume(struct dms *dms) MUST_CHECK;

/* --- connection tests --- */
void dms_tests_stop(struct dms *dms);

#endif
