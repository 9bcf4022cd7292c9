#include "emulators/glue/spark/spark_find.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/base/mem.h"

static const char *join(struct arena *a, const char *dir, const char *rest)
{
    return arena_printf(a, "%s/%s", dir, rest).p;
}

static bool is_there(struct arena *a, const char *dir, const char *rest, int mode)
{
    return access(join(a, dir, rest), mode) == 0;
}

static bool is_home(struct arena *a, const char *dir)
{
    return is_there(a, dir, "bin/spark-submit", R_OK) && is_there(a, dir, "jars", X_OK);
}

static void close_dir(DIR **dir)
{
    if (*dir) {
        closedir(*dir);
    }
}

/* The name of an entry that begins and ends so. */
static const char *entry_of(struct arena *a, const char *dir, struct str begin, struct str end)
{
    CLEANUP(close_dir) DIR *d = opendir(dir);
    struct dirent *e;
    while (d && (e = readdir(d)) != NULL) {
        struct str name = str_z(e->d_name);
        if (name.n >= begin.n + end.n && str_starts(name, begin) && str_ends(name, end)) {
            return arena_str(a, name).p;
        }
    }
    return NULL;
}

/* DIR/lib/python3.X/site-packages/pyspark */
static const char *package_in(struct arena *a, const char *dir)
{
    const char *lib = join(a, dir, "lib");
    const char *version = entry_of(a, lib, STR("python3."), STR(""));
    const char *package =
        version ? arena_printf(a, "%s/%s/site-packages/pyspark", lib, version).p : NULL;
    return package && is_home(a, package) ? package : NULL;
}

/* The path without its last parts. */
static struct str up(struct str path, int parts)
{
    size_t n = path.n;
    while (n > 0 && parts > 0) {
        parts -= path.p[--n] == '/';
    }
    return str_sub(path, 0, n);
}

bool spark_place_in(struct arena *a, const char *dir, struct spark_place *ret)
{
    CLEANUP(free_ptr) char *real = realpath(dir, NULL);
    if (!real) {
        return false;
    }
    const char *home = is_home(a, real) ? arena_strz(a, real).p : package_in(a, real);
    if (!home) {
        return false;
    }
    ret->home = home;
    /* DIR/lib/python3.X/site-packages/pyspark: the environment's interpreter goes with it. */
    struct str tail = STR("/site-packages/pyspark"), package = str_z(home);
    struct str above = str_ends(package, tail) ? up(package, 4) : STR_NONE;
    const char *python = arena_printf(a, "%.*s/bin/python", STR_ARG(above)).p;
    ret->python = str_set(above) && access(python, X_OK) == 0 ? python : NULL;
    return true;
}

const char *spark_install_dir(struct arena *a)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && data[0] == '/') {
        return join(a, data, "cistern/spark");
    }
    return home && home[0] ? join(a, home, ".local/share/cistern/spark") : NULL;
}

enum status spark_find(struct arena *a, const char *wish, struct spark_place *ret,
                       struct str *ret_error)
{
    struct {
        const char *name, *dir;
        bool must;
    } tries[] = {
        { "--spark-home", wish, true },
        { SPARK_INSTALL_COMMAND, spark_install_dir(a), false },
        { "SPARK_HOME", getenv("SPARK_HOME"), true },
    };
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        if (!tries[i].dir || tries[i].dir[0] == '\0') {
            continue;
        }
        if (spark_place_in(a, tries[i].dir, ret)) {
            ret->found_by = tries[i].name;
            return ST_OK;
        }
        if (tries[i].must) {
            *ret_error = arena_printf(a,
                                      "%s names %s, and there is no Spark (bin/spark-submit and "
                                      "jars/). Remedy: correct it, or leave it out and run "
                                      "`" SPARK_INSTALL_COMMAND "`.",
                                      tries[i].name, tries[i].dir);
            return ST_INVALID;
        }
    }
    return ST_NOT_FOUND;
}

static const char *program_on_path(struct arena *a, const char *program)
{
    struct str dir, rest = str_z(getenv("PATH"));
    while (str_next(&rest, ':', &dir)) {
        const char *path = arena_printf(a, "%.*s/%s", STR_ARG(dir), program).p;
        if (dir.n && access(path, X_OK) == 0) {
            return path;
        }
    }
    return NULL;
}

const char *spark_on_path(struct arena *a)
{
    const char *submit = program_on_path(a, "spark-submit");
    CLEANUP(free_ptr) char *real = submit ? realpath(submit, NULL) : NULL;
    struct spark_place place;
    if (!real) {
        return NULL;
    }
    /* HOME/bin/spark-submit, or bin/spark-submit of an environment with pyspark */
    return spark_place_in(a, arena_str(a, up(str_z(real), 2)).p, &place) ? place.home : NULL;
}

struct str spark_jar_version(struct arena *a, const char *home, const char *name)
{
    const char *jar = entry_of(a, join(a, home, "jars"), str_z(name), STR(".jar"));
    const char *dash = jar ? strrchr(jar, '-') : NULL;
    return dash ? str_sub(str_z(dash), 1, strlen(dash) - 4) : STR_NONE;
}

const char *spark_java(struct arena *a)
{
    const char *home = getenv("JAVA_HOME");
    if (home && is_there(a, home, "bin/java", X_OK)) {
        return join(a, home, "bin/java");
    }
    return program_on_path(a, "java");
}
