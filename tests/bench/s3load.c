/* Load generator of `make bench`: sends prepared requests over keep-alive connections and checks
 * every answer. One thread, epoll, no signing: the heads are signed beforehand, so that it costs a
 * fraction of what any server needs.
 *
 *   s3load PORT CONNECTIONS SECONDS PLAN BODIES [TEXT]
 *
 * PLAN is a sequence of records: a line of seven numbers and words, then the head's bytes.
 *   head-bytes body-offset body-bytes status answer-offset answer-bytes etag \n head
 * The body to send and the expected answer are ranges of the file BODIES; answer-bytes -1: any
 * answer; etag "-": any. Prints one line of JSON; ends with 0 if the plan was worked off in
 * SECONDS, whatever the answers were. TEXT is counted in the answers. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define CONNECTIONS_MAX 256
#define ETAG_MAX 80
#define ROOM_BYTES (512u << 10) /* an answer's head and a small body */
#define SMALL_BYTES (384u << 10)
#define TRIES_MAX 3

struct bytes {
    const char *p;
    size_t n;
};

struct request {
    struct bytes head, body, want;
    int status;
    bool any;
    char etag[ETAG_MAX];
};

struct conn {
    int fd;
    const struct request *request; /* NULL: idle, the plan is worked off */
    size_t sent;
    uint64_t begun_ns;
    int tries;
    bool writable_wanted;
    /* the answer */
    char *room;
    size_t have;    /* bytes in the room */
    size_t head_n;  /* 0: not complete */
    int64_t length; /* of the body; -1: up to the end of the connection */
    uint64_t got;   /* of the body */
    bool differs, closes;
    int status;
};

struct load {
    int port, epoll;
    struct bytes plan, bodies, text;
    struct request *requests;
    size_t n_requests, next, done, errors, again, counted;
    uint64_t bytes_out, bytes_in;
    uint32_t *took_us;
    char first_error[256];
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "s3load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static struct bytes map_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        die(path);
    }
    if (st.st_size == 0) {
        close(fd);
        return (struct bytes){ "", 0 };
    }
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (p == MAP_FAILED) {
        die(path);
    }
    close(fd);
    return (struct bytes){ p, (size_t)st.st_size };
}

/* --- the plan --------------------------------------------------------------------------------- */

static struct bytes body_range(const struct load *l, size_t offset, size_t n)
{
    if (offset > l->bodies.n || n > l->bodies.n - offset) {
        fprintf(stderr, "s3load: the plan names bytes behind the end of the bodies\n");
        exit(2);
    }
    return (struct bytes){ l->bodies.p + offset, n };
}

/* Reads the record at *at, moves behind it. */
static void read_request(const struct load *l, size_t *at, struct request *r)
{
    char line[256];
    const char *start = l->plan.p + *at;
    const char *end = memchr(start, '\n', l->plan.n - *at);
    size_t n = end ? (size_t)(end - start) : sizeof(line);
    size_t head, body_at, body, want_at;
    long want;
    if (n >= sizeof(line)) {
        fprintf(stderr, "s3load: bad plan at byte %zu\n", *at);
        exit(2);
    }
    memcpy(line, start, n);
    line[n] = '\0';
    if (sscanf(line, "%zu %zu %zu %d %zu %ld %79s", &head, &body_at, &body, &r->status, &want_at,
               &want, r->etag) != 7 ||
        head > l->plan.n - *at - n - 1) {
        fprintf(stderr, "s3load: bad plan at byte %zu: %s\n", *at, line);
        exit(2);
    }
    r->head = (struct bytes){ end + 1, head };
    r->body = body_range(l, body_at, body);
    r->any = want < 0;
    r->want = body_range(l, want_at, want < 0 ? 0 : (size_t)want);
    *at += n + 1 + head;
}

static void read_plan(struct load *l)
{
    size_t room = 0;
    for (size_t at = 0; at < l->plan.n;) {
        if (l->n_requests == room) {
            room = room ? room * 2 : 1024;
            l->requests = realloc(l->requests, room * sizeof(*l->requests));
            if (!l->requests) {
                die("memory");
            }
        }
        read_request(l, &at, &l->requests[l->n_requests++]);
    }
    l->took_us = calloc(l->n_requests + 1, sizeof(*l->took_us));
    if (!l->took_us) {
        die("memory");
    }
}

/* --- connections ------------------------------------------------------------------------------ */

static void reset_answer(struct conn *c)
{
    c->sent = c->have = c->head_n = 0;
    c->got = 0;
    c->length = -1;
    c->status = 0;
    c->differs = c->closes = false;
}

static void open_conn(struct load *l, struct conn *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)l->port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        die("connect");
    }
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0) {
        die("fcntl");
    }
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0) {
        die("epoll_ctl");
    }
    c->writable_wanted = false;
}

static void want_writable(struct load *l, struct conn *c, bool on)
{
    if (c->writable_wanted != on) {
        struct epoll_event e = { .events = on ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c };
        if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &e) != 0) {
            die("epoll_ctl");
        }
        c->writable_wanted = on;
    }
}

/* Sends what the socket takes. False: the connection broke. */
static bool send_more(struct load *l, struct conn *c)
{
    const struct request *r = c->request;
    while (c->sent < r->head.n + r->body.n) {
        size_t in_body = c->sent > r->head.n ? c->sent - r->head.n : 0;
        size_t in_head = c->sent - in_body;
        struct iovec parts[2] = {
            { (char *)(uintptr_t)r->head.p + in_head, r->head.n - in_head },
            { (char *)(uintptr_t)r->body.p + in_body, r->body.n - in_body },
        };
        struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
        ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            want_writable(l, c, true);
            return true;
        }
        if (n < 0) {
            return false;
        }
        c->sent += (size_t)n;
        l->bytes_out += (uint64_t)n;
    }
    want_writable(l, c, false);
    return true;
}

static void count_error(struct load *l, const struct conn *c, const char *what)
{
    if (l->errors++ == 0) {
        int line = 0;
        while (line < 80 && (size_t)line < c->request->head.n && c->request->head.p[line] != '\r') {
            line++;
        }
        snprintf(l->first_error, sizeof(l->first_error), "%s (status %d) after %.*s", what,
                 c->status, line, c->request->head.p);
        for (char *p = l->first_error; *p; p++) {
            *p = (*p == '"' || *p == '\\' || *p < ' ') ? '\'' : *p;
        }
    }
}

/* The next request of the plan; again = the same one once more, on a new connection. */
static void begin(struct load *l, struct conn *c, bool again)
{
    for (;;) {
        if (again && ++c->tries > TRIES_MAX) {
            count_error(l, c, "the connection broke too often");
            l->done++;
            again = false;
        }
        if (!again) {
            c->tries = 0;
            c->request = l->next < l->n_requests ? &l->requests[l->next++] : NULL;
            c->begun_ns = now_ns();
        }
        reset_answer(c);
        if (!c->request) {
            return;
        }
        if (c->fd < 0) {
            open_conn(l, c);
        }
        if (send_more(l, c)) {
            return;
        }
        close(c->fd);
        c->fd = -1;
        l->again++;
        again = true;
    }
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Value of a header in the answer's head, n = 0 if absent. The name comes as "\r\nName: ". */
static struct bytes header(const struct conn *c, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n < c->head_n; i++) {
        if (c->room[i] == '\r' && strncasecmp(c->room + i, name, n) == 0) {
            size_t end = i + n;
            while (end < c->head_n && c->room[end] != '\r') {
                end++;
            }
            return (struct bytes){ c->room + i + n, end - i - n };
        }
    }
    return (struct bytes){ "", 0 };
}

static bool is(struct bytes b, const char *text)
{
    return b.n == strlen(text) && strncasecmp(b.p, text, b.n) == 0;
}

/* Looks for the end of the head; false: not there yet. */
static bool read_head(struct conn *c)
{
    const char *end = memmem(c->room, c->have, "\r\n\r\n", 4);
    if (!end) {
        return false;
    }
    c->head_n = (size_t)(end - c->room) + 4;
    c->status = c->head_n > 12 ? (int)strtol(c->room + 9, NULL, 10) : 0;
    struct bytes length = header(c, "\r\nContent-Length: ");
    c->length = length.n ? strtoll(length.p, NULL, 10) : -1;
    if (c->status == 204 || c->status == 304) {
        c->length = 0;
    }
    struct bytes connection = header(c, "\r\nConnection: ");
    c->closes = is(connection, "close") ||
                (strncmp(c->room, "HTTP/1.0", 8) == 0 && !is(connection, "keep-alive"));
    return true;
}

/* n bytes of the body lie at p; `c->got` of it came before. */
static void check_body(struct conn *c, const char *p, size_t n)
{
    const struct bytes want = c->request->want;
    if (!c->request->any && !c->differs) {
        c->differs = c->got > want.n || n > want.n - c->got || memcmp(p, want.p + c->got, n) != 0;
    }
    c->got += n;
}

static void count_text(struct load *l, const struct conn *c)
{
    const char *p = c->room + c->head_n, *end = c->room + c->have;
    while (l->text.n > 0 && (p = memmem(p, (size_t)(end - p), l->text.p, l->text.n)) != NULL) {
        l->counted++;
        p += l->text.n;
    }
}

/* A whole answer is here. */
static void finish(struct load *l, struct conn *c)
{
    const struct request *r = c->request;
    l->took_us[l->done++] = (uint32_t)((now_ns() - c->begun_ns) / 1000);
    struct bytes etag = header(c, "\r\nETag: ");
    bool etag_ok = r->etag[0] == '-' || (etag.n == strlen(r->etag) + 2 && etag.p[0] == '"' &&
                                         memcmp(etag.p + 1, r->etag, etag.n - 2) == 0);
    if (c->status != r->status) {
        count_error(l, c, "another status than expected");
    } else if (!etag_ok) {
        count_error(l, c, "another ETag than expected");
    } else if (c->differs || (!r->any && c->got != r->want.n)) {
        count_error(l, c, "another body than expected");
    }
    count_text(l, c);
    if (c->closes) {
        close(c->fd);
        c->fd = -1;
    }
    begin(l, c, false);
}

static void broken(struct load *l, struct conn *c)
{
    bool whole = c->head_n > 0 && c->length < 0;
    close(c->fd);
    c->fd = -1;
    if (!c->request) {
        return;
    }
    if (whole) {
        finish(l, c);
        return;
    }
    l->again++;
    begin(l, c, true);
}

static void receive(struct load *l, struct conn *c)
{
    /* A large body isn't kept: it is read again and again to the place behind the head. */
    bool keep = c->head_n == 0 || (c->length >= 0 && c->length <= (int64_t)SMALL_BYTES);
    size_t at = keep ? c->have : c->head_n;
    if (at == ROOM_BYTES && c->request) {
        count_error(l, c, "too large a head");
        c->closes = true;
        finish(l, c);
        return;
    }
    ssize_t n = recv(c->fd, c->room + at, ROOM_BYTES - at, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0 || !c->request) {
        broken(l, c);
        return;
    }
    l->bytes_in += (uint64_t)n;
    c->have = at + (size_t)n;
    if (c->head_n == 0) {
        if (!read_head(c)) {
            return;
        }
        at = c->head_n;
    }
    check_body(c, c->room + at, c->have - at);
    if (c->length >= 0 && c->got >= (uint64_t)c->length) {
        finish(l, c);
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

static int compare_us(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void report(struct load *l, double seconds)
{
    qsort(l->took_us, l->done, sizeof(*l->took_us), compare_us);
    size_t n = l->done;
    printf("{\"done\": %zu, \"of\": %zu, \"seconds\": %.6f, \"errors\": %zu, \"again\": %zu, "
           "\"bytes_out\": %" PRIu64 ", \"bytes_in\": %" PRIu64 ", \"counted\": %zu, "
           "\"p50_us\": %" PRIu32 ", \"p99_us\": %" PRIu32 ", \"first_error\": \"%s\"}\n",
           n, l->n_requests, seconds, l->errors, l->again, l->bytes_out, l->bytes_in, l->counted,
           n ? l->took_us[n / 2] : 0, n ? l->took_us[n * 99 / 100] : 0, l->first_error);
}

static void run(struct load *l, struct conn *conns, int n_conns, double seconds)
{
    uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9);
    for (int i = 0; i < n_conns; i++) {
        begin(l, &conns[i], false);
    }
    struct epoll_event events[CONNECTIONS_MAX];
    while (l->done < l->n_requests && now_ns() < end) {
        int n = epoll_wait(l->epoll, events, CONNECTIONS_MAX, 100);
        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            bool alive = true;
            if (events[i].events & EPOLLOUT && c->request) {
                alive = send_more(l, c);
            }
            if (!alive) {
                broken(l, c);
            } else if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && c->fd >= 0) {
                receive(l, c);
            }
        }
    }
    report(l, (double)(now_ns() - start) / 1e9);
}

int main(int argc, char **argv)
{
    if (argc < 6 || argc > 7) {
        fprintf(stderr, "Usage: s3load PORT CONNECTIONS SECONDS PLAN BODIES [TEXT]\n");
        return 2;
    }
    struct load l = { .port = (int)strtol(argv[1], NULL, 10),
                      .epoll = epoll_create1(EPOLL_CLOEXEC) };
    int n_conns = (int)strtol(argv[2], NULL, 10);
    if (n_conns < 1 || n_conns > CONNECTIONS_MAX || l.port < 1 || l.port > 65535 || l.epoll < 0) {
        fprintf(stderr, "s3load: PORT from 1 to 65535, CONNECTIONS from 1 to %d\n",
                CONNECTIONS_MAX);
        return 2;
    }
    l.bodies = map_file(argv[5]);
    l.plan = map_file(argv[4]);
    if (argc == 7) {
        l.text = (struct bytes){ argv[6], strlen(argv[6]) };
    }
    read_plan(&l);
    struct conn *conns = calloc((size_t)n_conns, sizeof(*conns));
    for (int i = 0; conns && i < n_conns; i++) {
        conns[i].fd = -1;
        conns[i].room = malloc(ROOM_BYTES);
        if (!conns[i].room) {
            die("memory");
        }
    }
    if (!conns) {
        die("memory");
    }
    run(&l, conns, n_conns, strtod(argv[3], NULL));
    bool all = l.done == l.n_requests;
    for (int i = 0; i < n_conns; i++) {
        free(conns[i].room);
    }
    free(conns);
    free(l.requests);
    free(l.took_us);
    return all ? 0 : 1;
}
