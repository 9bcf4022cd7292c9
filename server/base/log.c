/* A line is built on the stack, copied into the ring under a mutex, and written with one write(2)
 * outside of it. The ring keeps lines of every level, shown or not. The crash handler reads the
 * ring without waiting for the mutex: a thread that crashed may hold it. */
#include "server/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/base/sanitize.h"
#include "server/base/str.h"

enum {
    LINE_MAX_BYTES = 4096, /* on stderr */
    RING_LINES = 1000,
    RING_LINE_BYTES = 512,
    TOPICS_MAX = 32,
    TOPIC_BYTES = 32,
};

struct topic_level {
    char topic[TOPIC_BYTES];
    enum log_level level;
};

struct log_levels {
    enum log_level all;
    unsigned n;
    struct topic_level topics[TOPICS_MAX];
};

struct ring_line {
    unsigned short n;
    char text[RING_LINE_BYTES];
};

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static pthread_mutex_t levels_lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_levels levels = { .all = LOG_INFO };
static atomic_uint levels_hint = LOG_INFO << 1; /* level of all topics × 2 + "some differ" */

static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ring_line ring[RING_LINES];
static size_t ring_count; /* lines ever added */

static enum status parse_level(struct str word, enum log_level *ret)
{
    for (unsigned i = 0; i < ARRAY_LEN(level_names); i++) {
        if (str_ieqz(word, level_names[i])) {
            *ret = (enum log_level)i;
            return ST_OK;
        }
    }
    return ST_INVALID;
}

/* The words of subsystems: "s3", "http", "glue.merge". */
static bool is_topic(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
              c == '.')) {
            return false;
        }
    }
    return s.n > 0 && s.n < TOPIC_BYTES;
}

static enum status parse_topic(struct log_levels *to, struct str topic, struct str word)
{
    enum log_level level;
    if (!is_topic(topic) || to->n == TOPICS_MAX || parse_level(word, &level) != ST_OK) {
        return ST_INVALID;
    }
    struct topic_level *slot = &to->topics[to->n++];
    memcpy(slot->topic, topic.p, topic.n);
    slot->level = level;
    return ST_OK;
}

enum status log_configure(const char *spec)
{
    struct log_levels fresh = { .all = LOG_INFO };
    struct str rest = str_z(spec), item, topic, word;
    while (str_next(&rest, ',', &item)) {
        bool named = str_cut(str_trim(item), '=', &topic, &word);
        enum status st = named ? parse_topic(&fresh, str_trim(topic), str_trim(word))
                               : parse_level(topic, &fresh.all);
        if (st != ST_OK) {
            return st;
        }
    }
    pthread_mutex_lock(&levels_lock);
    levels = fresh;
    levels_hint = (unsigned)fresh.all << 1 | (fresh.n > 0 ? 1 : 0);
    pthread_mutex_unlock(&levels_lock);
    return ST_OK;
}

bool log_enabled(enum log_level level, const char *topic)
{
    unsigned hint = levels_hint;
    if ((hint & 1) == 0) {
        return level <= hint >> 1;
    }
    pthread_mutex_lock(&levels_lock);
    enum log_level most = levels.all;
    for (unsigned i = 0; i < levels.n; i++) {
        if (strcmp(levels.topics[i].topic, topic) == 0) {
            most = levels.topics[i].level;
        }
    }
    pthread_mutex_unlock(&levels_lock);
    return level <= most;
}

static void write_all(const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, p, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return; /* nowhere left to complain */
        }
        p += done;
        n -= (size_t)done;
    }
}

/* "2026-11-20T07:08:09.123Z level topic: "; the part above the second is kept per thread. */
static size_t put_prefix(char *out, size_t size, enum log_level level, const char *topic)
{
    static _Thread_local int64_t kept_s = INT64_MIN;
    static _Thread_local char kept[32];
    int64_t ms = clock_now_ms();
    if (ms / 1000 != kept_s) {
        time_t t = (time_t)(ms / 1000);
        struct tm tm = { 0 };
        gmtime_r(&t, &tm);
        strftime(kept, sizeof(kept), "%Y-%m-%dT%H:%M:%S", &tm);
        kept_s = ms / 1000;
    }
    int n = snprintf(out, size, "%s.%03dZ %s %.64s: ", kept, (int)(ms % 1000), level_names[level],
                     topic);
    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

/* One line per message and no terminal control: what clients send may end up in the text. Stops
 * before `size` bytes and shows the cut. Returns the bytes written. */
static size_t put_text(char *out, size_t size, struct str text)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (n + 8 > size) { /* the longest escape and the three dots */
            for (int dot = 0; dot < 3; dot++) {
                out[n++] = '.';
            }
            return n;
        }
        if (c >= 0x20 && c != 0x7f) {
            out[n++] = (char)c;
        } else if (c == '\n' || c == '\t') {
            out[n++] = '\\';
            out[n++] = c == '\n' ? 'n' : 't';
        } else {
            out[n++] = '\\';
            out[n++] = 'x';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        }
    }
    return n;
}

static void ring_add(const char *line, size_t n)
{
    if (n > RING_LINE_BYTES) {
        n = RING_LINE_BYTES;
    }
    pthread_mutex_lock(&ring_lock);
    struct ring_line *slot = &ring[ring_count % RING_LINES];
    memcpy(slot->text, line, n);
    slot->text[n - 1] = '\n';
    slot->n = (unsigned short)n;
    ring_count++;
    pthread_mutex_unlock(&ring_lock);
}

void log_write(enum log_level level, const char *topic, const char *fmt, ...)
{
    char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    size_t text_n = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    size_t at = put_prefix(line, sizeof(line), level, topic);
    at += put_text(line + at, sizeof(line) - at - 1, (struct str){ text, text_n });
    line[at++] = '\n';
    ring_add(line, at);
    if (log_enabled(level, topic)) {
        write_all(line, at);
    }
}

void log_dump_ring(void)
{
    static const char begin[] = "--- last log lines ---\n", end[] = "--- end ---\n";
    /* Not waiting: the crashed thread may be the one that holds it. */
    bool locked = pthread_mutex_trylock(&ring_lock) == 0;
    write_all(begin, sizeof(begin) - 1);
    size_t count = ring_count;
    for (size_t i = count > RING_LINES ? count - RING_LINES : 0; i < count; i++) {
        const struct ring_line *slot = &ring[i % RING_LINES];
        write_all(slot->text, slot->n <= RING_LINE_BYTES ? slot->n : RING_LINE_BYTES);
    }
    write_all(end, sizeof(end) - 1);
    if (locked) {
        pthread_mutex_unlock(&ring_lock);
    }
}

#if !defined(CISTERN_ASAN) && !defined(CISTERN_TSAN)
static const struct {
    int number;
    const char *text;
} crash_signals[] = {
    { SIGSEGV, "cistern: crashed by SIGSEGV (bad memory access)\n" },
    { SIGABRT, "cistern: stopped by SIGABRT\n" },
    { SIGBUS, "cistern: crashed by SIGBUS (bad memory access)\n" },
    { SIGFPE, "cistern: crashed by SIGFPE (bad arithmetic)\n" },
    { SIGILL, "cistern: crashed by SIGILL (bad instruction)\n" },
};

/* Only async-signal-safe calls. SA_RESETHAND has put the default action back already. */
static void on_crash(int number)
{
    static atomic_flag begun = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&begun)) {
        for (size_t i = 0; i < ARRAY_LEN(crash_signals); i++) {
            if (crash_signals[i].number == number) {
                write_all(crash_signals[i].text, strlen(crash_signals[i].text));
            }
        }
        log_dump_ring();
    }
    signal(number, SIG_DFL);
    raise(number);
}

void log_install_crash_handler(void)
{
    /* A stack of its own: an overflow of the main thread's one is a crash too. */
    static char stack_bytes[64 << 10];
    stack_t stack = { .ss_sp = stack_bytes, .ss_size = sizeof(stack_bytes) };
    sigaltstack(&stack, NULL);
    struct sigaction action = { .sa_handler = on_crash };
    action.sa_flags = (int)(SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(crash_signals); i++) {
        sigaction(crash_signals[i].number, &action, NULL);
    }
}
#else
void log_install_crash_handler(void)
{
    /* The sanitizer's own report is better. */
}
#endif
