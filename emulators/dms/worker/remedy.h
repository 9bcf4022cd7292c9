/* What somebody can do about an error of the source, in the words of endpoints and tasks. */
#ifndef CISTERN_DMS_REMEDY_H
#define CISTERN_DMS_REMEDY_H

#include "server/mysql/err.h"

/* A sentence that goes behind err->text, with a space before it; "" when the error says it all. A
 * literal; any thread. */
const char *dms_remedy(const struct mysql_err *err);
/* The full stop that err->text lacks before it, or "". */
const char *dms_remedy_stop(const struct mysql_err *err);

#endif
