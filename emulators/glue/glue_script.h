/* Where the process of a pythonshell or glueetl run lives and what it is told. Core thread; results
 * live in the run's arena. */
#ifndef CISTERN_GLUE_SCRIPT_H
#define CISTERN_GLUE_SCRIPT_H

#include "emulators/glue/glue_internal.h"

struct glue_script {
    const char *dir;  /* DATA/jobs/<run id>/, with the script and the awsglue package */
    const char *path; /* of the script in it */
    const char *const *argv;
    const char *const *env;
};

/* Fetches the script from S3 into a fresh folder and makes argument vector and environment.
 * On failure *ret_error says what is missing and what to do. */
enum status glue_script_prepare(struct glue_active *a, struct glue_script *ret,
                                struct str *ret_error) MUST_CHECK;
/* Removes the folder. */
void glue_script_clean(const struct glue_script *s);

#endif
