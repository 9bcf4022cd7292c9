/* How a function may be named in a request: its name, a part of its ARN, or the whole ARN, each
 * with a qualifier. Pure; any thread. */
#ifndef CISTERN_LAMBDA_NAME_H
#define CISTERN_LAMBDA_NAME_H

#include "server/base/arena.h"
#include "server/base/str.h"

#define LAMBDA_NAME_MAX 64
#define LAMBDA_LATEST "$LATEST"

/* Views into the text; what was not given is absent. */
struct lambda_name {
    struct str region, account, name, qualifier;
};

/* ST_INVALID: none of the forms. */
enum status lambda_name_parse(struct str text, struct lambda_name *ret) MUST_CHECK;
/* 1 to 64 characters of [A-Za-z0-9-_]: what a function may be called. */
bool lambda_name_valid(struct str name);
/* arn:aws:iam::<12 digits>:role/… */
bool lambda_role_valid(struct str arn);

/* Which row: function names are unique per account and region. */
struct lambda_key {
    struct str account, region, name;
};
/* "arn:aws:lambda:<region>:<account>:function:<name>", with ":<qualifier>" when that is set. */
struct str lambda_arn(struct arena *a, const struct lambda_key *key, struct str qualifier);
/* "<account>:<region>:<name>": for maps and queue rows. */
struct str lambda_key_text(struct arena *a, const struct lambda_key *key);
/* The way back; views into the text. */
enum status lambda_key_parse(struct str text, struct lambda_key *ret) MUST_CHECK;

#endif
