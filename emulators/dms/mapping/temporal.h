/* Dates and times as texts that rules and expressions give. Pure. */
#ifndef CISTERN_DMS_TEMPORAL_H
#define CISTERN_DMS_TEMPORAL_H

#include "server/base/str.h"
#include "server/mysql/value.h"

/* "2024-01-02", "2024-01-02 03:04[:05[.123456]]", also with 'T' and a 'Z' behind it. *ret_digits
 * (may be NULL): how many digits the fraction has. */
bool dms_datetime_parse(struct str s, struct mysql_time *ret, int *ret_digits);
/* "[-]HHH:MM[:SS[.f]]" */
bool dms_time_parse(struct str s, struct mysql_time *ret, int *ret_digits);
/* By year, month, …; the sign counts. */
int dms_temporal_compare(const struct mysql_time *a, const struct mysql_time *b);

#endif
