/* Two services that exist for tests of the HTTP layer only: "store" takes and gives objects like
 * S3 (but forgets the bytes), "echo" speaks JSON. Defines services[]. */
#ifndef CISTERN_TESTS_SUPPORT_ECHO_SERVICE_H
#define CISTERN_TESTS_SUPPORT_ECHO_SERVICE_H

#include <stdatomic.h>

/* Echo.Hang calls whose client went away. */
extern atomic_int echo_aborted;
/* Echo.Hang calls under way. */
extern atomic_int echo_hanging;

#endif
