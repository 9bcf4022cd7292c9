/* What crawls did: ListCrawls, GetCrawlerMetrics. */
#include "emulators/glue/catalog/catalog_common.h"
#include "emulators/glue/crawler/crawler_internal.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

#define CRAWLS_PAGE 1000
#define CRAWLS_PAGE_DEFAULT 20
#define METRICS_PAGE 1000

/* --- ListCrawls ------------------------------------------------------------------------------- */
/* Order of a value against what a filter says: <0, 0, >0. */
struct comparison {
    int64_t order;
    bool only_equal; /* the field has no order: an id, a state */
};

static bool holds(struct str operation, int64_t order)
{
    return str_eqz(operation, "EQ")   ? order == 0
           : str_eqz(operation, "NE") ? order != 0
           : str_eqz(operation, "GT") ? order > 0
           : str_eqz(operation, "GE") ? order >= 0
           : str_eqz(operation, "LT") ? order < 0
                                      : order <= 0;
}

static enum status bad_filter(struct call *c, const struct glue_crawls_filter *f, const char *why)
{
    return call_fail(c, &glue_InvalidInputException, "Filter %.*s %.*s '%.*s': %s.",
                     STR_ARG(f->FieldName), STR_ARG(f->FilterOperator), STR_ARG(f->FieldValue),
                     why);
}

/* Times are given in milliseconds since 1970, or as ISO 8601. */
static enum status compare_time(struct call *c, const struct glue_crawls_filter *f, int64_t ms,
                                struct comparison *ret)
{
    int64_t wanted;
    if (str_i64(f->FieldValue, &wanted) != ST_OK && clock_parse(f->FieldValue, &wanted) != ST_OK) {
        return bad_filter(c, f, "the value is no time");
    }
    ret->order = ms < wanted ? -1 : ms > wanted;
    return ST_OK;
}

static enum status compare(struct call *c, const struct glue_crawls_filter *f,
                           const struct crawl_row *row, struct comparison *ret)
{
    *ret = (struct comparison){ 0 };
    if (str_eqz(f->FieldName, "CRAWL_ID") || str_eqz(f->FieldName, "STATE")) {
        struct str have = str_eqz(f->FieldName, "STATE") ? row->state : row->id;
        *ret = (struct comparison){ str_cmp(have, f->FieldValue), true };
        return ST_OK;
    }
    if (str_eqz(f->FieldName, "START_TIME") || str_eqz(f->FieldName, "END_TIME")) {
        bool start = str_eqz(f->FieldName, "START_TIME");
        return compare_time(c, f, start ? row->start_ms : row->end_ms, ret);
    }
    double wanted;
    if (str_f64(f->FieldValue, &wanted) != ST_OK) {
        return bad_filter(c, f, "the value is no number");
    }
    ret->order = wanted > 0 ? -1 : wanted < 0; /* crawls cost nothing here */
    return ST_OK;
}

static enum status matches(struct call *c, const struct glue_crawls_filter_list *filters,
                           const struct crawl_row *row, bool *ret)
{
    *ret = true;
    for (size_t i = 0; i < filters->n; i++) {
        const struct glue_crawls_filter *f = &filters->v[i];
        struct comparison found;
        enum status st = compare(c, f, row, &found);
        bool equality = str_eqz(f->FilterOperator, "EQ") || str_eqz(f->FilterOperator, "NE");
        if (st == ST_OK && found.only_equal && !equality) {
            st = bad_filter(c, f, "this field can only be EQ or NE");
        }
        if (st != ST_OK) {
            return st;
        }
        *ret = *ret && holds(f->FilterOperator, found.order);
    }
    return ST_OK;
}

static struct glue_crawler_history history_of(struct str crawler, const struct crawl_row *row)
{
    return (struct glue_crawler_history){
        .CrawlId = row->id,
        .State = row->state,
        .StartTime = OPT_TIME(row->start_ms),
        .EndTime = row->end_ms ? OPT_TIME(row->end_ms) : (struct opt_time){ 0, false },
        .Summary = row->summary,
        .ErrorMessage = row->error,
        .LogGroup = STR("/aws-glue/crawlers"),
        .LogStream = crawler,
        .MessagePrefix = row->id,
        .DPUHour = OPT_F64(0),
    };
}

enum status glue_list_crawls(struct call *c, const struct glue_list_crawls_request *in,
                             struct glue_list_crawls_response *ret_out)
{
    struct glue_owner o = glue_owner_of(c);
    struct crawler_row crawler;
    struct crawl_rows rows;
    struct catalog_page page;
    int64_t before = INT64_MAX;
    struct opt_i64 max = in->MaxResults.set ? in->MaxResults : OPT_I64(CRAWLS_PAGE_DEFAULT);
    enum status st = catalog_page_of(c, in->NextToken, max, CRAWLS_PAGE, &page);
    if (st == ST_OK && str_set(page.after) && str_i64(page.after, &before) != ST_OK) {
        st = call_fail(c, &glue_InvalidInputException,
                       "NextToken isn't one that an earlier answer gave.");
    }
    if (st != ST_OK) {
        return st;
    }
    st = crawler_store_find(c->db, c->arena, &o, in->CrawlerName, &crawler);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Crawler with name %.*s does not exist.",
                         STR_ARG(in->CrawlerName));
    }
    st = st == ST_OK ? crawler_store_crawls(c->db, c->arena, &o, in->CrawlerName, &rows) : st;
    if (st != ST_OK) {
        return call_status(c, st);
    }
    struct glue_crawler_history_list *out = &ret_out->Crawls;
    out->v = ARENA_ARRAY(c->arena, struct glue_crawler_history, rows.n + 1);
    int64_t last = 0;
    for (size_t i = 0; i < rows.n && !str_set(ret_out->NextToken); i++) {
        bool match = rows.v[i].number < before;
        st = match ? matches(c, &in->Filters, &rows.v[i], &match) : ST_OK;
        if (st != ST_OK) {
            return st;
        }
        if (match && (int64_t)out->n == page.limit) {
            ret_out->NextToken = catalog_token(c->arena, arena_i64(c->arena, last));
        } else if (match) {
            out->v[out->n++] = history_of(in->CrawlerName, &rows.v[i]);
            last = rows.v[i].number;
        }
    }
    return ST_OK;
}

/* --- GetCrawlerMetrics ------------------------------------------------------------------------ */
static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    if (n == 0) {
        return 0;
    }
    qsort(v, n, sizeof(*v), by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static enum status metrics_of(struct call *c, const struct crawler_row *row,
                              struct glue_crawler_metrics *ret)
{
    struct crawl_rows crawls;
    enum status st =
        crawler_store_crawls(c->db, c->arena, &row->owner, row->crawler->Name, &crawls);
    if (st != ST_OK) {
        return st;
    }
    double *seconds = ARENA_ARRAY(c->arena, double, crawls.n + 1), last = 0;
    size_t n = 0;
    int64_t added = 0, updated = 0, deleted = 0;
    for (size_t i = 0; i < crawls.n; i++) {
        const struct crawl_row *crawl = &crawls.v[i];
        if (str_eqz(crawl->state, "RUNNING")) {
            continue;
        }
        seconds[n] = (double)(crawl->end_ms - crawl->start_ms) / 1000.0;
        last = n == 0 ? seconds[0] : last;
        n++;
        added += crawl->added;
        updated += crawl->updated;
        deleted += crawl->deleted;
    }
    double usual = median(seconds, n);
    double since = (double)(clock_now_ms() - row->started_ms) / 1000.0;
    bool running = str_set(row->crawl);
    *ret = (struct glue_crawler_metrics){
        .CrawlerName = row->crawler->Name,
        .TimeLeftSeconds = OPT_F64(running && usual > since ? usual - since : 0),
        .StillEstimating = OPT_BOOL(running && n == 0),
        .LastRuntimeSeconds = OPT_F64(last),
        .MedianRuntimeSeconds = OPT_F64(usual),
        .TablesCreated = OPT_I64(added),
        .TablesUpdated = OPT_I64(updated),
        .TablesDeleted = OPT_I64(deleted),
    };
    return ST_OK;
}

static bool wanted(const struct glue_crawler_name_list *names, struct str name)
{
    bool found = names->n == 0;
    for (size_t i = 0; i < names->n; i++) {
        found |= str_eq(names->v[i], name);
    }
    return found;
}

enum status glue_get_crawler_metrics(struct call *c,
                                     const struct glue_get_crawler_metrics_request *in,
                                     struct glue_get_crawler_metrics_response *ret_out)
{
    struct glue_owner o = glue_owner_of(c);
    struct catalog_page page;
    struct crawler_rows rows;
    enum status st = catalog_page_of(c, in->NextToken, in->MaxResults, METRICS_PAGE, &page);
    if (st != ST_OK) {
        return st;
    }
    st = crawler_store_page(c->db, c->arena, &o, page.after, INT64_MAX, &rows);
    struct glue_crawler_metrics_list *out = &ret_out->CrawlerMetricsList;
    out->v = ARENA_ARRAY(c->arena, struct glue_crawler_metrics, st == ST_OK ? rows.n + 1 : 1);
    for (size_t i = 0; st == ST_OK && i < rows.n && !str_set(ret_out->NextToken); i++) {
        if (!wanted(&in->CrawlerNameList, rows.v[i].crawler->Name)) {
            continue;
        }
        if ((int64_t)out->n == page.limit) {
            ret_out->NextToken = catalog_token(c->arena, out->v[out->n - 1].CrawlerName);
        } else {
            st = metrics_of(c, &rows.v[i], &out->v[out->n++]);
        }
    }
    return call_status(c, st);
}
