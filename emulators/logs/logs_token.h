/* Tokens of GetLogEvents and FilterLogEvents: a direction and a place, opaque to clients. */
#ifndef CISTERN_LOGS_TOKEN_H
#define CISTERN_LOGS_TOKEN_H

#include "emulators/logs/logs_store.h"

/* "f/<time>/<id>" */
struct str logs_token(struct arena *a, char direction, struct logs_position at);
enum status logs_token_parse(struct str token, char *ret_direction,
                             struct logs_position *ret) MUST_CHECK;

#endif
