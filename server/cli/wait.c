/* wait, status, reset: questions to the server's own API. */
#include "server/base/mem.h"
#include "server/cli/cli.h"
#include "server/wire/json.h"

#define ANSWER_ARENA_MAX (256u << 20)
#define WAIT_DEFAULT_S 60
#define WAIT_MAX_S 3600
/* Beyond the server's own limit of a request. */
#define PATIENCE_S 30

static void print_busy(FILE *out, const struct json_value *answer)
{
    const struct json_value *busy = json_get(answer, "busy");
    for (const struct json_value *v = busy && busy->kind == JSON_ARRAY ? busy->first : NULL; v;
         v = v->next) {
        fprintf(out, "  %.*s: %.*s\n", STR_ARG(json_get_str(v, "service")),
                STR_ARG(json_get_str(v, "detail")));
    }
}

static int parse_answer(struct arena *a, const struct cli_answer *answer, struct json_value **ret)
{
    struct str why;
    if (json_parse(a, answer->body, ret, &why) != ST_OK) {
        fprintf(stderr, "cistern: the answer is no JSON (%.*s); is this a cistern server?\n",
                STR_ARG(why));
        return CLI_FAILED;
    }
    return 0;
}

struct wait_options {
    const char *endpoint;
    double timeout_s;
    bool flush;
};

static int wait_words(const struct command *self, int argc, char **argv, struct wait_options *o)
{
    for (int i = 0; i < argc; i++) {
        const char *timeout = NULL;
        int got = cli_option(self, argc, argv, &i, "--endpoint", &o->endpoint);
        if (got == 0) {
            got = cli_option(self, argc, argv, &i, "--timeout", &timeout);
        }
        if (got < 0) {
            return CLI_USAGE;
        }
        if (timeout && (str_f64(str_z(timeout), &o->timeout_s) != ST_OK ||
                        !(o->timeout_s >= 0 && o->timeout_s <= WAIT_MAX_S))) {
            return cli_usage(self, "--timeout takes seconds from 0 to %d, not \"%s\"", WAIT_MAX_S,
                             timeout);
        }
        if (got == 0 && strcmp(argv[i], "--flush") == 0) {
            o->flush = true;
        } else if (got == 0) {
            return cli_usage(self, "\"%s\" is no option", argv[i]);
        }
    }
    return 0;
}

int wait_command(const struct command *self, int argc, char **argv)
{
    struct wait_options o = { .timeout_s = WAIT_DEFAULT_S };
    int rc = wait_words(self, argc, argv, &o);
    if (rc != 0) {
        return rc;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new(ANSWER_ARENA_MAX);
    struct cli_request request = {
        .method = "GET",
        .target = arena_printf(a, "/_cistern/wait?timeout=%.3f&flush=%d", o.timeout_s, o.flush),
        .timeout_s = (int)o.timeout_s + PATIENCE_S,
    };
    struct cli_answer answer;
    struct json_value *doc;
    if (cli_http(a, cli_endpoint(a, o.endpoint), &request, &answer) != ST_OK) {
        return CLI_FAILED;
    }
    if (answer.http_status != 200) {
        return cli_refused("wait", &answer);
    }
    if (parse_answer(a, &answer, &doc) != 0) {
        return CLI_FAILED;
    }
    if (json_get_bool(doc, "idle", false)) {
        return 0;
    }
    fprintf(stderr, "cistern: not idle after %g s:\n", o.timeout_s);
    print_busy(stderr, doc);
    return CLI_FAILED;
}

/* --endpoint only, and one flag if `flag` isn't NULL. */
static int plain_words(const struct command *self, int argc, char **argv, const char *flag,
                       bool *ret_flag, const char **ret_endpoint)
{
    for (int i = 0; i < argc; i++) {
        int got = cli_option(self, argc, argv, &i, "--endpoint", ret_endpoint);
        if (got < 0) {
            return CLI_USAGE;
        }
        if (got == 0 && flag && strcmp(argv[i], flag) == 0) {
            *ret_flag = true;
        } else if (got == 0) {
            return cli_usage(self, "\"%s\" is no option", argv[i]);
        }
    }
    return 0;
}

static void print_status(const struct json_value *doc)
{
    struct str endpoint = json_get_str(doc, "endpoint"), data = json_get_str(doc, "data");
    const struct json_value *uptime = json_get(doc, "uptime_s");
    double seconds = !uptime                      ? 0
                     : uptime->kind == JSON_FLOAT ? uptime->f
                     : uptime->kind == JSON_INT   ? (double)uptime->i
                                                  : 0;
    printf("cistern %.*s at %.*s, process %lld, up %.0f s\ndata in %.*s\nservices:",
           STR_ARG(json_get_str(doc, "version")), STR_ARG(endpoint),
           (long long)json_get_i64(doc, "pid", 0), seconds, STR_ARG(data));
    const struct json_value *list = json_get(doc, "services");
    for (const struct json_value *v = list && list->kind == JSON_ARRAY ? list->first : NULL; v;
         v = v->next) {
        printf(" %.*s", STR_ARG(v->kind == JSON_STRING ? v->str : STR_NONE));
    }
    printf("\n%lld commits (%lld failed), %lld child processes\n",
           (long long)json_get_i64(doc, "commits", 0),
           (long long)json_get_i64(doc, "failed_commits", 0),
           (long long)json_get_i64(doc, "child_processes", 0));
    printf("%s\n", json_get_bool(doc, "idle", false) ? "idle" : "busy:");
    print_busy(stdout, doc);
}

int status_command(const struct command *self, int argc, char **argv)
{
    const char *endpoint = NULL;
    bool raw = false;
    int rc = plain_words(self, argc, argv, "--json", &raw, &endpoint);
    if (rc != 0) {
        return rc;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new(ANSWER_ARENA_MAX);
    struct cli_request request = { .method = "GET",
                                   .target = STR("/_cistern/status"),
                                   .timeout_s = PATIENCE_S };
    struct cli_answer answer;
    struct json_value *doc;
    if (cli_http(a, cli_endpoint(a, endpoint), &request, &answer) != ST_OK) {
        return CLI_FAILED;
    }
    if (answer.http_status != 200) {
        return cli_refused("status", &answer);
    }
    if (raw) {
        printf("%.*s\n", STR_ARG(str_trim(answer.body)));
        return 0;
    }
    rc = parse_answer(a, &answer, &doc);
    if (rc == 0) {
        print_status(doc);
    }
    return rc;
}

int reset_command(const struct command *self, int argc, char **argv)
{
    const char *endpoint = NULL;
    int rc = plain_words(self, argc, argv, NULL, NULL, &endpoint);
    if (rc != 0) {
        return rc;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new(ANSWER_ARENA_MAX);
    struct cli_request request = { .method = "POST",
                                   .target = STR("/_cistern/reset"),
                                   .timeout_s = 2 * PATIENCE_S };
    struct cli_answer answer;
    if (cli_http(a, cli_endpoint(a, endpoint), &request, &answer) != ST_OK) {
        return CLI_FAILED;
    }
    return answer.http_status == 200 ? 0 : cli_refused("reset", &answer);
}
