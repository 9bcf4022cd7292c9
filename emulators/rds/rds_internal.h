/* What the files of RDS share. Core thread unless noted. */
#ifndef CISTERN_RDS_INTERNAL_H
#define CISTERN_RDS_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "emulators/rds/rds_store.h"
#include "server/base/list.h"
#include "server/http/call.h"

struct busy;
struct rds_known;
struct core;
struct timer;

#define RDS_TOPIC "rds"
#define RDS_ARENA_MAX ((size_t)16 << 20)

/* --- engines (rds_engine.c) ----------------------------------------------------------------------
 * The database servers of this machine. */
struct rds_engine {
    const char *name;    /* "mariadb", "mysql" */
    const char *program; /* absolute path; NULL: not installed */
    size_t rank;         /* when it was looked at: the first one is taken */
    struct str version;  /* "10.11.19" */
    struct str major;    /* "10.11" */
    struct str family;   /* of parameter groups: "mariadb10.11" */
};
enum { RDS_N_ENGINES = 2 };

struct rds {
    struct core *core;
    struct link servers; /* struct rds_server */
    struct rds_engine engines[RDS_N_ENGINES];
    bool engines_known;
    bool asking;                    /* programs are being asked for their versions */
    int asked;                      /* answers outstanding */
    bool installing[RDS_N_ENGINES]; /* a template of the engine is being made */
    struct link waiting;            /* calls that need the engines */
    void (*when_known)(struct rds *r);
    struct arena *arena; /* of the engines' texts */
    struct timer *retention, *exports;
    uid_t uid; /* whom servers run as; 0: we aren't root, or nobody else can reach the folder */
    gid_t gid;
};

struct rds *rds_of(const struct call *c);
/* ST_OK: engines are known. ST_PENDING: they are being found out; `again(c, in, out)` runs then and
 * the call is finished with what it returns: a handler just returns this. */
typedef enum status (*rds_again_fn)(struct call *c, const void *in, void *out);
enum status rds_need_engines(struct call *c, rds_again_fn again, const void *in, void *out);
/* Runs fn(r) when they are known: at once, or later. One such wish at a time. */
void rds_when_engines_known(struct rds *r, void (*fn)(struct rds *r));
/* By name; NULL when there is no such engine or its server isn't installed. */
const struct rds_engine *rds_engine(const struct rds *r, struct str name);
/* What to install for it. */
const char *rds_engine_remedy(struct str name);
void rds_engines_fini(struct rds *r);

/* --- whom servers run as (rds_user.c) --- */
/* Sets r->user, uid and gid; once, when the engines are found out. */
void rds_choose_user(struct rds *r);

/* --- folders (rds_data.c) --------------------------------------------------------------------- */
/* DATA/rds/<id>, DATA/rds/snapshots/<id> */
const char *rds_instance_dir(const struct rds *r, struct arena *a, struct str id);
const char *rds_snapshot_dir(const struct rds *r, struct arena *a, struct str id);
/* Any thread. Copies a folder with everything in it; holes stay holes; owner and mode are kept when
 * we may. `to` must not exist; on failure what was made is removed and errno tells. */
bool rds_copy_tree(const char *from, const char *to);
/* Any thread. Gives a folder to a user. */
bool rds_chown_tree(const char *dir, uid_t uid, gid_t gid);

/* --- servers (rds_server.c): the process of an instance --------------------------------------- */
/* What follows when the process has ended. */
enum rds_after { RDS_THEN_STAY, RDS_THEN_START, RDS_THEN_DELETE, RDS_THEN_SERVER_ENDS };
/* Brings the instance's process up: makes its folder when it has none (from i->source, when
 * given), starts it, runs i->setup, and says "available"; or says why not by the instance's status.
 * After the commit of this pass. */
void rds_server_launch(struct rds *r, const struct rds_instance *i);
/* Ends it in an orderly way. Without a process `after` happens at once (after the commit). */
void rds_server_end(struct rds *r, struct str id, enum rds_after after);
/* Runs statements (one per line) as administrator on the running server, in a worker; errors go to
 * the log. Not running: does nothing. */
void rds_server_run(struct rds *r, struct str id, struct str statements);
/* The same for values of its parameter group: a refusal also shows as "failed-to-apply". */
void rds_server_set(struct rds *r, struct str id, struct str statements);
/* Copies its folder as of one instant, while the process stands still, into the snapshot's, and
 * then marks both available. */
void rds_server_snapshot(struct rds *r, struct str id, struct str snapshot_id);
bool rds_server_is_up(const struct rds *r, struct str id);
/* Servers that come or go just now. */
void rds_server_busy(const struct rds *r, struct busy *busy);
void rds_server_end_all(struct rds *r);
/* Purges binary logs as `binlog retention hours` of each says. */
void rds_server_keep_binlogs(struct rds *r);

/* --- logs (rds_log.c, rds_export.c) ----------------------------------------------------------- */
struct rds_log {
    const char *type, *name, *path; /* "error"; as RDS shows it; below the instance's folder */
};
/* By its type; NULL: none. */
const struct rds_log *rds_log(struct str type);
/* Sends to CloudWatch what the logs of an instance, or of all, gained, where its exports say so.
 * Part of the current transaction; errors go to our log. */
void rds_export(struct rds *r, struct str id);
void rds_export_all(struct rds *r);
/* Are they logs that the instance can export? */
enum status rds_check_exports(struct call *c, const struct rds_instance *i,
                              const struct rds_log_type_list *types) MUST_CHECK;
enum status
rds_change_exports(struct call *c, struct rds_instance *i,
                   const struct rds_cloudwatch_logs_export_configuration *change) MUST_CHECK;

/* --- time zones (rds_zone.c); any thread ------------------------------------------------------ */
/* Makes a file of the statements, one per line, that fill the empty tables of time zones with those
 * of this machine. False: it has none, or errno tells. */
bool rds_zones_write(const char *path);
/* Is it the name of one ("UTC", "Europe/Rome")? */
bool rds_zone_is(struct str name);

/* --- what a server is told (rds_options.c) ---------------------------------------------------- */
/* The argument vector, in the arena. `settings`: the values of its parameter group. */
const char *const *rds_options_argv(const struct rds *r, struct arena *a,
                                    const struct rds_instance *i, const char *init_file,
                                    const struct rds_settings *settings);

/* --- the SQL that makes a server RDS's (rds_setup.c); one statement per line ------------------ */
/* Statements for the init file of every start: the administrator with this password, nobody else's
 * way in. */
struct str rds_setup_init(struct arena *a, struct str engine, struct str password);
/* Statements for the first start: master user, database, the mysql.rds_* procedures. */
struct str rds_setup_first(struct arena *a, const struct rds_instance *i, struct str password);
/* Those for a new master password; they also give back the master user's rights, as on RDS. */
struct str rds_setup_password(struct arena *a, const struct rds_instance *i, struct str password);
/* SET GLOBAL for the settings that aren't options. */
struct str rds_setup_globals(struct arena *a, const struct rds_settings *settings);
/* A parameter's value as SQL; absent: DEFAULT. */
struct str rds_setup_value(struct arena *a, const struct rds_known *k, struct str value);
#define RDS_ADMIN "rdsadmin"

/* --- parameters (rds_parameter.c) ------------------------------------------------------------- */
struct rds_known {
    const char *name, *value; /* value: the engine's default here; NULL: none */
    bool dynamic;             /* can be changed while the server runs */
    const char *type;         /* string, integer, boolean */
    const char *allowed;      /* "1-100", "ROW,STATEMENT,MIXED"; NULL: anything */
    const char *text;         /* description */
    struct {
        unsigned mariadb_from, mariadb_below, mysql_from, mysql_below;
    } in; /* versions that know it */
};
const struct rds_known *rds_known_parameters(size_t *ret_n);
const struct rds_known *rds_known_parameter(struct str name);
/* "mariadb10.11" of the engine "mariadb" → 1011; 0 for what isn't one. */
unsigned rds_family_version(struct str family, struct str engine);
/* "mariadb10.11", "mysql8.4", …: is it one of parameter groups? */
bool rds_is_family(struct str family);
/* Does the family ("mysql8.4") have it? */
bool rds_known_in(const struct rds_known *k, struct str family);
/* Its default in the family; NULL: none of ours. */
const char *rds_known_value(const struct rds_known *k, struct str family);
/* Can it be given on the server's command line? Else it is set when the server is up. */
bool rds_known_is_option(const struct rds_known *k);
bool rds_value_fits(const struct rds_known *k, struct str value);

/* --- shared by handlers (rds_common.c) -------------------------------------------------------- */
extern const struct aws_error rds_InvalidParameterValue, rds_InvalidParameterCombination;
struct rds_owner rds_owner_of(const struct call *c);
/* The name in "arn:…:<kind>:<name>" or as it is, in lower case. */
struct str rds_name_of(struct call *c, const char *kind, struct str name_or_arn);
/* The instance by name or ARN, or the call failed with DBInstanceNotFound. */
enum status rds_find(struct call *c, struct str name, struct rds_instance *ret) MUST_CHECK;
/* Fails with InvalidDBInstanceState unless it is in this state. */
enum status rds_require(struct call *c, const struct rds_instance *i, const char *state) MUST_CHECK;
/* The part of a list that MaxRecords and Marker ask for: it begins at *ret_from, *n becomes its
 * length, and *ret_marker names what follows. */
enum status rds_page(struct call *c, struct opt_i64 max, struct str marker, size_t *n,
                     size_t *ret_from, struct str *ret_marker) MUST_CHECK;
/* Is `value` among the filter's values, or isn't there such a filter? */
bool rds_filter_fits(const struct rds_filter_list *filters, const char *name, struct str value);
/* Only filters of these names (NULL-terminated). */
enum status rds_check_filters(struct call *c, const struct rds_filter_list *filters,
                              const char *const *names) MUST_CHECK;
/* Keeps for DescribeEvents what happened, and tells EventBridge (rds_event.c). */
enum status rds_note(struct rds *r, struct arena *a, const struct rds_owner *owner,
                     const struct rds_fact *fact) MUST_CHECK;
enum status rds_note_instance(struct rds *r, struct arena *a, const struct rds_instance *i,
                              const char *id, const char *category, struct str message) MUST_CHECK;
/* Notes a change of state; `after` absent: the instance is gone. */
enum status rds_event(struct rds *r, struct arena *a, const struct rds_instance *i,
                      struct str before, struct str after) MUST_CHECK;
/* A new state in the kept document; logged and noted. */
enum status rds_set_status(struct rds *r, struct arena *a, struct rds_instance *i,
                           const char *status) MUST_CHECK;
/* Is the version that is asked for ("10.11") the engine's? Absent: any is. */
bool rds_version_fits(const struct rds_engine *e, struct str wanted);
/* 1 to 63 letters, digits, hyphens; begins with a letter, no two hyphens running, none at the end.
 */
enum status rds_check_name(struct call *c, const char *member, struct str name) MUST_CHECK;
/* Does the port accept a listener on 127.0.0.1? 0 asks for any below the ephemeral range. */
int rds_free_port(int wanted);

#endif
