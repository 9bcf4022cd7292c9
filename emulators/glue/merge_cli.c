/* `cistern merge`: the engine on local files, without a server. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/glue/merge_cli.h"
#include "emulators/glue/merge_dir.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/cli/cli.h"
#include "server/wire/json.h"

#define WORDS_BYTES (256u << 20) /* of the command line and what is made of it */

static atomic_bool interrupted;

/* What was asked for. */
struct ask {
    const struct command *self;
    struct arena *arena;
    struct merge_spec spec;
    const char *final;
    struct str key; /* as given */
    bool header_out;
    bool again;
    bool json;
    bool quiet;
    bool sync;
    struct merge_input *loads;
    size_t n_loads;
    struct merge_input *changes;
    size_t n_changes;
};

/* --- the words -------------------------------------------------------------------------------- */

static int bad_value(const struct ask *a, const char *name, const char *value, const char *may)
{
    return cli_usage(a->self, "%s: \"%s\" is not %s", name, value, may);
}

/* The place of `value` among `words`, or -1. */
static int word_index(const char *value, const char *const *words)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) == 0) {
            return i;
        }
    }
    return -1;
}

/* a,b,c; \, for a comma in a name is not known: such columns are named by position. */
static struct str *split_list(struct arena *arena, struct str text, size_t *ret_n)
{
    struct str *list = NULL;
    struct str rest = text;
    struct str item;
    *ret_n = 0;
    while (str_next(&rest, ',', &item)) {
        ARENA_GROW(arena, list, *ret_n);
        list[(*ret_n)++] = str_trim(item);
    }
    return list;
}

/* 4096, 64K, 8M, 1G */
static bool byte_count(const char *value, uint64_t *ret)
{
    struct str s = str_z(value);
    unsigned shift = 0;
    if (s.n > 1) {
        const char *unit = strchr("KMG", s.p[s.n - 1]);
        shift = unit && *unit ? 10 * (unsigned)(unit - "KMG" + 1) : 0;
    }
    s.n -= shift > 0;
    return str_u64(s, ret) == ST_OK && *ret <= (UINT64_MAX >> shift) && ((*ret <<= shift), true);
}

enum option_kind {
    OPTION_TEXT,  /* struct str */
    OPTION_BYTES, /* uint64_t */
    OPTION_WORD,  /* an enum: the place of the word in its list */
};

struct option {
    const char *name;
    enum option_kind kind;
    size_t offset; /* in struct merge_spec */
    const char *const *words;
    const char *may;
};

static const char *const tri_words[] = { "auto", "true", "false", NULL };
static const char *const misfit_words[] = { "apply", "ignore", "fail", NULL };
static const char *const before_words[] = { "none", "key", "all", NULL };
static const char *const duplicate_words[] = { "fail", "last", NULL };

#define AT(member) offsetof(struct merge_spec, member)
static const struct option options[] = {
    { "--header", OPTION_WORD, AT(header), tri_words, "auto, true or false" },
    { "--load-op", OPTION_WORD, AT(load_op), tri_words, "auto, true or false" },
    { "--change-op", OPTION_WORD, AT(change_op), tri_words, "auto, true or false" },
    { "--op", OPTION_TEXT, AT(op_name), NULL, NULL },
    { "--timestamp", OPTION_TEXT, AT(timestamp_name), NULL, NULL },
    { "--before-image", OPTION_WORD, AT(before), before_words, "none, key or all" },
    { "--before-prefix", OPTION_TEXT, AT(before_prefix), NULL, NULL },
    { "--before-suffix", OPTION_TEXT, AT(before_suffix), NULL, NULL },
    { "--null-text", OPTION_TEXT, AT(null_text), NULL, NULL },
    { "--duplicates", OPTION_WORD, AT(duplicates), duplicate_words, "fail or last" },
    { "--update-missing", OPTION_WORD, AT(update_missing), misfit_words, "apply, ignore or fail" },
    { "--delete-missing", OPTION_WORD, AT(delete_missing), misfit_words, "apply, ignore or fail" },
    { "--insert-present", OPTION_WORD, AT(insert_present), misfit_words, "apply, ignore or fail" },
    { "--part-bytes", OPTION_BYTES, AT(part_bytes), NULL, "a number of bytes (8M)" },
    { "--memory", OPTION_BYTES, AT(memory_bytes), NULL, "a number of bytes (192M)" },
};
#undef AT

/* 0, or CLI_USAGE. */
static int set_option(struct ask *a, const struct option *o, const char *value)
{
    char *at = (char *)&a->spec + o->offset;
    int word = o->kind == OPTION_WORD ? word_index(value, o->words) : 0;
    uint64_t bytes = 0;
    switch (o->kind) {
    case OPTION_TEXT: {
        struct str text = str_z(value);
        memcpy(at, &text, sizeof text);
        return 0;
    }
    case OPTION_BYTES:
        if (!byte_count(value, &bytes)) {
            return bad_value(a, o->name, value, o->may);
        }
        memcpy(at, &bytes, sizeof bytes);
        return 0;
    case OPTION_WORD:
        if (word < 0) {
            return bad_value(a, o->name, value, o->may);
        }
        memcpy(at, &word, sizeof word); /* enums are ints, see the assertion */
        return 0;
    }
    return 0;
}
_Static_assert(sizeof(enum merge_tri) == sizeof(int) && sizeof(enum merge_misfit) == sizeof(int) &&
                   sizeof(enum merge_before) == sizeof(int) &&
                   sizeof(enum merge_duplicates) == sizeof(int),
               "set_option() stores ints");

/* Options with a value that are no plain member of the spec: 1, 0 (another word) or -1 (said). */
static int special_option(struct ask *a, int argc, char **argv, int *i)
{
    const char *value = NULL;
    int got;
    if ((got = cli_option(a->self, argc, argv, i, "--final", &a->final)) != 0) {
        return got;
    }
    if ((got = cli_option(a->self, argc, argv, i, "--key", &value)) != 0) {
        a->key = str_z(value);
        a->spec.key = split_list(a->arena, a->key, &a->spec.n_key);
        return got;
    }
    if ((got = cli_option(a->self, argc, argv, i, "--columns", &value)) != 0) {
        a->spec.columns = split_list(a->arena, str_z(value), &a->spec.n_columns);
        return got;
    }
    if ((got = cli_option(a->self, argc, argv, i, "--load", &value)) != 0) {
        ARENA_GROW(a->arena, a->loads, a->n_loads);
        a->loads[a->n_loads++] = (struct merge_input){ .path = value };
        return got;
    }
    if ((got = cli_option(a->self, argc, argv, i, "--delimiter", &value)) > 0) {
        bool tab = strcmp(value, "\\t") == 0;
        if (!tab && strlen(value) != 1) {
            bad_value(a, "--delimiter", value, "one character (or \\t)");
            return -1;
        }
        a->spec.delimiter = value[0];
        if (tab) {
            a->spec.delimiter = '\t';
        }
        return got;
    }
    if (got == 0 && (got = cli_option(a->self, argc, argv, i, "--threads", &value)) > 0) {
        uint64_t n = 0;
        if (str_u64(str_z(value), &n) != ST_OK || n > 1024) {
            bad_value(a, "--threads", value, "a number up to 1024");
            return -1;
        }
        a->spec.threads = (unsigned)n;
    }
    return got;
}

static bool flag(struct ask *a, const char *word)
{
    if (strcmp(word, "--output-header") == 0) {
        a->spec.output_header = a->header_out = true;
    } else if (strcmp(word, "--add") == 0) {
        a->spec.load = MERGE_LOAD_ADD;
    } else if (strcmp(word, "--again") == 0) {
        a->again = true;
    } else if (strcmp(word, "--json") == 0) {
        a->json = true;
    } else if (strcmp(word, "--quiet") == 0) {
        a->quiet = true;
    } else if (strcmp(word, "--sync") == 0) {
        a->sync = true;
    } else {
        return false;
    }
    return true;
}

/* 1: taken, 0: it is none, -1: said what is wrong. */
static int option(struct ask *a, int argc, char **argv, int *i)
{
    if (flag(a, argv[*i])) {
        return 1;
    }
    int got = special_option(a, argc, argv, i);
    for (size_t k = 0; got == 0 && k < ARRAY_LEN(options); k++) {
        const char *value = NULL;
        got = cli_option(a->self, argc, argv, i, options[k].name, &value);
        if (got > 0 && set_option(a, &options[k], value) != 0) {
            return -1;
        }
    }
    return got;
}

static void add_change(struct ask *a, const char *path)
{
    ARENA_GROW(a->arena, a->changes, a->n_changes);
    a->changes[a->n_changes++] = (struct merge_input){ .path = path };
}

static int read_words(struct ask *a, int argc, char **argv)
{
    bool files = false;
    for (int i = 0; i < argc; i++) {
        if (!files && strcmp(argv[i], "--") == 0) {
            files = true;
            continue;
        }
        int got = files ? 0 : option(a, argc, argv, &i);
        if (got < 0) {
            return CLI_USAGE;
        }
        if (got == 0 && !files && argv[i][0] == '-') {
            return cli_usage(a->self, "\"%s\" is no option", argv[i]);
        }
        if (got == 0) {
            add_change(a, argv[i]);
        }
    }
    if (!a->final || a->final[0] == '\0') {
        return cli_usage(a->self, "--final DIR, the folder of the data set, is missing");
    }
    return 0;
}

/* --- the run ---------------------------------------------------------------------------------- */

static void on_signal(int number)
{
    (void)number;
    atomic_store(&interrupted, true);
}

static void on_progress(void *ctx, const struct merge_progress *p)
{
    (void)ctx;
    fprintf(stderr, "\r%3u %%  %llu rows  %llu MB ", p->percent, (unsigned long long)p->rows,
            (unsigned long long)(p->bytes_read / 1000000));
}

static void on_log(void *ctx, enum merge_log_level level, struct str line)
{
    const struct ask *a = ctx;
    if (level == MERGE_LOG_WARN || !a->quiet) {
        fprintf(stderr, "%s%s%.*s\n", a->spec.progress ? "\r" : "",
                level == MERGE_LOG_WARN ? "warning: " : "", STR_ARG(line));
    }
}

struct run {
    struct ask *ask;
    struct merge_dir dir;
    struct merge_job job;
    struct merge_result result;
    struct str *ids; /* of the files that are merged now */
    size_t n_ids;
    size_t skipped;
    bool header;
    double seconds;
};

static int failed(const struct run *r, const char *text)
{
    if (r->ask->json) {
        struct buf b = BUF_INIT(64u << 10);
        struct json_out o;
        json_out_init(&o, &b);
        json_open(&o, '{');
        json_pair(&o, "error", str_z(text));
        json_keyz(&o, "line");
        json_i64(&o, (int64_t)r->result.error_line);
        json_close(&o, '}');
        printf("%.*s\n", STR_ARG(buf_str(&b)));
        buf_fini(&b);
    }
    fprintf(stderr, "%scistern merge: %s\n", r->ask->spec.progress ? "\r" : "", text);
    return CLI_FAILED;
}

/* Leaves out the files that were merged before. */
static enum status choose_files(struct run *r, struct merge_input *in, size_t *n)
{
    size_t left = 0;
    for (size_t i = 0; i < *n; i++) {
        struct str id;
        enum status st = merge_dir_file_id(&r->dir, in[i].path, &id);
        if (st != ST_OK) {
            return st;
        }
        if (!r->ask->again && merge_dir_was_merged(&r->dir, id)) {
            r->skipped++;
            continue;
        }
        ARENA_GROW(r->ask->arena, r->ids, r->n_ids);
        r->ids[r->n_ids++] = id;
        in[left++] = in[i];
    }
    *n = left;
    return ST_OK;
}

/* What the manifest knows goes before what is left out on the command line. */
static int fit_to_manifest(struct run *r)
{
    struct ask *a = r->ask;
    struct merge_dir *d = &r->dir;
    bool replace = a->n_loads > 0 && a->spec.load == MERGE_LOAD_REPLACE;
    r->header = a->header_out;
    bool ranges = d->known;
    if (d->known && d->n_parts > 0 && !replace) {
        if (a->header_out && !d->header) {
            return failed(r, "the data set was written without --output-header; load it anew to "
                             "change that");
        }
        if (a->spec.delimiter && a->spec.delimiter != d->delimiter) {
            return failed(r, "the data set was written with another --delimiter; load it anew to "
                             "change that");
        }
        r->header = d->header;
        a->spec.delimiter = d->delimiter;
        if (d->n_columns > 0) {
            a->spec.columns = d->columns;
            a->spec.n_columns = d->n_columns;
        }
    }
    if (d->known && !str_set(a->key) && !str_empty(d->key)) {
        a->key = d->key;
        a->spec.key = split_list(a->arena, a->key, &a->spec.n_key);
    }
    ranges = ranges && str_eq(str_set(a->key) ? a->key : STR(""), d->key);
    a->spec.output_header = r->header;
    r->job.spec = a->spec;
    r->job.parts = merge_dir_parts(d, ranges);
    r->job.n_parts = d->n_parts;
    return 0;
}

static int run_merge(struct run *r)
{
    struct ask *a = r->ask;
    size_t asked_loads = a->n_loads;
    enum status st = merge_dir_open(&r->dir, a->final, a->sync);
    if (st == ST_OK) {
        st = choose_files(r, a->loads, &a->n_loads);
    }
    if (st == ST_OK && a->n_loads > 0 && a->n_loads < asked_loads &&
        a->spec.load == MERGE_LOAD_REPLACE) {
        return failed(r, "some of the --load files were merged before and some were not: --again "
                         "loads all of them, --add adds the new ones");
    }
    if (st == ST_OK) {
        st = choose_files(r, a->changes, &a->n_changes);
    }
    if (st != ST_OK) {
        return failed(r, r->dir.error);
    }
    if (r->n_ids == 0) {
        return 0;
    }
    int rc = fit_to_manifest(r);
    if (rc != 0) {
        return rc;
    }
    r->job.loads = a->loads;
    r->job.n_loads = a->n_loads;
    r->job.changes = a->changes;
    r->job.n_changes = a->n_changes;
    r->job.sink = merge_dir_sink(&r->dir);
    r->job.spec.tmp_dir = a->final;
    if (merge_run(&r->job, &r->result) != ST_OK) {
        return failed(r, r->result.error);
    }
    char delimiter = ',';
    if (a->spec.delimiter) {
        delimiter = a->spec.delimiter;
    }
    struct merge_dir_outcome outcome = {
        .key = str_set(a->key) ? a->key : STR(""),
        .delimiter = delimiter,
        .header = r->header,
        .forget = a->n_loads > 0 && a->spec.load == MERGE_LOAD_REPLACE,
        .id = r->ids,
        .n_ids = r->n_ids,
    };
    if (merge_dir_publish(&r->dir, &r->result, &outcome) != ST_OK) {
        return failed(r, r->dir.error);
    }
    return 0;
}

/* --- what is said ----------------------------------------------------------------------------- */

struct figure {
    const char *name;
    uint64_t value;
};

static void print_json(const struct run *r, const struct figure *figure, size_t n)
{
    struct buf b = BUF_INIT(64u << 10);
    struct json_out o;
    json_out_init(&o, &b);
    json_open(&o, '{');
    for (size_t i = 0; i < n; i++) {
        json_keyz(&o, figure[i].name);
        json_i64(&o, (int64_t)figure[i].value);
    }
    json_keyz(&o, "seconds");
    json_f64(&o, r->seconds);
    json_close(&o, '}');
    printf("%.*s\n", STR_ARG(buf_str(&b)));
    buf_fini(&b);
}

static void print_text(const struct run *r, size_t parts)
{
    const struct merge_counters *c = &r->result.counters;
    if (r->n_ids == 0) {
        printf("Nothing to do: %zu files were merged before (--again merges them again).\n",
               r->skipped);
        return;
    }
    printf(
        "%zu files merged, %zu skipped (merged before) in %.2f s: %llu rows loaded, %llu changes\n",
        r->n_ids, r->skipped, r->seconds, (unsigned long long)c->load_rows,
        (unsigned long long)c->change_rows);
    printf("%llu inserted, %llu updated, %llu deleted, %llu unchanged\n",
           (unsigned long long)c->inserted, (unsigned long long)c->updated,
           (unsigned long long)c->deleted, (unsigned long long)c->unchanged);
    if (c->upserted_missing || c->deleted_missing || c->inserted_present || c->duplicates) {
        printf("misfits: %llu updates and %llu deletes of missing keys, %llu inserts of present "
               "ones, %llu duplicates\n",
               (unsigned long long)c->upserted_missing, (unsigned long long)c->deleted_missing,
               (unsigned long long)c->inserted_present, (unsigned long long)c->duplicates);
    }
    printf("data set: %llu rows, %llu bytes in %zu parts; %llu bytes written, %llu kept\n",
           (unsigned long long)c->rows_total, (unsigned long long)c->bytes_total, parts,
           (unsigned long long)c->bytes_rewritten, (unsigned long long)c->bytes_kept);
}

static void report(const struct run *r)
{
    const struct merge_counters *c = &r->result.counters;
    size_t parts = r->result.n_written;
    for (size_t i = 0; i < r->result.n_parts; i++) {
        parts += r->result.kept[i];
    }
    const struct figure figure[] = {
        { "files", r->n_ids },
        { "skipped", r->skipped },
        { "load_rows", c->load_rows },
        { "change_rows", c->change_rows },
        { "inserted", c->inserted },
        { "updated", c->updated },
        { "deleted", c->deleted },
        { "unchanged", c->unchanged },
        { "upserted_missing", c->upserted_missing },
        { "deleted_missing", c->deleted_missing },
        { "inserted_present", c->inserted_present },
        { "duplicates", c->duplicates },
        { "rows_total", c->rows_total },
        { "bytes_total", c->bytes_total },
        { "bytes_rewritten", c->bytes_rewritten },
        { "bytes_kept", c->bytes_kept },
        { "parts", parts },
        { "parts_written", r->result.n_written },
    };
    if (r->ask->json) {
        print_json(r, figure, ARRAY_LEN(figure));
    } else if (!r->ask->quiet) {
        print_text(r, parts);
    }
}

int merge_command(const struct command *self, int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(WORDS_BYTES);
    struct ask ask = { .self = self, .arena = arena };
    int rc = read_words(&ask, argc, argv);
    if (rc != 0) {
        return rc;
    }
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    ask.spec.cancel = &interrupted;
    ask.spec.log = on_log;
    ask.spec.callback_ctx = &ask;
    if (isatty(STDERR_FILENO) && !ask.quiet) {
        ask.spec.progress = on_progress;
    }
    struct run r = { .ask = &ask };
    int64_t began = clock_mono_ms();
    rc = run_merge(&r);
    r.seconds = (double)(clock_mono_ms() - began) / 1000.0;
    if (rc == 0) {
        if (ask.spec.progress) {
            fputs("\r\x1b[K", stderr);
        }
        report(&r);
    }
    merge_result_fini(&r.result);
    merge_dir_close(&r.dir);
    return rc;
}
