/* Log files of an instance: the error log and, when a parameter group turns them on, the query
 * logs.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/rds/rds_internal.h"
#include "server/base/mem.h"

#define PORTION_BYTES ((size_t)1 << 20)
#define LINES_DEFAULT 10000

static const struct rds_log logs[] = {
    { "error", "error/mysql-error.log", "error.log" },
    { "general", "general/mysql-general.log", "data/general.log" },
    { "slowquery", "slowquery/mysql-slowquery.log", "data/slow.log" },
};

const struct rds_log *rds_log(struct str type)
{
    for (size_t k = 0; k < ARRAY_LEN(logs); k++) {
        if (str_eqz(type, logs[k].type)) {
            return &logs[k];
        }
    }
    return NULL;
}

enum status rds_describe_db_log_files(struct call *c,
                                      const struct rds_describe_db_log_files_request *in,
                                      struct rds_describe_db_log_files_response *ret_out)
{
    struct rds_instance i;
    enum status st = rds_find(c, in->DBInstanceIdentifier, &i);
    if (st != ST_OK) {
        return st;
    }
    const char *dir = rds_instance_dir(rds_of(c), c->arena, i.id);
    struct rds_describe_db_log_files_list *out = &ret_out->DescribeDBLogFiles;
    out->v = ARENA_ARRAY(c->arena, struct rds_describe_db_log_files_details, ARRAY_LEN(logs));
    for (size_t k = 0; k < ARRAY_LEN(logs); k++) {
        struct stat info;
        const char *path = arena_printf(c->arena, "%s/%s", dir, logs[k].path).p;
        if (stat(path, &info) != 0 || info.st_size < in->FileSize.v ||
            (str_set(in->FilenameContains) &&
             str_find_str(str_z(logs[k].name), in->FilenameContains) < 0)) {
            continue;
        }
        int64_t written = (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
        if (written >= in->FileLastWritten.v) {
            out->v[out->n++] =
                (struct rds_describe_db_log_files_details){ str_z(logs[k].name), OPT_I64(written),
                                                            OPT_I64(info.st_size) };
        }
    }
    return ST_OK;
}

static const char *path_of(struct call *c, const struct rds_instance *i, struct str name)
{
    for (size_t k = 0; k < ARRAY_LEN(logs); k++) {
        if (str_eqz(name, logs[k].name)) {
            return arena_printf(c->arena, "%s/%s", rds_instance_dir(rds_of(c), c->arena, i->id),
                                logs[k].path)
                .p;
        }
    }
    return NULL;
}

/* The first `lines` lines of the text. */
static struct str first_lines(struct str text, int64_t lines)
{
    for (size_t k = 0; k < text.n; k++) {
        if (text.p[k] == '\n' && --lines == 0) {
            return str_sub(text, 0, k + 1);
        }
    }
    return text;
}

/* A marker is the place in bytes; without one a portion is the end of the file, as on RDS. */
enum status
rds_download_db_log_file_portion(struct call *c,
                                 const struct rds_download_db_log_file_portion_request *in,
                                 struct rds_download_db_log_file_portion_response *ret_out)
{
    struct rds_instance i;
    uint64_t at = 0;
    enum status st = rds_find(c, in->DBInstanceIdentifier, &i);
    if (st != ST_OK) {
        return st;
    }
    const char *path = path_of(c, &i, in->LogFileName);
    CLEANUP(close_fd) int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0) {
        return call_fail(c, &rds_DBLogFileNotFoundFault,
                         "DBLog File: %.*s, is not found on the DB "
                         "instance",
                         STR_ARG(in->LogFileName));
    }
    off_t size = lseek(fd, 0, SEEK_END);
    if (str_set(in->Marker) && str_u64(in->Marker, &at) != ST_OK) {
        return call_fail(c, &rds_InvalidParameterValue, "Marker isn't one that was given.");
    }
    if (!str_set(in->Marker) && size > (off_t)PORTION_BYTES) {
        at = (uint64_t)size - PORTION_BYTES;
    }
    char *text = arena_alloc(c->arena, PORTION_BYTES);
    ssize_t n = pread(fd, text, PORTION_BYTES, (off_t)at);
    struct str portion = { text, n > 0 ? (size_t)n : 0 };
    portion =
        first_lines(portion, in->NumberOfLines.set && in->NumberOfLines.v > 0 ? in->NumberOfLines.v
                                                                              : LINES_DEFAULT);
    ret_out->LogFileData = portion;
    ret_out->Marker = arena_printf(c->arena, "%" PRIu64, at + portion.n);
    ret_out->AdditionalDataPending = OPT_BOOL((off_t)(at + portion.n) < size);
    return ST_OK;
}
