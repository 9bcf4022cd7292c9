/* `cistern spark install`: a Python environment with a pinned pyspark and the S3 client of its
 * Hadoop. One thread; prints what it does. */
#ifndef CISTERN_GLUE_SPARK_INSTALL_H
#define CISTERN_GLUE_SPARK_INSTALL_H

#include "server/base/arena.h"

#define SPARK_VERSION "3.5.6"

struct spark_install {
    const char *to;      /* the folder; its parents are made */
    const char *version; /* of pyspark */
    const char *python;  /* that makes the environment */
    const char *maven;   /* URL of a Maven repository */
};

/* ST_EXISTS: `to` holds this version already (said). Everything else is said on stderr with a
 * remedy. What an interrupted install has fetched is used by the next one. */
enum status spark_install(struct arena *a, const struct spark_install *wish) MUST_CHECK;

#endif
