/* The version that `--version`, the health answer and the User-Agent of our own clients show. */
#ifndef CISTERN_VERSION_H
#define CISTERN_VERSION_H

#define CISTERN_VERSION "0.1.0"

#endif
