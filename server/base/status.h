/* Result codes for control flow inside the process. What a client sees is a `struct aws_error`
 * (server/wire/shape.h); stores and libraries return only these, handlers map one to the other. */
#ifndef CISTERN_BASE_STATUS_H
#define CISTERN_BASE_STATUS_H

enum status {
    ST_OK = 0,
    ST_NOMEM,     /* a named limit was passed (buffer, arena, queue) */
    ST_INVALID,   /* the input breaks its grammar or a documented range */
    ST_NOT_FOUND,
    ST_EXISTS,
    ST_CONFLICT,  /* the state of the thing forbids it */
    ST_IO,        /* the operating system refused; errno told why and was logged or worded */
    ST_DB,        /* SQLite refused */
    ST_AWS,       /* call_fail() has recorded the error for the client */
    ST_PENDING,   /* the handler will call call_finish() later */
};

/* Every status must be looked at: `(void)` is an error too, name the reason with status_ignore(). */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Stable lower-case name ("not_found") for logs. */
const char *status_name(enum status st);

/* Says aloud that a failure does not matter here; write why next to it. */
static inline void status_ignore(enum status st)
{
    (void)st;
}

#endif
