#include "emulators/lambda/lambda_log.h"

#include <stdio.h>

#include "emulators/facade/logs.h"
#include "emulators/lambda/lambda_instance.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/mem.h"

struct str lambda_log_stream_name(struct arena *a)
{
    struct str day = clock_format(a, clock_now_ms(), "%Y/%m/%d");
    struct str id = id_hex(a, 32);
    return arena_printf(a, "%.*s/[" LAMBDA_LATEST "]%.*s", STR_ARG(day), STR_ARG(id));
}

void lambda_log_event(struct lambda_instance *inst, struct str text)
{
    const struct lambda_row *row = &inst->config->row;
    struct logs_owner owner = { row->key.account, row->key.region };
    enum status st =
        logs_write(inst->l->core, &owner, row->log_group, inst->log_stream, clock_now_ms(), text);
    if (st != ST_OK) {
        log_debug(LAMBDA_TOPIC, "%.*s: a log line was lost: %s", STR_ARG(row->key.name),
                  status_name(st));
    }
    if (inst->inv) {
        lambda_invocation_log(inst->inv, text);
    }
}

/* --- the process's output --------------------------------------------------------------------- */

static void flush_line(struct lambda_instance *inst, struct lambda_line *line)
{
    if (line->rest.n > 0) {
        lambda_log_event(inst, buf_str(&line->rest));
        buf_clear(&line->rest);
    }
}

void lambda_log_output(struct lambda_instance *inst, int stream, struct str bytes)
{
    struct lambda_line *line = &inst->lines[stream - 1];
    while (bytes.n > 0) {
        ptrdiff_t end = str_find(bytes, '\n', 0);
        size_t n = end < 0 ? bytes.n : (size_t)end + 1;
        size_t room = LAMBDA_LINE_MAX - line->rest.n;
        bool whole = end >= 0 && n <= room;
        n = n < room ? n : room;
        struct str piece = str_sub(bytes, 0, n);
        bytes = str_sub(bytes, n, bytes.n);
        if (whole && line->rest.n == 0) {
            lambda_log_event(inst, piece);
            continue;
        }
        buf_str_add(&line->rest, piece);
        if (whole || line->rest.n == LAMBDA_LINE_MAX) {
            flush_line(inst, line);
        }
    }
}

void lambda_log_flush(struct lambda_instance *inst)
{
    flush_line(inst, &inst->lines[0]);
    flush_line(inst, &inst->lines[1]);
}

/* --- the platform's lines --------------------------------------------------------------------- */

void lambda_log_start(struct lambda_instance *inst)
{
    struct lambda_invocation *inv = inst->inv;
    lambda_log_event(inst,
                     arena_printf(inv->arena, "START RequestId: %.*s Version: " LAMBDA_LATEST "\n",
                                  STR_ARG(inv->request_id)));
}

/* Highest use of memory so far, from the kernel; 0 when it doesn't say. */
static int64_t peak_kb(pid_t pid)
{
    char path[64], line[256];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = pid > 0 ? fopen(path, "re") : NULL;
    int64_t kb = 0;
    while (f && fgets(line, sizeof(line), f)) {
        struct str rest = str_z(line);
        if (str_starts(rest, STR("VmHWM:"))) {
            struct str number;
            rest = str_trim(str_sub(rest, 6, rest.n));
            (void)str_cut(rest, ' ', &number, &rest);
            kb = str_i64(number, &kb) == ST_OK ? kb : 0;
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    return kb;
}

static void log_report(struct lambda_instance *inst, const char *status, int64_t max_rss_kb)
{
    struct lambda_invocation *inv = inst->inv;
    int64_t us = clock_mono_us() - inv->started_us;
    int64_t kb = max_rss_kb ? max_rss_kb : peak_kb(inst->proc ? proc_pid(inst->proc) : 0);
    CLEANUP(buf_fini) struct buf b = BUF_INIT(4096);
    buf_printf(&b,
               "REPORT RequestId: %.*s\tDuration: %.2f ms\tBilled Duration: %lld ms\t"
               "Memory Size: %lld MB\tMax Memory Used: %lld MB\t",
               STR_ARG(inv->request_id), (double)us / 1000, (long long)((us + 999) / 1000),
               (long long)inst->config->row.memory_mb, (long long)((kb + 1023) / 1024));
    if (inst->init_us > 0) {
        buf_printf(&b, "Init Duration: %.2f ms\t", (double)inst->init_us / 1000);
        inst->init_us = 0; /* told once */
    }
    if (status) {
        buf_printf(&b, "Status: %s\t", status);
        if (str_set(inv->error_type) && strcmp(status, "error") == 0) {
            buf_printf(&b, "Error Type: %.*s\t", STR_ARG(inv->error_type));
        }
    }
    buf_putc(&b, '\n');
    lambda_log_event(inst, buf_str(&b));
}

void lambda_log_end(struct lambda_instance *inst, const char *status, int64_t max_rss_kb)
{
    struct lambda_invocation *inv = inst->inv;
    lambda_log_flush(inst);
    lambda_log_event(inst,
                     arena_printf(inv->arena, "END RequestId: %.*s\n", STR_ARG(inv->request_id)));
    log_report(inst, status, max_rss_kb);
}
