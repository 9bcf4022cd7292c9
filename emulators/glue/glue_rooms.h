/* What the rooms of Glue offer one another: triggers, schedules, security configurations, bookmarks
 * and tags. Included by glue_internal.h. Core thread; strings are borrowed for the call. */
#ifndef CISTERN_GLUE_ROOMS_H
#define CISTERN_GLUE_ROOMS_H

#include <stdbool.h>

#include "emulators/glue/glue_store.h"

struct call;
struct glue_state;

/* --- triggers (trigger/): see trigger/trigger.h for what fires when --- */
/* At the service's init and start. */
void glue_trigger_init(struct glue_state *g);
enum status glue_trigger_start(struct glue_state *g) MUST_CHECK;
/* A run reached its final state (its row is written) in this pass: conditional triggers of its
 * chain start their runs in the same transaction. `retry`: id of the run that tries it again,
 * absent when none does. */
void glue_trigger_run_ended(struct glue_state *g, const struct glue_job_run *run, struct str retry);
/* A crawl ended: SUCCEEDED, FAILED, CANCELLED or ERROR. Called by the crawlers in the pass that
 * writes it, for every crawl, whoever started it. */
void glue_trigger_crawl_ended(struct glue_state *g, const struct glue_owner *o, struct str crawler,
                              struct str crawl_state);

/* --- workflows that events start (trigger/workflow_event.c) --- */
/* At init: the outbox's kind and the bus's target "glue". */
void glue_workflow_event_init(struct glue_state *g);
void glue_workflow_event_busy(struct glue_state *g, struct busy *busy);

/* --- what EventBridge is told (glue_event.c) --- */
/* A run is in its final state; every try counts. */
void glue_event_run(struct glue_state *g, const struct glue_owner *o,
                    const struct glue_job_run *run);
void glue_event_crawl_started(struct glue_state *g, const struct glue_owner *o, struct str crawler);
void glue_event_crawl_failed(struct glue_state *g, const struct glue_owner *o, struct str crawler,
                             struct str error);
struct glue_crawl_result {
    int64_t tables_created, tables_updated, tables_deleted;
    int64_t partitions_created, partitions_updated, partitions_deleted;
    int64_t seconds;
};
void glue_event_crawl_succeeded(struct glue_state *g, const struct glue_owner *o,
                                struct str crawler, const struct glue_crawl_result *result);

/* --- schedules of triggers and crawlers (trigger/schedule.c; server/schedule.h runs them) --- */
/* Is this a schedule that Glue takes, `cron(...)` at most every five minutes? Else the call fails
 * with InvalidInputException. */
enum status glue_schedule_check(struct call *c, struct str schedule) MUST_CHECK;

/* --- security configurations (glue_security.c) --- */
/* May a job or run name this configuration (absent: yes)? Else the call fails: there is none, or it
 * asks for an encryption that isn't done here. */
enum status glue_security_check(struct call *c, struct str name) MUST_CHECK;

/* --- bookmarks (glue_bookmark.c) --- */
/* Registers /_cistern/glue/bookmarks/, which the awsglue package of a run uses. */
void glue_bookmark_init(struct glue_state *g);

/* --- tags (glue_tags.c) --- */
/* Checks the tags of a Create operation and keeps them for "<kind>/<name>" (job, trigger, …). */
enum status glue_tags_add(struct call *c, const char *kind, struct str name,
                          const struct glue_tags_map *tags) MUST_CHECK;
/* Forgets those of a deleted thing. */
enum status glue_tags_drop(struct call *c, const char *kind, struct str name) MUST_CHECK;
/* Has "<kind>/<name>" all of these tags (an empty map: yes)? */
enum status glue_tags_match(struct call *c, const char *kind, struct str name,
                            const struct glue_tags_map *want, bool *ret) MUST_CHECK;

#endif
