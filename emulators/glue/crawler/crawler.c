/* Crawlers: definitions, starting and stopping, schedules. */
#include "emulators/glue/catalog/catalog_common.h"
#include "emulators/glue/crawler/crawler_internal.h"
#include "server/base/clock.h"
#include "server/wire/codec.h"

#define PAGE_MAX 1000

static struct glue_state *glue_of(const struct call *c)
{
    return c->state;
}

/* The crawler, or the call failed with EntityNotFoundException. */
static enum status find_crawler(struct call *c, struct str name, struct crawler_row *ret)
{
    struct glue_owner o = glue_owner_of(c);
    enum status st = crawler_store_find(c->db, c->arena, &o, name, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Crawler with name %.*s does not exist.",
                         STR_ARG(name));
    }
    return call_status(c, st);
}

/* A crawler that nothing runs for. */
static enum status find_idle(struct call *c, struct str name, struct crawler_row *ret)
{
    enum status st = find_crawler(c, name, ret);
    if (st == ST_OK && !str_eqz(ret->crawler->State, "READY")) {
        return call_fail(c, &glue_CrawlerRunningException,
                         "Crawler with name %.*s is currently running.", STR_ARG(name));
    }
    return st;
}

static struct glue_schedule *schedule_of(struct arena *a, struct str expression)
{
    if (str_empty(expression)) {
        return NULL;
    }
    struct glue_schedule *s = ARENA_NEW(a, struct glue_schedule);
    *s = (struct glue_schedule){ expression, STR("SCHEDULED") };
    return s;
}

enum status glue_create_crawler(struct call *c, const struct glue_create_crawler_request *in,
                                void *ret_out)
{
    (void)ret_out;
    struct glue_crawler crawler = {
        .Name = in->Name,
        .Role = in->Role,
        .Targets = in->Targets,
        .DatabaseName = in->DatabaseName,
        .Description = in->Description,
        .Classifiers = in->Classifiers,
        .RecrawlPolicy = in->RecrawlPolicy,
        .SchemaChangePolicy = in->SchemaChangePolicy,
        .LineageConfiguration = in->LineageConfiguration,
        .State = STR("READY"),
        .TablePrefix = in->TablePrefix,
        .Schedule = schedule_of(c->arena, in->Schedule),
        .CreationTime = OPT_TIME(clock_now_ms()),
        .LastUpdated = OPT_TIME(clock_now_ms()),
        .Version = OPT_I64(1),
        .Configuration = in->Configuration,
        .CrawlerSecurityConfiguration = in->CrawlerSecurityConfiguration,
        .LakeFormationConfiguration = in->LakeFormationConfiguration,
    };
    struct crawler_row row = { .owner = glue_owner_of(c), .crawler = &crawler };
    enum status st = crawler_check(c, &crawler);
    if (st != ST_OK) {
        return st;
    }
    st = crawler_plan(glue_of(c), &row);
    st = st == ST_OK ? crawler_store_add(c->db, c->arena, &row) : st;
    if (st == ST_EXISTS) {
        return call_fail(c, &glue_AlreadyExistsException, "Crawler %.*s already exists.",
                         STR_ARG(in->Name));
    }
    return st == ST_OK ? glue_tags_add(c, "crawler", in->Name, &in->Tags) : call_status(c, st);
}

/* Members that aren't given stay as they are. */
static void overlay(struct call *c, const struct glue_update_crawler_request *in,
                    struct glue_crawler *crawler)
{
    const struct {
        struct str from;
        struct str *to;
    } texts[] = {
        { in->Role, &crawler->Role },
        { in->DatabaseName, &crawler->DatabaseName },
        { in->Description, &crawler->Description },
        { in->TablePrefix, &crawler->TablePrefix },
        { in->Configuration, &crawler->Configuration },
        { in->CrawlerSecurityConfiguration, &crawler->CrawlerSecurityConfiguration },
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i].to = str_set(texts[i].from) ? texts[i].from : *texts[i].to;
    }
    crawler->Targets = in->Targets ? in->Targets : crawler->Targets;
    crawler->Classifiers = in->Classifiers.v ? in->Classifiers : crawler->Classifiers;
    crawler->RecrawlPolicy = in->RecrawlPolicy ? in->RecrawlPolicy : crawler->RecrawlPolicy;
    crawler->SchemaChangePolicy =
        in->SchemaChangePolicy ? in->SchemaChangePolicy : crawler->SchemaChangePolicy;
    crawler->LineageConfiguration =
        in->LineageConfiguration ? in->LineageConfiguration : crawler->LineageConfiguration;
    if (in->LakeFormationConfiguration) {
        crawler->LakeFormationConfiguration = in->LakeFormationConfiguration;
    }
    if (str_set(in->Schedule)) {
        crawler->Schedule = schedule_of(c->arena, in->Schedule);
    }
}

/* Stores a changed definition and plans its schedule anew. */
static enum status save(struct call *c, struct crawler_row *row)
{
    enum status st = crawler_plan(glue_of(c), row);
    return call_status(c, st == ST_OK ? crawler_store_set(c->db, c->arena, row) : st);
}

enum status glue_update_crawler(struct call *c, const struct glue_update_crawler_request *in,
                                void *ret_out)
{
    (void)ret_out;
    struct crawler_row row;
    enum status st = find_idle(c, in->Name, &row);
    if (st != ST_OK) {
        return st;
    }
    overlay(c, in, row.crawler);
    row.crawler->Version = OPT_I64(row.crawler->Version.v + 1);
    row.crawler->LastUpdated = OPT_TIME(clock_now_ms());
    st = crawler_check(c, row.crawler);
    return st == ST_OK ? save(c, &row) : st;
}

enum status glue_delete_crawler(struct call *c, const struct glue_delete_crawler_request *in,
                                void *ret_out)
{
    (void)ret_out;
    struct crawler_row row;
    enum status st = find_idle(c, in->Name, &row);
    if (st != ST_OK) {
        return st;
    }
    row.crawler->Schedule = NULL;
    st = crawler_plan(glue_of(c), &row);
    st = st == ST_OK ? crawler_store_delete(c->db, &row.owner, in->Name) : st;
    return st == ST_OK ? glue_tags_drop(c, "crawler", in->Name) : call_status(c, st);
}

/* --- reading ---------------------------------------------------------------------------------- */
/* As the API shows it: the time that a crawl under way has taken so far. */
static struct glue_crawler *shown(struct crawler_row *row)
{
    int64_t elapsed = str_set(row->crawl) ? clock_now_ms() - row->started_ms : 0;
    row->crawler->CrawlElapsedTime = OPT_I64(elapsed > 0 ? elapsed : 0);
    return row->crawler;
}

enum status glue_get_crawler(struct call *c, const struct glue_get_crawler_request *in,
                             struct glue_get_crawler_response *ret_out)
{
    struct crawler_row row;
    enum status st = find_crawler(c, in->Name, &row);
    if (st == ST_OK) {
        ret_out->Crawler = shown(&row);
    }
    return st;
}

/* A page of the caller's crawlers. */
static enum status page_of(struct call *c, struct str token, struct opt_i64 max,
                           struct crawler_rows *ret, struct str *ret_token)
{
    struct glue_owner o = glue_owner_of(c);
    struct catalog_page page;
    enum status st = catalog_page_of(c, token, max, PAGE_MAX, &page);
    if (st != ST_OK) {
        return st;
    }
    st = crawler_store_page(c->db, c->arena, &o, page.after, page.limit + 1, ret);
    if (st == ST_OK && (int64_t)ret->n > page.limit) {
        ret->n = (size_t)page.limit;
        *ret_token = catalog_token(c->arena, ret->v[ret->n - 1].crawler->Name);
    }
    return call_status(c, st);
}

enum status glue_get_crawlers(struct call *c, const struct glue_get_crawlers_request *in,
                              struct glue_get_crawlers_response *ret_out)
{
    struct crawler_rows rows;
    enum status st = page_of(c, in->NextToken, in->MaxResults, &rows, &ret_out->NextToken);
    if (st != ST_OK) {
        return st;
    }
    ret_out->Crawlers.v = ARENA_ARRAY(c->arena, struct glue_crawler, rows.n + 1);
    for (size_t i = 0; i < rows.n; i++) {
        ret_out->Crawlers.v[ret_out->Crawlers.n++] = *shown(&rows.v[i]);
    }
    return ST_OK;
}

enum status glue_list_crawlers(struct call *c, const struct glue_list_crawlers_request *in,
                               struct glue_list_crawlers_response *ret_out)
{
    struct crawler_rows rows;
    enum status st = page_of(c, in->NextToken, in->MaxResults, &rows, &ret_out->NextToken);
    struct glue_crawler_name_list *out = &ret_out->CrawlerNames;
    out->v = ARENA_ARRAY(c->arena, struct str, st == ST_OK ? rows.n + 1 : 1);
    for (size_t i = 0; st == ST_OK && i < rows.n; i++) {
        bool match = true;
        st = glue_tags_match(c, "crawler", rows.v[i].crawler->Name, &in->Tags, &match);
        if (match) {
            out->v[out->n++] = rows.v[i].crawler->Name;
        }
    }
    return st;
}

enum status glue_batch_get_crawlers(struct call *c,
                                    const struct glue_batch_get_crawlers_request *in,
                                    struct glue_batch_get_crawlers_response *ret_out)
{
    struct glue_owner o = glue_owner_of(c);
    size_t n = in->CrawlerNames.n;
    ret_out->Crawlers.v = ARENA_ARRAY(c->arena, struct glue_crawler, n + 1);
    ret_out->CrawlersNotFound.v = ARENA_ARRAY(c->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct crawler_row row;
        struct str name = in->CrawlerNames.v[i];
        enum status st = crawler_store_find(c->db, c->arena, &o, name, &row);
        if (st == ST_OK) {
            ret_out->Crawlers.v[ret_out->Crawlers.n++] = *shown(&row);
        } else if (st == ST_NOT_FOUND) {
            ret_out->CrawlersNotFound.v[ret_out->CrawlersNotFound.n++] = name;
        } else {
            return call_status(c, st);
        }
    }
    return ST_OK;
}

/* --- starting and stopping -------------------------------------------------------------------- */
enum status glue_start_crawler(struct call *c, const struct glue_start_crawler_request *in,
                               void *ret_out)
{
    (void)ret_out;
    struct crawler_row row;
    enum status st = find_crawler(c, in->Name, &row);
    if (st != ST_OK) {
        return st;
    }
    st = glue_crawler_start(glue_of(c), c->arena, &row.owner, in->Name);
    if (st == ST_CONFLICT) {
        return call_fail(c, &glue_CrawlerRunningException,
                         "Crawler with name %.*s has already started.", STR_ARG(in->Name));
    }
    return call_status(c, st);
}

enum status glue_stop_crawler(struct call *c, const struct glue_stop_crawler_request *in,
                              void *ret_out)
{
    (void)ret_out;
    struct crawler_row row;
    enum status st = find_crawler(c, in->Name, &row);
    if (st != ST_OK) {
        return st;
    }
    if (str_eqz(row.crawler->State, "READY")) {
        return call_fail(c, &glue_CrawlerNotRunningException,
                         "Crawler with name %.*s isn't running.", STR_ARG(in->Name));
    }
    if (str_eqz(row.crawler->State, "STOPPING")) {
        return call_fail(c, &glue_CrawlerStoppingException,
                         "Crawler with name %.*s is already stopping.", STR_ARG(in->Name));
    }
    row.crawler->State = STR("STOPPING");
    crawler_cancel(glue_of(c), &row);
    return call_status(c, crawler_store_set(c->db, c->arena, &row));
}

/* --- schedules -------------------------------------------------------------------------------- */
enum status glue_update_crawler_schedule(struct call *c,
                                         const struct glue_update_crawler_schedule_request *in,
                                         void *ret_out)
{
    (void)ret_out;
    struct crawler_row row;
    enum status st = find_crawler(c, in->CrawlerName, &row);
    if (st == ST_OK && !str_empty(in->Schedule)) {
        st = glue_schedule_check(c, in->Schedule);
    }
    if (st != ST_OK) {
        return st;
    }
    row.crawler->Schedule = schedule_of(c->arena, in->Schedule);
    row.crawler->LastUpdated = OPT_TIME(clock_now_ms());
    return save(c, &row);
}

/* Turns the schedule on or off; `error` when it is so already. */
static enum status set_schedule(struct call *c, struct str name, const char *state,
                                const struct aws_error *error)
{
    struct crawler_row row;
    enum status st = find_crawler(c, name, &row);
    if (st != ST_OK) {
        return st;
    }
    if (!row.crawler->Schedule) {
        return call_fail(c, &glue_NoScheduleException, "Crawler with name %.*s has no schedule.",
                         STR_ARG(name));
    }
    if (str_eqz(row.crawler->Schedule->State, state)) {
        return call_fail(c, error, "The schedule of crawler %.*s is already in state %s.",
                         STR_ARG(name), state);
    }
    row.crawler->Schedule->State = str_z(state);
    return save(c, &row);
}

enum status glue_start_crawler_schedule(struct call *c,
                                        const struct glue_start_crawler_schedule_request *in,
                                        void *ret_out)
{
    (void)ret_out;
    return set_schedule(c, in->CrawlerName, "SCHEDULED", &glue_SchedulerRunningException);
}

enum status glue_stop_crawler_schedule(struct call *c,
                                       const struct glue_stop_crawler_schedule_request *in,
                                       void *ret_out)
{
    (void)ret_out;
    return set_schedule(c, in->CrawlerName, "NOT_SCHEDULED", &glue_SchedulerNotRunningException);
}
