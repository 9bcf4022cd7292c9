/* Time. All state machines and stamps ask here, so that tests can jump. Any thread. */
#ifndef CISTERN_BASE_CLOCK_H
#define CISTERN_BASE_CLOCK_H

#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

/* Wall clock since 1970-01-01 UTC. */
int64_t clock_now_ms(void);
int64_t clock_now_us(void);
/* Steady, from an arbitrary start; for durations and timers. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* --clock-scale: how many emulated seconds pass in one real second (default 1). Scales waiting
 * times only (retry delays, batch intervals), never stamps nor limits on real work (a function's or
 * job's Timeout). Set once. */
void clock_set_scale(double scale);
/* Real milliseconds to wait for an emulated delay; at least 1 when delay_ms > 0. */
int64_t clock_scaled_ms(int64_t delay_ms);

/* For tests: freezes the wall clock at this instant; -1 returns to the real one. */
void clock_fake_ms(int64_t now_ms);

/* "2026-11-20T07:08:09Z" / with ".123Z". */
struct str clock_iso(struct arena *a, int64_t ms);
struct str clock_iso_ms(struct arena *a, int64_t ms);
/* "Fri, 20 Nov 2026 07:08:09 GMT" */
struct str clock_rfc822(struct arena *a, int64_t ms);
/* ISO 8601 (with or without fraction, Z or +hh:mm or none = UTC), RFC 822, or epoch seconds with a
 * fraction. */
enum status clock_parse(struct str s, int64_t *ret_ms) MUST_CHECK;
/* strftime in UTC. */
struct str clock_format(struct arena *a, int64_t ms, const char *fmt);

#endif
