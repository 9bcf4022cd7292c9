#include "emulators/dms/task/machine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "emulators/dms/dms_internal.h"
#include "emulators/facade/metrics.h"
#include "server/base/log.h"
#include "server/config.h"
#include "server/core.h"

#define ARENA_MAX (16u << 20)
#define FILE_MAX 8192 /* of what is read below /proc */
#define UNKNOWN (-1)
#define METRICS_MAX 10

/* Counters; UNKNOWN: the system doesn't tell. */
struct reading {
    int64_t ms;
    int64_t cpu_us, read_bytes, write_bytes;
};

struct dms_machine {
    struct reading last;
};

struct metric {
    const char *name, *unit;
    double value;
};

struct metrics {
    struct metric v[METRICS_MAX];
    size_t n;
};

/* --- what the system tells -------------------------------------------------------------------- */

/* The number behind "name:" in a file of /proc. */
static int64_t proc_number(const char *path, const char *name)
{
    char text[FILE_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, FILE_MAX);
    if (fd >= 0) {
        close(fd);
    }
    if (n <= 0) {
        return UNKNOWN;
    }
    text[n] = '\0';
    size_t name_n = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, name_n) == 0 && line[name_n] == ':') {
            return strtoll(line + name_n + 1, NULL, 10);
        }
    }
    return UNKNOWN;
}

static int64_t micros(const struct timeval *t)
{
    return (int64_t)t->tv_sec * 1000000 + t->tv_usec;
}

static struct reading read_counters(void)
{
    struct reading r = { .ms = clock_mono_ms(), .cpu_us = UNKNOWN };
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) == 0) {
        r.cpu_us = micros(&u.ru_utime) + micros(&u.ru_stime);
    }
    r.read_bytes = proc_number("/proc/self/io", "read_bytes");
    r.write_bytes = proc_number("/proc/self/io", "write_bytes");
    return r;
}

/* --- metrics ---------------------------------------------------------------------------------- */

static void add(struct metrics *m, const char *name, const char *unit, double value)
{
    m->v[m->n++] = (struct metric){ name, unit, value };
}

static void add_kib(struct metrics *m, const char *name, int64_t kib)
{
    if (kib != UNKNOWN) {
        add(m, name, "Bytes", (double)kib * 1024);
    }
}

/* Per second since the last reading. */
static void add_rate(struct metrics *m, const char *name, int64_t now, int64_t before, int64_t ms)
{
    if (now != UNKNOWN && before != UNKNOWN && now >= before && ms > 0) {
        add(m, name, "Bytes/Second", (double)(now - before) * 1000 / (double)ms);
    }
}

static void collect(struct dms_machine *machine, const char *data_dir, struct metrics *m)
{
    struct reading now = read_counters(), before = machine->last;
    machine->last = now;
    int64_t ms = now.ms - before.ms;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (now.cpu_us != UNKNOWN && before.cpu_us != UNKNOWN && ms > 0 && processors > 0) {
        double share = (double)(now.cpu_us - before.cpu_us) / ((double)ms * 1000);
        add(m, "CPUUtilization", "Percent", 100 * share / (double)processors);
    }
    int64_t available = proc_number("/proc/meminfo", "MemAvailable");
    add_kib(m, "FreeableMemory", available);
    add_kib(m, "AvailableMemory", available);
    add_kib(m, "FreeMemory", proc_number("/proc/meminfo", "MemFree"));
    add_kib(m, "SwapUsage", proc_number("/proc/self/status", "VmSwap"));
    struct statvfs disk;
    if (statvfs(data_dir, &disk) == 0) {
        add(m, "FreeStorageSpace", "Bytes", (double)disk.f_bavail * (double)disk.f_frsize);
    }
    add_rate(m, "ReadThroughput", now.read_bytes, before.read_bytes, ms);
    add_rate(m, "WriteThroughput", now.write_bytes, before.write_bytes, ms);
}

static enum status put_instance(struct core *core, const struct dms_resource *instance,
                                const struct metrics *m)
{
    const struct metrics_owner owner = { instance->account, instance->region };
    const struct metrics_dimension dimension = { STR("ReplicationInstanceIdentifier"),
                                                 instance->ident };
    enum status st = ST_OK;
    for (size_t i = 0; i < m->n && st == ST_OK; i++) {
        const struct metrics_series series = { .name_space = STR("AWS/DMS"),
                                               .name = str_z(m->v[i].name),
                                               .dimensions = &dimension,
                                               .n_dimensions = 1 };
        st = metrics_put(core, &owner, &series, m->v[i].value, m->v[i].unit);
    }
    return st;
}

struct dms_machine *dms_machine_new(void)
{
    struct dms_machine *machine = xcalloc(1, sizeof(*machine));
    machine->last = read_counters();
    return machine;
}

void dms_machine_put(struct dms *dms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(ARENA_MAX);
    struct dms_resource *instances = NULL;
    size_t n = 0;
    enum status st =
        dms_store_resource_all(core_db(dms->core), a, DMS_KIND_INSTANCE, &instances, &n);
    if (st == ST_OK && n == 0) {
        return;
    }
    struct metrics m = { 0 };
    collect(dms->machine, core_config(dms->core)->data_dir, &m);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        st = put_instance(dms->core, &instances[i], &m);
    }
    if (st != ST_OK) {
        log_warn("dms", "metrics of replication instances can't be stored: %s", status_name(st));
    }
}
