/* Severities of a task's log. Pure; any thread. */
#ifndef CISTERN_DMS_SETTINGS_LOG_H
#define CISTERN_DMS_SETTINGS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "server/wire/json.h"

/* Is it one of the LOGGER_SEVERITY_… words? *ret_level stays when not. */
bool dms_log_severity(struct str name, unsigned *ret_level);
/* From the list of {"Id","Severity"}; NULL: all as by default. */
uint64_t dms_log_levels(const struct json_value *list);
/* Is a line of this component and letter (E, W, I, D, T) written? */
bool dms_settings_logs(uint64_t levels, const char *component, char letter);

#endif
