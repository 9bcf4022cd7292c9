/* What the resources of Logs share: finding groups and streams for a call. Core thread. */
#ifndef CISTERN_LOGS_FIND_H
#define CISTERN_LOGS_FIND_H

#include "emulators/logs/logs_store.h"
#include "server/http/call.h"

struct logs_owner logs_owner_of(const struct call *c);
/* By name or by ARN (logGroupIdentifier). ResourceNotFoundException when absent. */
enum status logs_find_group(struct call *c, struct str name, struct str identifier,
                            struct logs_group_row *ret) MUST_CHECK;
enum status logs_find_stream(struct call *c, int64_t group, struct str name,
                             struct logs_stream_row *ret) MUST_CHECK;
/* Name from "arn:aws:logs:REGION:ACCOUNT:log-group:NAME[:*]"; a plain name passes. */
struct str logs_group_name(struct str name_or_arn);

#endif
