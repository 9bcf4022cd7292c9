/* The Python that travels inside of the binary: the awsglue package with its sitecustomize.py
 * (emulators/glue/python) and the program that runs a job's script. Constant; any thread. */
#ifndef CISTERN_GLUE_PYTHON_FILES_H
#define CISTERN_GLUE_PYTHON_FILES_H

#include "server/base/str.h"

struct python_file {
    const char *path; /* below the folder that goes on PYTHONPATH: "awsglue/utils.py" */
    const char *begin, *end;
};

/* Ended by a NULL path. Parents of a path come in folders of these paths only. */
extern const struct python_file glue_python_files[];
/* runscript.py */
extern const struct python_file glue_runscript;

#endif
