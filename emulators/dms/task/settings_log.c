/* Logging.LogComponents: three bits of severity for each component, in one word that a running task
 * can be given anew. */
#include "emulators/dms/task/settings_log.h"

#include "server/base/mem.h"

#define BITS 3

/* What is written at a severity is all that is at most as chatty. */
enum { ERRORS, WARNINGS, INFOS, DEBUGS, DETAILS };

static const struct {
    const char *name;
    unsigned level;
} severities[] = {
    { "LOGGER_SEVERITY_ERROR", ERRORS }, { "LOGGER_SEVERITY_WARNING", WARNINGS },
    { "LOGGER_SEVERITY_INFO", INFOS },   { "LOGGER_SEVERITY_DEFAULT", INFOS },
    { "LOGGER_SEVERITY_DEBUG", DEBUGS }, { "LOGGER_SEVERITY_DETAILED_DEBUG", DETAILS },
};

static const char *const components[] = {
    "TRANSFORMATION",   "SOURCE_UNLOAD",  "IO",
    "TARGET_LOAD",      "PERFORMANCE",    "SOURCE_CAPTURE",
    "SORTER",           "REST_SERVER",    "VALIDATOR_EXT",
    "TARGET_APPLY",     "TASK_MANAGER",   "TABLES_MANAGER",
    "METADATA_MANAGER", "FILE_FACTORY",   "COMMON",
    "ADDONS",           "DATA_STRUCTURE", "COMMUNICATION",
    "FILE_TRANSFER",
};

bool dms_log_severity(struct str name, unsigned *ret_level)
{
    for (size_t i = 0; i < ARRAY_LEN(severities); i++) {
        if (str_eqz(name, severities[i].name)) {
            *ret_level = severities[i].level;
            return true;
        }
    }
    return false;
}

uint64_t dms_log_levels(const struct json_value *list)
{
    uint64_t levels = 0;
    for (size_t i = 0; i < ARRAY_LEN(components); i++) {
        unsigned level = INFOS;
        const struct json_value *item = list && list->kind == JSON_ARRAY ? list->first : NULL;
        for (; item; item = item->next) {
            if (str_eqz(json_get_str(item, "Id"), components[i])) {
                dms_log_severity(json_get_str(item, "Severity"), &level);
            }
        }
        levels |= (uint64_t)level << (BITS * i);
    }
    return levels;
}

bool dms_settings_logs(uint64_t levels, const char *component, char letter)
{
    unsigned needed = letter == 'E'   ? ERRORS
                      : letter == 'W' ? WARNINGS
                      : letter == 'I' ? INFOS
                      : letter == 'T' ? DETAILS
                                      : DEBUGS;
    for (size_t i = 0; i < ARRAY_LEN(components); i++) {
        if (strcmp(components[i], component) == 0) {
            return ((levels >> (BITS * i)) & ((1u << BITS) - 1)) >= needed;
        }
    }
    return needed <= INFOS;
}
