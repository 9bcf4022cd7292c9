/* One table: option, type, default, help. The variable of --clock-scale is CISTERN_CLOCK_SCALE. */
#include "server/config.h"

#include <limits.h>
#include <unistd.h>

#include "server/base/mem.h"
#include "server/base/str.h"

enum option_type {
    OPTION_TEXT,   /* const char *, owned by the config */
    OPTION_FLAG,   /* bool: --flag, --flag=no */
    OPTION_INT,    /* int within [min, max] */
    OPTION_NUMBER, /* double within [min, max] */
    OPTION_LISTEN, /* ADDR:PORT, [ADDR]:PORT or PORT: fills two members */
    OPTION_AUTH,   /* lenient or strict: bool */
};

struct option {
    const char *name;
    const char *value; /* as the help shows it; NULL for flags */
    enum option_type type;
    size_t offset;
    const char *preset; /* NULL: none */
    double min, max;
    const char *help;
};

#define AT(member) offsetof(struct config, member)

static const struct option options[] = {
    { "listen", "ADDR:PORT", OPTION_LISTEN, 0, "127.0.0.1:4566", 0, 0,
      "where to listen; port 0 takes any free one" },
    { "data", "DIR", OPTION_TEXT, AT(data_dir), ".cistern", 0, 0,
      "folder of everything that is kept" },
    { "ephemeral", NULL, OPTION_FLAG, AT(ephemeral), NULL, 0, 0,
      "keep it in a temporary folder that is removed at the end" },
    { "durable", NULL, OPTION_FLAG, AT(durable), NULL, 0, 0,
      "survive a power cut, too: sync to disk before every answer" },
    { "auth", "lenient|strict", OPTION_AUTH, AT(auth_strict), "lenient", 0, 0,
      "strict: refuse requests whose signature cannot be verified" },
    { "access-key", "ID", OPTION_TEXT, AT(access_key), "test", 0, 0,
      "access key id that is always valid" },
    { "secret-key", "SECRET", OPTION_TEXT, AT(secret_key), "test", 0, 0, "its secret" },
    { "account", "ID", OPTION_TEXT, AT(account), "000000000000", 0, 0,
      "account of callers that select none" },
    { "region", "NAME", OPTION_TEXT, AT(region), "us-east-1", 0, 0,
      "region of callers that select none" },
    { "clock-scale", "N", OPTION_NUMBER, AT(clock_scale), "1", 0.001, 100000,
      "let waiting times (retries, batch intervals) pass N times as fast" },
    { "log", "LEVEL[,TOPIC=LEVEL]", OPTION_TEXT, AT(log), "info", 0, 0,
      "error, warn, info or debug; for single topics as in info,s3=debug" },
    { "http-threads", "N", OPTION_INT, AT(http_threads), "0", 0, 256,
      "threads that serve HTTP; 0: one per processor, at least 2" },
    { "workers", "N", OPTION_INT, AT(workers), "4", 1, 256, "threads for bulk work" },
    { "python", "COMMAND", OPTION_TEXT, AT(python), "python3", 0, 0,
      "interpreter of Python functions and jobs" },
    { "spark-master", "URL", OPTION_TEXT, AT(spark_master), "local[*]", 0, 0,
      "where glueetl jobs run: local[N], spark://HOST:PORT, k8s://URL or yarn" },
    { "spark-home", "DIR", OPTION_TEXT, AT(spark_home), NULL, 0, 0,
      "Spark of glueetl jobs; else what `cistern spark install` made, SPARK_HOME, or spark-submit "
      "on PATH" },
    { "spark-endpoint", "URL", OPTION_TEXT, AT(spark_endpoint), NULL, 0, 0,
      "address under which the executors of a cluster reach this server" },
    { "glue-self-overwrite", "merge|aws|spark", OPTION_TEXT, AT(self_overwrite), "merge", 0, 0,
      "what a job reads that overwrote its own input: what was there (merge), nothing (aws), or "
      "Spark's error" },
    { "mysqld", "PROGRAM[:PROGRAM]", OPTION_TEXT, AT(mysqld), NULL, 0, 0,
      "database servers of RDS instances; else mariadbd and mysqld on the PATH and in the usual "
      "places" },
    { "functions", "FILE", OPTION_TEXT, AT(functions_file), NULL, 0, 0,
      "executables that are Lambda functions: lines of NAME = COMMAND" },
};

/* --- one value -------------------------------------------------------------------------------- */

static void set_text(const char **member, struct str value)
{
    char *old = (char *)(uintptr_t)*member;
    *member = xstrndup(value.p, value.n);
    free(old);
}

/* ADDR:PORT, [ADDR]:PORT, or only the port. */
static enum status set_listen(struct config *c, struct str value)
{
    struct str addr = STR("127.0.0.1"), port = value;
    ptrdiff_t colon = -1;
    for (ptrdiff_t at = str_find(value, ':', 0); at >= 0;
         at = str_find(value, ':', (size_t)at + 1)) {
        colon = at;
    }
    if (colon >= 0) {
        addr = str_sub(value, 0, (size_t)colon);
        port = str_sub(value, (size_t)colon + 1, value.n);
    }
    if (addr.n > 2 && addr.p[0] == '[' && addr.p[addr.n - 1] == ']') {
        addr = str_sub(addr, 1, addr.n - 1);
    }
    uint64_t n;
    if (addr.n == 0 || str_u64(port, &n) != ST_OK || n > 65535) {
        return ST_INVALID;
    }
    set_text(&c->listen_addr, addr);
    c->listen_port = (int)n;
    return ST_OK;
}

static enum status set_number(const struct option *o, void *member, struct str value)
{
    double d;
    int64_t i;
    if (o->type == OPTION_NUMBER) {
        if (str_f64(value, &d) != ST_OK || !(d >= o->min && d <= o->max)) {
            return ST_INVALID;
        }
        *(double *)member = d;
        return ST_OK;
    }
    if (str_i64(value, &i) != ST_OK || i < (int64_t)o->min || i > (int64_t)o->max) {
        return ST_INVALID;
    }
    *(int *)member = (int)i;
    return ST_OK;
}

static enum status set_auth(bool *member, struct str value)
{
    *member = str_eqz(value, "strict");
    return *member || str_eqz(value, "lenient") ? ST_OK : ST_INVALID;
}

static enum status set(struct config *c, const struct option *o, struct str value)
{
    void *member = (char *)c + o->offset;
    switch (o->type) {
    case OPTION_TEXT:
        if (value.n == 0) {
            return ST_INVALID;
        }
        set_text(member, value);
        return ST_OK;
    case OPTION_FLAG:
        return str_bool(value, member);
    case OPTION_INT:
    case OPTION_NUMBER:
        return set_number(o, member, value);
    case OPTION_LISTEN:
        return set_listen(c, value);
    case OPTION_AUTH:
        return set_auth(member, value);
    }
    return ST_INVALID;
}

static void say_bad_value(FILE *err, const struct option *o, const char *from, struct str value)
{
    fprintf(err, "cistern: %s: \"%.*s\" is not a value of --%s", from, STR_ARG(value), o->name);
    if (o->max > 0) {
        fprintf(err, " (a number from %g to %g)", o->min, o->max);
    } else if (o->value) {
        fprintf(err, " (%s)", o->value);
    } else {
        fprintf(err, " (yes or no)");
    }
    fputc('\n', err);
}

/* --- where values come from ------------------------------------------------------------------- */

#define ENV_NAME_MAX 64

static void env_name(const struct option *o, char out[ENV_NAME_MAX])
{
    size_t n = (size_t)snprintf(out, ENV_NAME_MAX, "CISTERN_%s", o->name);
    for (size_t i = 8; i < n; i++) {
        out[i] = (char)(out[i] == '-' ? '_' : char_upper(out[i]));
    }
}

static enum status load_environment(struct config *c, FILE *err)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        char name[ENV_NAME_MAX];
        env_name(&options[i], name);
        struct str value = str_z(getenv(name));
        if (value.n > 0 && set(c, &options[i], value) != ST_OK) {
            say_bad_value(err, &options[i], name, value);
            return ST_INVALID;
        }
    }
    return ST_OK;
}

static const struct option *find_option(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (str_eqz(name, options[i].name)) {
            return &options[i];
        }
    }
    return NULL;
}

/* Reads the option at argv[*i]; leaves *i at its last word. */
static enum status load_option(struct config *c, int argc, char **argv, int *i, FILE *err)
{
    const char *word = argv[*i];
    struct str name, value;
    bool joined = strncmp(word, "--", 2) == 0 && str_cut(str_z(word + 2), '=', &name, &value);
    if (!joined) {
        name = strncmp(word, "--", 2) == 0 ? str_z(word + 2) : STR_NONE;
    }
    const struct option *o = find_option(name);
    if (!o) {
        fprintf(err, "cistern: \"%s\" is no option of serve; `cistern serve --help` lists them\n",
                word);
        return ST_INVALID;
    }
    if (!joined && o->type == OPTION_FLAG) {
        value = STR("yes");
    } else if (!joined && *i + 1 == argc) {
        fprintf(err, "cistern: --%s needs a value: %s\n", o->name, o->value);
        return ST_INVALID;
    } else if (!joined) {
        value = str_z(argv[++*i]);
    }
    if (set(c, o, value) != ST_OK) {
        say_bad_value(err, o, "command line", value);
        return ST_INVALID;
    }
    return ST_OK;
}

/* --- sense of the whole ----------------------------------------------------------------------- */

static bool all_of(const char *z, const char *allowed)
{
    return z[0] != '\0' && z[strspn(z, allowed)] == '\0';
}

static enum status check(const struct config *c, FILE *err)
{
    if (strlen(c->account) != 12 || !all_of(c->account, "0123456789")) {
        fprintf(err, "cistern: --account: \"%s\" is no account id (12 digits)\n", c->account);
        return ST_INVALID;
    }
    if (!all_of(c->region, "abcdefghijklmnopqrstuvwxyz0123456789-")) {
        fprintf(err, "cistern: --region: \"%s\" is no region (as us-east-1)\n", c->region);
        return ST_INVALID;
    }
    static const char *const overwrite[] = { "merge", "aws", "spark" };
    for (size_t i = 0; i < ARRAY_LEN(overwrite); i++) {
        if (strcmp(c->self_overwrite, overwrite[i]) == 0) {
            return ST_OK;
        }
    }
    fprintf(err, "cistern: --glue-self-overwrite: \"%s\" is none of merge, aws, spark\n",
            c->self_overwrite);
    return ST_INVALID;
}

static enum status make_absolute(const char **path, FILE *err)
{
    if ((*path)[0] == '/') {
        return ST_OK;
    }
    char cwd[PATH_MAX];
    if (!getcwd(cwd, sizeof(cwd))) {
        fprintf(err, "cistern: the current folder is gone; give --data an absolute path\n");
        return ST_INVALID;
    }
    const char *relative = strncmp(*path, "./", 2) == 0 ? *path + 2 : *path;
    CLEANUP(free_ptr) char *full = xasprintf("%s/%s", cwd, relative);
    set_text(path, str_z(full));
    return ST_OK;
}

enum status config_load(int argc, char **argv, struct config *ret, FILE *err)
{
    struct config c = { 0 };
    enum status st = ST_OK;
    for (size_t i = 0; i < ARRAY_LEN(options) && st == ST_OK; i++) {
        st = options[i].preset ? set(&c, &options[i], str_z(options[i].preset)) : ST_OK;
    }
    if (st == ST_OK) {
        st = load_environment(&c, err);
    }
    for (int i = 0; i < argc && st == ST_OK; i++) {
        st = load_option(&c, argc, argv, &i, err);
    }
    if (st == ST_OK) {
        st = check(&c, err);
    }
    if (st == ST_OK) {
        st = make_absolute(&c.data_dir, err);
    }
    if (st == ST_OK && c.functions_file) {
        st = make_absolute(&c.functions_file, err);
    }
    if (st == ST_OK && c.spark_home) {
        st = make_absolute(&c.spark_home, err);
    }
    if (st != ST_OK) {
        config_fini(&c);
        return st;
    }
    *ret = c;
    return ST_OK;
}

void config_help(FILE *out)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct option *o = &options[i];
        char name[ENV_NAME_MAX];
        env_name(o, name);
        fprintf(out, "  --%s%s%s\n      %s\n      [%s", o->name, o->value ? " " : "",
                o->value ? o->value : "", o->help, name);
        if (o->preset) {
            fprintf(out, ", default %s", o->preset);
        }
        fprintf(out, "]\n");
    }
}

void config_set_text(const char **member, const char *value)
{
    set_text(member, str_z(value));
}

void config_fini(struct config *config)
{
    free((char *)(uintptr_t)config->listen_addr);
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (options[i].type == OPTION_TEXT) {
            const char **member = (const char **)(void *)((char *)config + options[i].offset);
            free((char *)(uintptr_t)*member);
        }
    }
    *config = (struct config){ 0 };
}
