/* Steps, each of which an interruption may cut: everything is made in TO.partial and renamed to TO
 * at the end. The environment has no absolute path in what is used of it (bin/python and
 * site-packages), so it may be moved. */
#include "emulators/glue/spark/spark_install.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emulators/glue/spark/spark_find.h"
#include "server/base/digest.h"
#include "server/base/mem.h"

#define BOTO3 "boto3==1.43.11"
#define READ_BYTES (256u << 10)

extern char **environ;

/* The jars that S3A needs, by the Hadoop that a pyspark brings: the client of exactly that version,
 * and the SDK that it was built with. */
struct jar {
    const char *hadoop, *group, *name, *version;
    const char *sha256; /* NULL: the SHA-1 that is published beside it */
};
static const struct jar jars[] = {
    { "3.3.4", "org/apache/hadoop", "hadoop-aws", "3.3.4",
      "53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a" },
    { "3.3.4", "com/amazonaws", "aws-java-sdk-bundle", "1.12.262",
      "873fe7cf495126619997bec21c44de5d992544aea7e632fdc77adb1a0915bae5" },
    { "3.4.1", "org/apache/hadoop", "hadoop-aws", "3.4.1", NULL },
    { "3.4.1", "software/amazon/awssdk", "bundle", "2.24.6", NULL },
};

struct install {
    struct arena *a;
    const struct spark_install *wish;
    const char *dir;  /* TO.partial */
    const char *home; /* pyspark in it, once it is there */
};

static const char *path_of(struct install *in, const char *dir, const char *rest)
{
    return arena_printf(in->a, "%s/%s", dir, rest).p;
}

__attribute__((format(printf, 1, 2))) static enum status failed(const char *fmt, ...)
{
    va_list ap;
    fflush(stdout);
    fputs("cistern spark install: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return ST_IO;
}

static void step(const char *what, const char *detail)
{
    printf("%-12s %s\n", what, detail);
    fflush(stdout);
}

/* --- programs --------------------------------------------------------------------------------- */
/* Runs it with our streams and environment; its exit status, 127 when it isn't there. */
static int run(const char *const *argv)
{
    pid_t pid;
    int how = 0;
    int rc = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
    if (rc != 0) {
        return 127;
    }
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

static enum status run_step(const char *const *argv, const char *remedy)
{
    int rc = run(argv);
    if (rc == 0) {
        return ST_OK;
    }
    if (rc == 127) {
        return failed("%s isn't there or can't run. %s", argv[0], remedy);
    }
    return failed("%s ended with status %d. %s", argv[0], rc, remedy);
}

/* --- steps ------------------------------------------------------------------------------------ */
static enum status check_java(struct install *in)
{
    const char *java = spark_java(in->a);
    if (!java) {
        return failed("there is no java on PATH nor in JAVA_HOME. Spark needs one: on Debian and "
                      "Ubuntu, apt-get install openjdk-17-jre-headless; then run this again.");
    }
    step("java", java);
    const char *const argv[] = { java, "-version", NULL };
    return run_step(argv, "Install a working Java runtime (openjdk-17-jre-headless).");
}

static enum status make_dirs(struct install *in)
{
    CLEANUP(free_ptr) char *path = xstrdup(in->dir);
    for (char *p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            return failed("%s: %s", path, strerror(errno));
        }
        *p = '/';
    }
    return ST_OK;
}

static enum status make_environment(struct install *in)
{
    const char *python = path_of(in, in->dir, "bin/python");
    const char *const probe[] = { python, "-m", "pip", "--version", NULL };
    if (access(python, X_OK) == 0 && run(probe) == 0) {
        step("environment", "is there from before");
        return ST_OK;
    }
    step("environment", in->dir);
    const char *const argv[] = { in->wish->python, "-m", "venv", "--clear", in->dir, NULL };
    return run_step(argv,
                    "A Python 3.8 or newer with venv is needed: on Debian and Ubuntu, apt-get "
                    "install python3-venv; another one is named by --python.");
}

static bool find_home(struct install *in)
{
    struct spark_place place;
    if (!spark_place_in(in->a, in->dir, &place)) {
        return false;
    }
    in->home = place.home;
    return true;
}

static enum status install_pyspark(struct install *in)
{
    const char *python = path_of(in, in->dir, "bin/python");
    const char *want = arena_printf(in->a, "pyspark==%s", in->wish->version).p;
    const char *mark = path_of(in, in->dir, "pyspark-installed");
    if (access(mark, F_OK) == 0 && find_home(in)) {
        step("pyspark", "is there from before");
        return ST_OK;
    }
    step("pyspark",
         arena_printf(in->a, "%s and " BOTO3 " by pip (about 320 MB; some minutes)", want).p);
    const char *const argv[] = { python, "-m",  "pip", "install", "--disable-pip-version-check",
                                 want,   BOTO3, NULL };
    enum status st = run_step(argv, "Its words are above; run this again to go on.");
    if (st == ST_OK && !find_home(in)) {
        return failed("%s came without bin/spark-submit and jars/.", want);
    }
    if (st == ST_OK) {
        CLEANUP(close_fd) int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        st = fd >= 0 ? ST_OK : failed("%s: %s", mark, strerror(errno));
    }
    return st;
}

/* --- jars ------------------------------------------------------------------------------------- */
static enum status file_digest(struct install *in, const char *path, enum digest_kind kind,
                               struct str *ret)
{
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP(free_ptr) char *block = xmalloc(READ_BYTES);
    unsigned char sum[DIGEST_MAX];
    struct digest *d = digest_new(kind);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 && (n = read(fd, block, READ_BYTES)) > 0) {
        digest_update(d, block, (size_t)n);
    }
    digest_final(d, sum);
    digest_free(d);
    *ret = hex_encode(in->a, sum, digest_size(kind));
    return n < 0 ? failed("%s: %s", path, strerror(errno)) : ST_OK;
}

static enum status download(const char *url, const char *path)
{
    const char *const argv[] = {
        "curl", "--fail",        "--location", "--silent", "--show-error", "--retry",
        "3",    "--continue-at", "-",          "--output", path,           url,
        NULL
    };
    return run_step(argv, "curl (on Debian and Ubuntu: apt-get install curl) must reach the Maven "
                          "repository, or --maven names another one; run this again to go on.");
}

/* First word of a small file: what a .sha1 has. */
static struct str first_word(struct install *in, const char *path)
{
    char text[256];
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    struct str word, all = { text, n > 0 ? (size_t)n : 0 };
    all = str_trim(all);
    (void)str_cut(all, ' ', &word, &all);
    return arena_str(in->a, str_trim(word));
}

static enum status expected_sum(struct install *in, const struct jar *jar, const char *url,
                                const char *partial, struct str *ret)
{
    if (jar->sha256) {
        *ret = str_z(jar->sha256);
        return ST_OK;
    }
    const char *sum = arena_printf(in->a, "%s.sha1", partial).p;
    (void)unlink(sum);
    enum status st = download(arena_printf(in->a, "%s.sha1", url).p, sum);
    *ret = st == ST_OK ? first_word(in, sum) : STR_NONE;
    (void)unlink(sum);
    return st;
}

static enum status get_jar(struct install *in, const struct jar *jar)
{
    const char *file = arena_printf(in->a, "%s-%s.jar", jar->name, jar->version).p;
    const char *path = arena_printf(in->a, "%s/jars/%s", in->home, file).p;
    const char *partial = arena_printf(in->a, "%s/%s.partial", in->dir, file).p;
    const char *url = arena_printf(in->a, "%s/%s/%s/%s/%s", in->wish->maven, jar->group, jar->name,
                                   jar->version, file)
                          .p;
    struct str want, have;
    if (access(path, F_OK) == 0) {
        step("jar", arena_printf(in->a, "%s is there from before", file).p);
        return ST_OK;
    }
    step("jar", url);
    enum status st = expected_sum(in, jar, url, partial, &want);
    st = st == ST_OK ? download(url, partial) : st;
    enum digest_kind kind = jar->sha256 ? DIGEST_SHA256 : DIGEST_SHA1;
    st = st == ST_OK ? file_digest(in, partial, kind, &have) : st;
    if (st != ST_OK) {
        return st;
    }
    if (!str_ieqz(have, arena_cstr(in->a, want))) {
        (void)unlink(partial);
        return failed("%s has the checksum %.*s and not %.*s: it is thrown away; run this again.",
                      url, STR_ARG(have), STR_ARG(want));
    }
    return rename(partial, path) == 0 ? ST_OK : failed("%s: %s", path, strerror(errno));
}

static enum status get_jars(struct install *in)
{
    struct str hadoop = spark_jar_version(in->a, in->home, "hadoop-client-api-");
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_LEN(jars); i++) {
        if (str_eqz(hadoop, jars[i].hadoop)) {
            enum status st = get_jar(in, &jars[i]);
            if (st != ST_OK) {
                return st;
            }
            found++;
        }
    }
    if (!found) {
        return failed("pyspark %s brings Hadoop %.*s, and which S3 jars go with that isn't known "
                      "here: take a pyspark 3.4, 3.5 or 4.0.",
                      in->wish->version, STR_ARG(hadoop));
    }
    return ST_OK;
}

/* --- the whole -------------------------------------------------------------------------------- */
static enum status already(struct arena *a, const struct spark_install *wish)
{
    struct spark_place place;
    if (access(wish->to, F_OK) != 0) {
        return ST_OK;
    }
    struct str have = spark_place_in(a, wish->to, &place)
                          ? spark_jar_version(a, place.home, "spark-core_")
                          : STR_NONE;
    if (str_eqz(have, wish->version)) {
        printf("%s has Spark %s already.\n", wish->to, wish->version);
        return ST_EXISTS;
    }
    return failed("%s is there and has %s%.*s: remove it, or name another folder with --to.",
                  wish->to, str_set(have) ? "Spark " : "no Spark", STR_ARG(have));
}

enum status spark_install(struct arena *a, const struct spark_install *wish)
{
    struct install in = { a, wish, arena_printf(a, "%s.partial", wish->to).p, NULL };
    enum status st = already(a, wish);
    st = st == ST_OK ? check_java(&in) : st;
    st = st == ST_OK ? make_dirs(&in) : st;
    st = st == ST_OK ? make_environment(&in) : st;
    st = st == ST_OK ? install_pyspark(&in) : st;
    st = st == ST_OK ? get_jars(&in) : st;
    if (st != ST_OK) {
        return st;
    }
    if (rename(in.dir, wish->to) != 0) {
        return failed("%s: %s", wish->to, strerror(errno));
    }
    step("done", wish->to);
    return ST_OK;
}
