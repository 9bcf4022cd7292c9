/* A private MariaDB server for a test: its own data folder under /tmp, loopback port and socket,
 * row binlog, root without password. It dies with the test. A server that cannot be started ends
 * the test program with a message. */
#ifndef CISTERN_TESTS_MARIADB_H
#define CISTERN_TESTS_MARIADB_H

#include <sys/types.h>

struct mariadb;

/* Starts a server and waits until it answers. `options`: more command line options, ended by NULL,
 * or NULL. About 0.7 s for the first one. */
struct mariadb *mariadb_start(const char *const *options);
/* SIGTERM, wait, remove the folder. NULL is fine. */
void mariadb_stop(struct mariadb *m);
/* Stops (SIGTERM, or SIGKILL if `hard`) and starts again on the same data. */
void mariadb_restart(struct mariadb *m, int hard);

const char *mariadb_socket(const struct mariadb *m);
unsigned mariadb_port(const struct mariadb *m); /* on 127.0.0.1 */
pid_t mariadb_pid(const struct mariadb *m);
const char *mariadb_folder(const struct mariadb *m);

#endif
