/* What runs print. A log line that can't be stored doesn't fail the run: the reason is in ours. */
#include <stdarg.h>

#include "emulators/facade/logs.h"
#include "emulators/glue/glue_internal.h"
#include "server/base/clock.h"
#include "server/base/mem.h"

struct str glue_log_group(enum glue_kind kind)
{
    return kind == GLUE_KIND_PYTHON ? STR("/aws-glue/python-jobs") : STR("/aws-glue/jobs");
}

/* To the groups that every run has. */
static void write_main(struct glue_active *a, enum glue_stream stream, struct str line)
{
    const struct logs_owner owner = { a->owner.account, a->owner.region };
    struct str group = STR("/aws-glue/jobs/output");
    if (a->kind == GLUE_KIND_PYTHON) {
        group = stream == GLUE_OUTPUT ? STR("/aws-glue/python-jobs/output")
                                      : STR("/aws-glue/python-jobs/error");
    } else if (stream == GLUE_ERROR) {
        group = STR("/aws-glue/jobs/error");
    }
    status_ignore(logs_write(a->glue->core, &owner, group, a->run->Id, clock_now_ms(), line));
}

/* To the group of continuous logging. */
static void write_live(struct glue_active *a, enum glue_stream stream, struct str line)
{
    const struct logs_owner owner = { a->owner.account, a->owner.region };
    CLEANUP(free_ptr)
    char *name = xasprintf("%.*s-%s", STR_ARG(a->live_prefix),
                           stream == GLUE_PROGRESS ? "progress-bar" : "driver");
    status_ignore(
        logs_write(a->glue->core, &owner, a->live_group, str_z(name), clock_now_ms(), line));
}

static void write_line(struct glue_active *a, enum glue_stream stream, struct str line)
{
    if (stream != GLUE_PROGRESS) {
        write_main(a, stream, line);
    }
    if (stream != GLUE_OUTPUT && str_set(a->live_group)) {
        write_live(a, stream, line);
    }
}

/* Lines come for as long as the run lasts: nothing of them stays in its arena. */
void glue_log(struct glue_active *a, enum glue_stream stream, const char *fmt, ...)
{
    CLEANUP(free_ptr) char *line = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&line, fmt, ap);
    va_end(ap);
    if (n < 0) {
        line = NULL; /* out of memory for one line: the run goes on without it */
        return;
    }
    write_line(a, stream, (struct str){ line, (size_t)n });
}

void glue_log_text(struct glue_active *a, enum glue_stream stream, struct str text)
{
    struct str line, rest = text;
    while (str_next(&rest, '\n', &line)) {
        write_line(a, stream, line);
    }
}
