/* What runs print. A log line that can't be stored doesn't fail the run: the reason is in ours. */
#include <stdarg.h>

#include "emulators/facade/logs.h"
#include "emulators/glue/glue_internal.h"
#include "server/base/clock.h"

struct str glue_log_group(enum glue_kind kind)
{
    return kind == GLUE_KIND_PYTHON ? STR("/aws-glue/python-jobs") : STR("/aws-glue/jobs");
}

static void write_line(struct glue_active *a, enum glue_stream stream, struct str line)
{
    struct str base = glue_log_group(a->kind);
    struct str group = arena_printf(a->arena, "%.*s/%s", STR_ARG(base),
                                    stream == GLUE_OUTPUT ? "output" : "error");
    struct logs_owner owner = { a->owner.account, a->owner.region };
    status_ignore(logs_write(a->glue->core, &owner, group, a->run->Id, clock_now_ms(), line));
}

void glue_log(struct glue_active *a, enum glue_stream stream, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str line = arena_vprintf(a->arena, fmt, ap);
    va_end(ap);
    write_line(a, stream, line);
}

void glue_log_text(struct glue_active *a, enum glue_stream stream, struct str text)
{
    struct str line, rest = text;
    while (str_next(&rest, '\n', &line)) {
        write_line(a, stream, line);
    }
}
