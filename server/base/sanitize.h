/* Which sanitizer is this compiled with? Both compilers say it differently. Private to base. */
#ifndef CISTERN_BASE_SANITIZE_H
#define CISTERN_BASE_SANITIZE_H

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define CISTERN_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define CISTERN_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(CISTERN_ASAN)
#define CISTERN_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) && !defined(CISTERN_TSAN)
#define CISTERN_TSAN 1
#endif

#ifdef CISTERN_ASAN
#include <sanitizer/asan_interface.h>
#define MEM_POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define MEM_UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#define MEM_REDZONE ((size_t)16)
#else
#define MEM_POISON(p, n) ((void)(p), (void)(n))
#define MEM_UNPOISON(p, n) ((void)(p), (void)(n))
#define MEM_REDZONE ((size_t)0)
#endif

#endif
