/* `cistern serve`: config → folder → core → services → listener; the end is the same list
 * backwards. */
#ifndef CISTERN_SERVE_H
#define CISTERN_SERVE_H

/* argv starts at the first option. Returns the exit status: 0 after a signal, 1 when it could not
 * run, 2 for wrong options. */
int serve_main(int argc, char **argv);

/* Set by `exec` for the server it starts: the server ends when that process (its parent) does. */
#define SERVE_PARENT_ENV "CISTERN_EXEC_PARENT"

#endif
