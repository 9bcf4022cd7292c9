/* Levelled log on stderr: "time level topic: text". Libraries never log above debug; one log line
 * per failure, where it is handled. The last lines of every level are kept in a ring that is
 * printed on a crash. Control characters in the text are escaped, so a message is always one line.
 * Thread-safe. */
#ifndef CISTERN_BASE_LOG_H
#define CISTERN_BASE_LOG_H

#include <stdbool.h>

#include "server/base/status.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* "info" or "debug,s3=debug,http=warn": a default level, then topics. ST_INVALID on other words. */
enum status log_configure(const char *spec) MUST_CHECK;
bool log_enabled(enum log_level level, const char *topic);
void log_write(enum log_level level, const char *topic, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints the ring; called by the crash handler that log_install_crash_handler sets. */
void log_dump_ring(void);
void log_install_crash_handler(void);

#define log_error(topic, ...) log_write(LOG_ERROR, topic, __VA_ARGS__)
#define log_warn(topic, ...) log_write(LOG_WARN, topic, __VA_ARGS__)
#define log_info(topic, ...) log_write(LOG_INFO, topic, __VA_ARGS__)
#define log_debug(topic, ...) log_write(LOG_DEBUG, topic, __VA_ARGS__)

#endif
