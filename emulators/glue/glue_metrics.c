/* What runs count into CloudWatch: namespace Glue, dimensions JobName, JobRunId and Type, once for
 * the run and once for ALL runs of the job, as "Monitoring with CloudWatch metrics" in the Glue
 * guide has them. Only with --enable-metrics, as there. */
#include <fcntl.h>
#include <unistd.h>

#include "emulators/facade/metrics.h"
#include "emulators/glue/glue_internal.h"
#include "server/base/mem.h"
#include "server/core.h"

#define FILE_MAX 65536
#define NAME_MAX_BYTES 200

static void put(struct glue_active *a, struct str name, struct str type, struct str run,
                double value)
{
    const struct metrics_owner owner = { a->owner.account, a->owner.region };
    const struct metrics_dimension dimensions[] = {
        { STR("JobName"), a->run->JobName },
        { STR("JobRunId"), run },
        { STR("Type"), type },
    };
    const struct metrics_series series = { STR("Glue"), name, dimensions, ARRAY_LEN(dimensions) };
    status_ignore(metrics_put(a->glue->core, &owner, &series, value, "None")); /* logged */
}

static void put_both(struct glue_active *a, struct str name, struct str type, double value)
{
    put(a, name, type, a->run->Id, value);
    put(a, name, type, STR("ALL"), value);
}

void glue_metric(struct glue_active *a, const char *name, double value)
{
    if (glue_flag(&a->arguments, "enable-metrics")) {
        put_both(a, str_z(name), STR("count"), value);
    }
}

/* "NAME count|gauge VALUE" */
static void put_line(struct glue_active *a, struct str line)
{
    struct str name, rest, type, value;
    double number;
    if (str_cut(line, ' ', &name, &rest) && str_cut(rest, ' ', &type, &value) &&
        str_starts(name, STR("glue.")) && name.n <= NAME_MAX_BYTES &&
        (str_eqz(type, "count") || str_eqz(type, "gauge")) && str_f64(value, &number) == ST_OK) {
        put_both(a, name, type, number);
    }
}

void glue_metrics_from(struct glue_active *a, const char *path)
{
    char text[FILE_MAX];
    if (!glue_flag(&a->arguments, "enable-metrics")) {
        return;
    }
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : 0;
    struct str rest = n > 0 ? (struct str){ text, (size_t)n } : STR(""), line;
    while (rest.n && str_next(&rest, '\n', &line)) {
        put_line(a, line);
    }
}
