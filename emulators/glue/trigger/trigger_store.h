/* Rows of triggers and of the chains that they start (trigger.h). Core thread; strings live in the
 * arena given. */
#ifndef CISTERN_GLUE_TRIGGER_STORE_H
#define CISTERN_GLUE_TRIGGER_STORE_H

#include "emulators/glue/glue_store.h"

#define GLUE_TRIGGER_SCHEMA_SQL                                                              \
    "CREATE TABLE IF NOT EXISTS glue_trigger("                                               \
    " account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,"  \
    " state TEXT NOT NULL, workflow TEXT NOT NULL, due INTEGER, doc TEXT NOT NULL,"          \
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;"                                    \
    "CREATE INDEX IF NOT EXISTS glue_trigger_workflow"                                       \
    " ON glue_trigger(account, region, workflow, type);"                                     \
    "CREATE TABLE IF NOT EXISTS glue_chain_node("                                            \
    " number INTEGER PRIMARY KEY AUTOINCREMENT, chain TEXT NOT NULL, account TEXT NOT NULL," \
    " region TEXT NOT NULL, workflow TEXT NOT NULL, by_trigger TEXT NOT NULL,"               \
    " crawler INTEGER NOT NULL, name TEXT NOT NULL, run TEXT, state TEXT NOT NULL,"          \
    " why TEXT, began_ms INTEGER NOT NULL, ended_ms INTEGER);"                               \
    "CREATE INDEX IF NOT EXISTS glue_chain_node_chain ON glue_chain_node(chain, number);"    \
    "CREATE INDEX IF NOT EXISTS glue_chain_node_run ON glue_chain_node(run);"                \
    "CREATE INDEX IF NOT EXISTS glue_chain_node_name"                                        \
    " ON glue_chain_node(state, account, region, name);"                                     \
    "CREATE TABLE IF NOT EXISTS glue_chain_fired("                                           \
    " chain TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY(chain, name)) WITHOUT ROWID;"

/* --- triggers --------------------------------------------------------------------------------- */
/* ST_EXISTS: the name is taken. */
enum status glue_store_add_trigger(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_trigger *t) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status glue_store_trigger(struct db *db, struct arena *a, const struct glue_owner *o,
                               struct str name, struct glue_trigger **ret) MUST_CHECK;
enum status glue_store_set_trigger(struct db *db, struct arena *a, const struct glue_owner *o,
                                   struct glue_trigger *t) MUST_CHECK;
enum status glue_store_delete_trigger(struct db *db, const struct glue_owner *o,
                                      struct str name) MUST_CHECK;
/* In order of their names; those of a workflow, or all when it is absent ("": of none). */
enum status glue_store_triggers(struct db *db, struct arena *a, const struct glue_owner *o,
                                struct str workflow, struct glue_trigger_list *ret) MUST_CHECK;

/* Row in the outbox that stands for the next firing; 0: none. */
enum status glue_store_trigger_due(struct db *db, const struct glue_owner *o, struct str name,
                                   int64_t *ret) MUST_CHECK;
enum status glue_store_set_trigger_due(struct db *db, const struct glue_owner *o, struct str name,
                                       int64_t row) MUST_CHECK;
/* Everybody's triggers that are planned. */
struct glue_trigger_key {
    struct glue_owner owner;
    struct str name;
};
enum status glue_store_planned_triggers(struct db *db, struct arena *a,
                                        struct glue_trigger_key **ret, size_t *ret_n) MUST_CHECK;

/* --- chains ----------------------------------------------------------------------------------- */
struct glue_chain {
    struct str id;
    struct glue_owner owner;
    struct str workflow; /* "": outside of workflows */
};

#define GLUE_NODE_RUNNING "RUNNING" /* or waiting: it has not ended */
#define GLUE_NODE_RETRIED "RETRIED" /* another node of the same name goes on */

struct glue_chain_node {
    int64_t number;
    struct glue_chain chain;
    struct str trigger;
    bool crawler; /* else a job */
    struct str name;
    struct str run;   /* of the job; absent for crawls and for what couldn't be started */
    struct str state; /* GLUE_NODE_… or how it ended; ERROR: it couldn't be started */
    struct str why;   /* of ERROR */
    int64_t began_ms, ended_ms;
};
struct glue_chain_nodes {
    struct glue_chain_node *v;
    size_t n;
};

/* node->number and chain.id etc. are taken as given; *ret_number may be NULL. */
enum status glue_store_add_node(struct db *db, const struct glue_chain_node *node,
                                int64_t *ret_number) MUST_CHECK;
enum status glue_store_end_node(struct db *db, int64_t number, struct str state, struct str why,
                                int64_t now_ms) MUST_CHECK;
/* In the order in which they began. */
enum status glue_store_nodes(struct db *db, struct arena *a, struct str chain,
                             struct glue_chain_nodes *ret) MUST_CHECK;
/* The node of a job run; none when it was started by hand. */
enum status glue_store_nodes_of_run(struct db *db, struct arena *a, struct str run,
                                    struct glue_chain_nodes *ret) MUST_CHECK;
/* The nodes of a crawler that are running. */
enum status glue_store_nodes_of_crawler(struct db *db, struct arena *a, const struct glue_owner *o,
                                        struct str crawler,
                                        struct glue_chain_nodes *ret) MUST_CHECK;
/* ST_EXISTS: the trigger has fired in this chain already. */
enum status glue_store_set_fired(struct db *db, struct str chain, struct str trigger) MUST_CHECK;
/* Forgets the chain. */
enum status glue_store_delete_chain(struct db *db, struct str chain) MUST_CHECK;

#endif
