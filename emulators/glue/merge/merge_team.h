/* Threads of one merge_run(): a team works off numbered pieces, each thread with an environment of
 * its own. The only place of the merge that starts threads; they end before merge_team_run()
 * returns. Private to emulators/glue/merge/. */
#ifndef CISTERN_GLUE_MERGE_TEAM_H
#define CISTERN_GLUE_MERGE_TEAM_H

#include "emulators/glue/merge/merge_env.h"

#define MERGE_MAX_THREADS 64u

/* Threads that a run may use: spec.threads, or one per processor. */
size_t merge_team_size(const struct merge_env *env);

/* Does piece `index`. `env` is the thread's: its counters, error and arena; what it points to
 * besides is shared and read-only, but the entries of res->kept and res->part_info that belong to
 * the piece. */
typedef enum status (*merge_piece_fn)(struct merge_env *env, size_t index, void *ctx);

/* Does the pieces 0..n), in this order of beginning, on up to merge_team_size() threads, the
 * caller's among them. Counters are added to env->res. When some fail, the error is that of the
 * piece with the lowest env->order (its index, unless fn sets another), whatever the timing: later
 * pieces are given up, earlier ones are still done. */
enum status merge_team_run(struct merge_env *env, size_t n, merge_piece_fn fn,
                           void *ctx) MUST_CHECK;

#endif
