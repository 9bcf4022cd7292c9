#include "emulators/glue/spark/spark_conf.h"

#include "server/base/mem.h"

#define S3A "org.apache.hadoop.fs.s3a."

bool spark_master_local(struct str master)
{
    return str_starts(master, STR("local")) && (master.n == 5 || master.p[5] == '[');
}

bool spark_master_here(struct str master)
{
    return spark_master_local(master) || str_starts(master, STR("spark://127.")) ||
           str_starts(master, STR("spark://localhost"));
}

/* --- text ------------------------------------------------------------------------------------- */
static void add_escaped(struct buf *out, struct str s, bool key)
{
    static const char special[] = "\\\n\r\t\f", letter[] = "\\nrtf";
    for (size_t i = 0; i < s.n; i++) {
        const char *at = s.p[i] ? strchr(special, s.p[i]) : NULL;
        if (at) {
            buf_putc(out, '\\');
            buf_putc(out, letter[at - special]);
            continue;
        }
        bool blank = s.p[i] == ' ' && (key || i == 0);
        if (blank || (key && s.p[i] && strchr(":=#!", s.p[i]))) {
            buf_putc(out, '\\');
        }
        buf_putc(out, s.p[i]);
    }
}

void spark_conf_add(struct buf *out, struct str key, struct str value)
{
    add_escaped(out, key, true);
    buf_putc(out, '=');
    add_escaped(out, value, false);
    buf_putc(out, '\n');
}

static void add(struct buf *out, const char *key, struct str value)
{
    if (str_set(value)) {
        spark_conf_add(out, str_z(key), value);
    }
}

static void add_z(struct buf *out, const char *key, const char *value)
{
    add(out, key, str_z(value));
}

/* --- the job's own ---------------------------------------------------------------------------- */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Takes what is before the next word "--conf" from *rest. */
static bool next_part(struct str *rest, struct str *ret_part)
{
    static const struct str word = STR_INIT("--conf");
    if (!str_set(*rest)) {
        return false;
    }
    for (size_t i = 0; i < rest->n; i++) {
        struct str here = str_sub(*rest, i, rest->n);
        bool begins = i == 0 || is_blank(rest->p[i - 1]);
        bool ends = here.n > word.n && (is_blank(here.p[word.n]) || here.p[word.n] == '=');
        if (begins && ends && str_starts(here, word)) {
            *ret_part = str_trim(str_sub(*rest, 0, i));
            *rest = str_sub(here, word.n + 1, here.n);
            return true;
        }
    }
    *ret_part = str_trim(*rest);
    *rest = STR_NONE;
    return true;
}

enum status spark_conf_add_chain(struct buf *out, struct str chain, struct str *ret_bad)
{
    struct str part, key, value;
    while (next_part(&chain, &part)) {
        if (part.n == 0) {
            continue;
        }
        if (!str_cut(part, '=', &key, &value) || str_trim(key).n == 0) {
            *ret_bad = part;
            return ST_INVALID;
        }
        spark_conf_add(out, str_trim(key), str_trim(value));
    }
    return ST_OK;
}

/* --- ours ------------------------------------------------------------------------------------- */
static void add_s3(struct buf *out, const struct spark_conf *c)
{
    static const char *const schemes[] = { "s3", "s3n" };
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        buf_printf(out, "spark.hadoop.fs.%s.impl=" S3A "S3AFileSystem\n", schemes[i]);
        buf_printf(out, "spark.hadoop.fs.AbstractFileSystem.%s.impl=" S3A "S3A\n", schemes[i]);
    }
    add(out, "spark.hadoop.fs.s3a.endpoint", c->endpoint);
    add(out, "spark.hadoop.fs.s3a.endpoint.region", c->region);
    add_z(out, "spark.hadoop.fs.s3a.path.style.access", "true");
    add_z(out, "spark.hadoop.fs.s3a.connection.ssl.enabled",
          str_starts(c->endpoint, STR("https:")) ? "true" : "false");
    add_z(out, "spark.hadoop.fs.s3a.aws.credentials.provider",
          S3A "TemporaryAWSCredentialsProvider");
    add(out, "spark.hadoop.fs.s3a.access.key", c->access_key);
    add(out, "spark.hadoop.fs.s3a.secret.key", c->secret);
    add(out, "spark.hadoop.fs.s3a.session.token", c->token);
    /* S3A then tells with each request what it is for: emulators/s3/s3_view.c needs to know. */
    add_z(out, "spark.hadoop.fs.s3a.audit.enabled", "true");
}

void spark_conf_write(struct buf *out, const struct spark_conf *c)
{
    add(out, "spark.master", c->master);
    add(out, "spark.app.name", c->app_name);
    add_z(out, "spark.ui.enabled", c->ui ? "true" : "false");
    if (c->ui) {
        add_z(out, "spark.ui.port", "0");
    }
    add_z(out, "spark.ui.showConsoleProgress", c->progress ? "true" : "false");
    if (spark_master_here(c->master)) {
        add_z(out, "spark.driver.host", "127.0.0.1");
        add_z(out, "spark.driver.bindAddress", "127.0.0.1");
    }
    if (spark_master_local(c->master)) {
        add_z(out, "spark.hadoop.fs.s3a.buffer.dir", c->tmp_dir);
    }
    if (c->log4j) {
        CLEANUP(free_ptr) char *option = xasprintf("-Dlog4j2.configurationFile=file:%s", c->log4j);
        add_z(out, "spark.driver.defaultJavaOptions", option);
    }
    if (c->ignore_missing) {
        add_z(out, "spark.sql.files.ignoreMissingFiles", "true");
    }
    if (c->user_jars_first) {
        add_z(out, "spark.driver.userClassPathFirst", "true");
        add_z(out, "spark.executor.userClassPathFirst", "true");
    }
    add(out, "spark.files", c->files);
    add(out, "spark.jars", c->jars);
    add(out, "spark.submit.pyFiles", c->py_files);
    add_s3(out, c);
}
