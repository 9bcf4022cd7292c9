/* Functions that we refuse (force-included by the Makefile): each has a safe twin in base/. */
#ifndef CISTERN_BASE_BANNED_H
#define CISTERN_BASE_BANNED_H

#ifndef __cplusplus
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h> /* declares some of them; so it comes before they are poisoned */
#ifdef CISTERN_INCLUDE_FIRST /* a library's header that uses some of them (see the Makefile) */
#include CISTERN_INCLUDE_FIRST
#endif

/* With clang, glibc's fortified build makes macros of some of them, which can't be poisoned; the other
 * builds refuse them. */
#if !defined(__clang__) || !defined(_FORTIFY_SOURCE)
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets strncpy strncat
#pragma GCC poison gmtime localtime ctime asctime
#pragma GCC poison fork vfork system popen
#endif
#endif

#endif
