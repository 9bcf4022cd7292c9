/* Registered executables: `name = command` lines of the file that --functions names. Core thread.
 */
#ifndef CISTERN_LAMBDA_REGISTERED_H
#define CISTERN_LAMBDA_REGISTERED_H

#include "emulators/lambda/lambda_state.h"

/* At start: adds the file's functions for the default account and region; one that is there already
 * gets the file's command. Nothing to do without a file. Failures are logged with file and line. */
enum status lambda_registered_load(struct lambda *l) MUST_CHECK;
/* One line: false when it holds nothing. ST_INVALID: neither a comment nor `name = command`. */
enum status lambda_registered_line(struct str line, struct str *ret_name,
                                   struct str *ret_command) MUST_CHECK;

#endif
