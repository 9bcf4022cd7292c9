#include "emulators/logs/logs_find.h"

struct logs_owner logs_owner_of(const struct call *c)
{
    return (struct logs_owner){ c->caller.account, c->caller.region };
}

struct str logs_group_name(struct str name_or_arn)
{
    static const char mark[] = ":log-group:";
    if (!str_starts(name_or_arn, STR("arn:"))) {
        return name_or_arn;
    }
    ptrdiff_t at = str_find_str(name_or_arn, str_z(mark));
    struct str name =
        at < 0 ? name_or_arn : str_sub(name_or_arn, (size_t)at + sizeof(mark) - 1, name_or_arn.n);
    return str_ends(name, STR(":*")) ? str_sub(name, 0, name.n - 2) : name;
}

enum status logs_find_group(struct call *c, struct str name, struct str identifier,
                            struct logs_group_row *ret)
{
    if (str_set(name) == str_set(identifier)) {
        return call_fail(c, &logs_InvalidParameterException,
                         "Exactly one of logGroupName and logGroupIdentifier must be given.");
    }
    struct logs_owner owner = logs_owner_of(c);
    enum status st = logs_store_group(c->db, c->arena, &owner,
                                      logs_group_name(str_set(name) ? name : identifier), ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &logs_ResourceNotFoundException,
                         "The specified log group does not exist.");
    }
    return call_status(c, st);
}

enum status logs_find_stream(struct call *c, int64_t group, struct str name,
                             struct logs_stream_row *ret)
{
    enum status st = logs_store_stream(c->db, c->arena, group, name, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &logs_ResourceNotFoundException,
                         "The specified log stream does not exist.");
    }
    return call_status(c, st);
}
