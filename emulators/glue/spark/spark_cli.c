#include "emulators/glue/spark/spark_cli.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "emulators/glue/spark/spark_find.h"
#include "emulators/glue/spark/spark_install.h"
#include "server/base/mem.h"
#include "server/cli/cli.h"

#define MAVEN "https://repo1.maven.org/maven2"
#define CLI_ARENA_MAX (16u << 20)

/* --- install ---------------------------------------------------------------------------------- */
/* Takes the words; false: said what is wrong. */
static bool read_words(const struct command *self, int argc, char **argv, struct spark_install *ret)
{
    const struct {
        const char *name;
        const char **to;
    } options[] = { { "--to", &ret->to },
                    { "--version", &ret->version },
                    { "--python", &ret->python },
                    { "--maven", &ret->maven } };
    for (int i = 0; i < argc; i++) {
        int taken = 0;
        for (size_t o = 0; o < ARRAY_LEN(options) && taken == 0; o++) {
            taken = cli_option(self, argc, argv, &i, options[o].name, options[o].to);
        }
        if (taken == 0) {
            cli_usage(self, "\"%s\" is no option of install", argv[i]);
        }
        if (taken <= 0) {
            return false;
        }
    }
    return true;
}

static bool is_version(const char *z)
{
    return z[0] >= '0' && z[0] <= '9' && z[strspn(z, "0123456789.")] == '\0';
}

static int install(const struct command *self, struct arena *a, int argc, char **argv)
{
    struct spark_install wish = { NULL, SPARK_VERSION, "python3", MAVEN };
    if (!read_words(self, argc, argv, &wish)) {
        return CLI_USAGE;
    }
    if (!is_version(wish.version)) {
        return cli_usage(self, "\"%s\" is no version (as " SPARK_VERSION ")", wish.version);
    }
    wish.to = wish.to ? wish.to : spark_install_dir(a);
    if (!wish.to || wish.to[0] == '\0') {
        return cli_usage(self, "without HOME, --to must name the folder");
    }
    char cwd[PATH_MAX];
    if (wish.to[0] != '/' && getcwd(cwd, sizeof(cwd))) {
        wish.to = arena_printf(a, "%s/%s", cwd, wish.to).p;
    }
    enum status st = spark_install(a, &wish);
    return st == ST_OK || st == ST_EXISTS ? 0 : CLI_FAILED;
}

/* --- status ----------------------------------------------------------------------------------- */
static void print_place(struct arena *a, const struct spark_place *place)
{
    struct str spark = spark_jar_version(a, place->home, "spark-core_");
    struct str hadoop = spark_jar_version(a, place->home, "hadoop-client-api-");
    struct str s3 = spark_jar_version(a, place->home, "hadoop-aws-");
    printf("Spark   %.*s (%s)\n        %s\n", STR_ARG(spark), place->found_by, place->home);
    printf("Python  %s\n", place->python ? place->python : "that of --python");
    if (str_set(s3)) {
        printf("S3      hadoop-aws %.*s%s\n", STR_ARG(s3),
               str_eq(s3, hadoop) ? "" : ", which isn't the version of its Hadoop: it won't work");
    } else {
        printf("S3      no hadoop-aws jar in %s/jars: s3:// paths won't work\n", place->home);
    }
}

static int status(struct arena *a)
{
    struct spark_place place = { NULL, NULL, NULL };
    struct str error;
    const char *java = spark_java(a);
    enum status st = spark_find(a, getenv("CISTERN_SPARK_HOME"), &place, &error);
    if (st == ST_NOT_FOUND && spark_on_path(a)) {
        place = (struct spark_place){ spark_on_path(a), NULL, "spark-submit on PATH" };
        st = ST_OK;
    }
    if (st == ST_OK) {
        print_place(a, &place);
    } else if (st == ST_INVALID) {
        printf("Spark   %.*s\n", STR_ARG(error));
    } else {
        printf("Spark   none. A pyspark in the server's --python would be used; or run "
               "`" SPARK_INSTALL_COMMAND "`.\n");
    }
    printf("Java    %s\n", java ? java
                                : "none: install one (Debian, Ubuntu: apt-get install "
                                  "openjdk-17-jre-headless)");
    return st == ST_OK && java ? 0 : CLI_FAILED;
}

int spark_command(const struct command *self, int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(CLI_ARENA_MAX);
    if (argc >= 1 && strcmp(argv[0], "install") == 0) {
        if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
            cli_help(self, stdout);
            return 0;
        }
        return install(self, a, argc - 1, argv + 1);
    }
    if (argc == 1 && strcmp(argv[0], "status") == 0) {
        return status(a);
    }
    return argc ? cli_usage(self, "\"%s\" is neither install nor status", argv[0])
                : cli_usage(self, "say install or status");
}
