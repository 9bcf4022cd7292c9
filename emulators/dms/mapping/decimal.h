/* Decimal numbers as text: "-12.50", "+7", ".5". Pure. */
#ifndef CISTERN_DMS_DECIMAL_H
#define CISTERN_DMS_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/str.h"

/* A sign, digits, a point, digits; at least one digit, no exponent. */
bool dms_decimal_valid(struct str s);
/* < 0, 0, > 0; both valid, of any length. */
int dms_decimal_compare(struct str a, struct str b);
/* `s` (valid) with exactly `scale` digits after the point, rounded half away from zero, and a digit
 * before it; scale -1: as many as it has. 0: doesn't fit `precision` digits (<= 0: any) or `max`
 * bytes; else the length. */
size_t dms_decimal_round(struct str s, int scale, int precision, char *out, size_t max);

#endif
