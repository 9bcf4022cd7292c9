/* Measures a program's start: from spawn to the first byte of an answer to a GET, in milliseconds.
 *
 *   firstanswer PORT PATH SECONDS COMMAND [ARGUMENT…]
 *
 * Prints "MILLISECONDS STATUS"; then the program is ended (SIGTERM) and waited for. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>

#define NAP_NS 50000
#define ANSWER_MS 2000

extern char **environ;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Status of the answer, 0: nobody listens yet. */
static int ask(int port, const char *request)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[64] = "";
    if (fd < 0) {
        return 0;
    }
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        send(fd, request, strlen(request), MSG_NOSIGNAL) > 0) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (poll(&p, 1, ANSWER_MS) == 1) {
            ssize_t n = recv(fd, answer, sizeof(answer) - 1, 0);
            answer[n > 0 ? n : 0] = '\0';
        }
    }
    close(fd);
    return strlen(answer) > 12 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

static pid_t start(char **command)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid = 0;
    int rc = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) {
        fprintf(stderr, "firstanswer: %s: %s\n", command[0], strerror(rc));
        exit(2);
    }
    return pid;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "Usage: firstanswer PORT PATH SECONDS COMMAND [ARGUMENT…]\n");
        return 2;
    }
    int port = (int)strtol(argv[1], NULL, 10);
    char request[512];
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", argv[2],
             port);
    if (ask(port, request) != 0) {
        fprintf(stderr, "firstanswer: port %d is taken\n", port);
        return 2;
    }
    double limit_ms = strtod(argv[3], NULL) * 1e3, begun = now_ms();
    pid_t pid = start(argv + 4);
    int status = 0;
    bool ended = false;
    while (status == 0 && !ended && now_ms() - begun < limit_ms) {
        ended = waitpid(pid, NULL, WNOHANG) != 0;
        status = ended ? 0 : ask(port, request);
        if (status == 0) {
            nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
        }
    }
    double took = now_ms() - begun;
    if (!ended && kill(pid, SIGTERM) == 0) {
        waitpid(pid, NULL, 0);
    }
    if (status == 0) {
        fprintf(stderr, "firstanswer: %s did not answer\n", argv[4]);
        return 1;
    }
    printf("%.3f %d\n", took, status);
    return 0;
}
