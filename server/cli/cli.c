#include "server/cli/cli.h"

#include <errno.h>
#include <stdarg.h>

#include "server/base/mem.h"
#include "server/config.h"
#include "server/serve.h"

#define WORD_MAX 32

void cli_help(const struct command *command, FILE *out)
{
    fprintf(out, "Usage: cistern %s %s", command->name, command->usage);
}

int cli_run(const struct command *command, int argc, char **argv)
{
    if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        cli_help(command, stdout);
        if (command->run == serve_command) {
            fputc('\n', stdout);
            config_help(stdout);
        }
        return 0;
    }
    return command->run(command, argc, argv);
}

int serve_command(const struct command *self, int argc, char **argv)
{
    (void)self;
    return serve_main(argc, argv);
}

int cli_usage(const struct command *command, const char *fmt, ...)
{
    fprintf(stderr, "cistern %s: ", command->name);
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "; `cistern %s --help` tells how to use it\n", command->name);
    return CLI_USAGE;
}

/* --- spelling --------------------------------------------------------------------------------- */

static int min3(int a, int b, int c)
{
    int least = a < b ? a : b;
    return least < c ? least : c;
}

/* Insertions, deletions and changes of letters between the two. */
static int distance(const char *a, const char *b)
{
    int row[WORD_MAX + 1];
    int n = (int)strlen(b);
    for (int j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = min3(row[j] + 1, row[j - 1] + 1, change);
        }
    }
    return row[n];
}

const char *cli_closest(const char *word, const char *const *names)
{
    const char *best = NULL;
    int best_distance = 3; /* further off is no slip of the finger */
    for (; *names && strlen(word) <= WORD_MAX; names++) {
        int d = strlen(*names) <= WORD_MAX ? distance(word, *names) : best_distance;
        if (d < best_distance) {
            best = *names;
            best_distance = d;
        }
    }
    return best;
}

/* --- words ------------------------------------------------------------------------------------ */

int cli_option(const struct command *command, int argc, char **argv, int *i, const char *name,
               const char **ret_value)
{
    size_t n = strlen(name);
    const char *word = argv[*i];
    if (strncmp(word, name, n) != 0) {
        return 0;
    }
    if (word[n] == '=') {
        *ret_value = word + n + 1;
        return 1;
    }
    if (word[n] != '\0') {
        return 0;
    }
    if (*i + 1 >= argc) {
        cli_usage(command, "%s needs a value", name);
        return -1;
    }
    *ret_value = argv[++*i];
    return 1;
}

/* --- server ----------------------------------------------------------------------------------- */

static struct str first_line(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "re");
    char line[512];
    struct str s = STR_NONE;
    if (f && fgets(line, sizeof(line), f)) {
        s = arena_str(a, str_trim(str_z(line)));
    }
    if (f) {
        fclose(f);
    }
    return s;
}

struct str cli_endpoint(struct arena *a, const char *given)
{
    struct str tries[] = { str_z(given), str_z(getenv("CISTERN_ENDPOINT")),
                           str_z(getenv("AWS_ENDPOINT_URL")), first_line(a, ".cistern/endpoint") };
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        if (tries[i].n > 0) {
            return arena_str(a, tries[i]);
        }
    }
    return STR("http://127.0.0.1:4566");
}

/* --- programs --------------------------------------------------------------------------------- */

int cli_exec(char **argv)
{
    fflush(NULL);
    execvp(argv[0], argv);
    int why = errno;
    fprintf(stderr, "cistern: cannot run %s: %s\n", argv[0], strerror(why));
    return why == ENOENT ? 127 : 126;
}
