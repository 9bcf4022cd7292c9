/* `cistern function add NAME -- COMMAND`: Lambda's own API, with an empty zip as the code and the
 * command in the variable CISTERN_COMMAND. */
#include <sys/stat.h>

#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/cli/cli.h"
#include "server/wire/json.h"

#define FUNCTION_ARENA_MAX (64u << 20)
#define FUNCTION_TIMEOUT_S 60
#define REQUEST_S 30
#define REQUEST_MAX (1u << 20)
#define FUNCTIONS "/2015-03-31/functions"

struct function_words {
    const char *endpoint;
    const char *name;
    int64_t timeout_s;
    char **command; /* after --, NULL-terminated by argv; NULL: none */
    int n_command;
};

static int parse_words(const struct command *self, int argc, char **argv, struct function_words *w)
{
    for (int i = 0; i < argc; i++) {
        const char *timeout = NULL;
        if (strcmp(argv[i], "--") == 0) {
            w->command = argv + i + 1;
            w->n_command = argc - i - 1;
            return 0;
        }
        int got = cli_option(self, argc, argv, &i, "--endpoint", &w->endpoint);
        if (got == 0) {
            got = cli_option(self, argc, argv, &i, "--timeout", &timeout);
        }
        if (got < 0) {
            return CLI_USAGE;
        }
        if (timeout && (str_i64(str_z(timeout), &w->timeout_s) != ST_OK || w->timeout_s < 1 ||
                        w->timeout_s > 900)) {
            return cli_usage(self, "--timeout takes seconds from 1 to 900, not \"%s\"", timeout);
        }
        if (got == 0 && argv[i][0] != '-' && !w->name) {
            w->name = argv[i];
        } else if (got == 0) {
            return cli_usage(self, "\"%s\" is not expected here", argv[i]);
        }
    }
    return 0;
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* One word of a shell command line that means exactly these bytes. */
static void add_word(struct buf *b, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "@%+=:,./-_";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        buf_puts(b, word);
        return;
    }
    buf_putc(b, '\'');
    for (; *word; word++) {
        if (*word == '\'') {
            buf_puts(b, "'\\''");
        } else {
            buf_putc(b, *word);
        }
    }
    buf_putc(b, '\'');
}

/* Names a file as seen from here: with a slash or a dot, so that plain words stay words. */
static bool is_file(const char *word)
{
    struct stat s;
    return strpbrk(word, "/.") && stat(word, &s) == 0 && S_ISREG(s.st_mode);
}

/* The function runs in another folder: names of files become absolute. */
static void add_path_or_word(struct buf *b, const char *word)
{
    CLEANUP(free_ptr) char *full = is_file(word) ? realpath(word, NULL) : NULL;
    add_word(b, full ? full : word);
}

static void add_command(struct json_out *o, const struct function_words *w)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT(REQUEST_MAX);
    for (int i = 0; i < w->n_command; i++) {
        if (i > 0) {
            buf_putc(&line, ' ');
        }
        if (w->n_command == 1 && !is_file(w->command[0])) {
            buf_puts(&line, w->command[0]); /* a command line already */
        } else {
            add_path_or_word(&line, w->command[i]);
        }
    }
    json_keyz(o, "Environment");
    json_open(o, '{');
    json_keyz(o, "Variables");
    json_open(o, '{');
    json_pair(o, "CISTERN_COMMAND", buf_str(&line));
    json_close(o, '}');
    json_close(o, '}');
}

static void add_settings(struct json_out *o, const struct function_words *w)
{
    json_pair(o, "Runtime", STR("provided.al2023"));
    json_pair(o, "Handler", STR("bootstrap"));
    json_pair(o, "Role", STR("arn:aws:iam::000000000000:role/cistern-function"));
    json_keyz(o, "Timeout");
    json_i64(o, w->timeout_s);
    add_command(o, w);
}

/* A zip archive of no files: its end record alone. */
static const char empty_zip[22] = { 'P', 'K', 5, 6 };

/* --- requests --------------------------------------------------------------------------------- */

static enum status call(struct arena *a, const struct function_words *w, const char *method,
                        struct str target, struct str body, struct cli_answer *ret)
{
    struct cli_request request = { .method = method,
                                   .target = target,
                                   .content_type = STR("application/json"),
                                   .body = body,
                                   .timeout_s = REQUEST_S };
    return cli_http(a, cli_endpoint(a, w->endpoint), &request, ret);
}

static int change(struct arena *a, const struct function_words *w)
{
    CLEANUP(buf_fini) struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    add_settings(&o, w);
    json_close(&o, '}');
    struct str target = arena_printf(a, FUNCTIONS "/%.*s/configuration",
                                     STR_ARG(url_encode(a, str_z(w->name), false)));
    struct cli_answer answer;
    if (call(a, w, "PUT", target, buf_str(&b), &answer) != ST_OK) {
        return CLI_FAILED;
    }
    return answer.http_status / 100 == 2 ? 0 : cli_refused("function add", &answer);
}

static int add(const struct command *self, struct arena *a, const struct function_words *w)
{
    if (!w->name || w->n_command == 0) {
        return cli_usage(self, "add needs a name, and a command after `--`");
    }
    CLEANUP(buf_fini) struct buf b = BUF_INIT(REQUEST_MAX);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    json_pair(&o, "FunctionName", str_z(w->name));
    add_settings(&o, w);
    json_keyz(&o, "Code");
    json_open(&o, '{');
    json_keyz(&o, "ZipFile");
    json_blob(&o, (struct str){ empty_zip, sizeof(empty_zip) });
    json_close(&o, '}');
    json_close(&o, '}');
    if (!buf_ok(&b)) {
        fprintf(stderr, "cistern: the command is too long\n");
        return CLI_FAILED;
    }
    struct cli_answer answer;
    if (call(a, w, "POST", STR(FUNCTIONS), buf_str(&b), &answer) != ST_OK) {
        return CLI_FAILED;
    }
    if (answer.http_status == 409) {
        return change(a, w);
    }
    return answer.http_status / 100 == 2 ? 0 : cli_refused("function add", &answer);
}

static int remove_function(const struct command *self, struct arena *a,
                           const struct function_words *w)
{
    if (!w->name) {
        return cli_usage(self, "remove needs a name");
    }
    struct str target =
        arena_printf(a, FUNCTIONS "/%.*s", STR_ARG(url_encode(a, str_z(w->name), false)));
    struct cli_answer answer;
    if (call(a, w, "DELETE", target, STR_NONE, &answer) != ST_OK) {
        return CLI_FAILED;
    }
    return answer.http_status / 100 == 2 ? 0 : cli_refused("function remove", &answer);
}

/* Prints one page; the marker of the next one, or absent. */
static struct str print_page(const struct json_value *doc)
{
    const struct json_value *list = json_get(doc, "Functions");
    for (const struct json_value *f = list && list->kind == JSON_ARRAY ? list->first : NULL; f;
         f = f->next) {
        const struct json_value *variables = json_get(json_get(f, "Environment"), "Variables");
        struct str command = json_get_str(variables, "CISTERN_COMMAND");
        struct str what = str_set(command) ? command : json_get_str(f, "Handler");
        printf("%-32.*s  %-16.*s  %.*s\n", STR_ARG(json_get_str(f, "FunctionName")),
               STR_ARG(json_get_str(f, "Runtime")), STR_ARG(what));
    }
    return json_get_str(doc, "NextMarker");
}

static int list_functions(struct arena *a, const struct function_words *w)
{
    struct str marker = STR_NONE;
    do {
        struct str target = marker.n ? arena_printf(a, FUNCTIONS "?Marker=%.*s",
                                                    STR_ARG(url_encode(a, marker, false)))
                                     : STR(FUNCTIONS);
        struct cli_answer answer;
        struct json_value *doc;
        struct str why;
        if (call(a, w, "GET", target, STR_NONE, &answer) != ST_OK) {
            return CLI_FAILED;
        }
        if (answer.http_status != 200 || json_parse(a, answer.body, &doc, &why) != ST_OK) {
            return cli_refused("function list", &answer);
        }
        marker = print_page(doc);
    } while (marker.n > 0);
    return 0;
}

int function_command(const struct command *self, int argc, char **argv)
{
    struct function_words w = { .timeout_s = FUNCTION_TIMEOUT_S };
    if (argc == 0) {
        return cli_usage(self, "add, list or remove?");
    }
    int rc = parse_words(self, argc - 1, argv + 1, &w);
    if (rc != 0) {
        return rc;
    }
    CLEANUP(arena_freep) struct arena *a = arena_new(FUNCTION_ARENA_MAX);
    if (strcmp(argv[0], "add") == 0) {
        return add(self, a, &w);
    }
    if (strcmp(argv[0], "list") == 0) {
        return list_functions(a, &w);
    }
    if (strcmp(argv[0], "remove") == 0) {
        return remove_function(self, a, &w);
    }
    static const char *const verbs[] = { "add", "list", "remove", NULL };
    const char *close = cli_closest(argv[0], verbs);
    return cli_usage(self, "\"%s\" is not add, list or remove%s%s%s", argv[0],
                     close ? "; did you mean " : "", close ? close : "", close ? "?" : "");
}
