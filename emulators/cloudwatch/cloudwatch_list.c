/* ListMetrics: what there is. */
#include "emulators/cloudwatch/cloudwatch_internal.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

#define PAGE 500
#define SCAN 1000                          /* series looked at by one query */
#define LISTED_MS (14 * INT64_C(86400000)) /* a series without new points is listed this long */
#define RECENT_MS (3 * INT64_C(3600000))

/* Has it every dimension that is asked for? */
static bool matches(const struct cloudwatch_dimensions *have,
                    const struct cloudwatch_dimension_filters *want)
{
    for (size_t i = 0; i < want->n; i++) {
        bool found = false;
        for (size_t k = 0; !found && k < have->n; k++) {
            found = str_eq(have->v[k].Name, want->v[i].Name) &&
                    (!str_set(want->v[i].Value) || str_eq(have->v[k].Value, want->v[i].Value));
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static enum status first_query(struct call *c, const struct cloudwatch_list_metrics_request *in,
                               struct cloudwatch_series_query *ret)
{
    bool recent = str_set(in->RecentlyActive);
    *ret =
        (struct cloudwatch_series_query){ in->Namespace, in->MetricName, 0,
                                          clock_now_ms() - (recent ? RECENT_MS : LISTED_MS), SCAN };
    if (recent && !str_eqz(in->RecentlyActive, "PT3H")) {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "RecentlyActive must be PT3H, not '%.*s'.", STR_ARG(in->RecentlyActive));
    }
    if (str_set(in->NextToken) && str_i64(in->NextToken, &ret->after) != ST_OK) {
        return call_fail(c, &cloudwatch_InvalidParameterValueException,
                         "NextToken isn't one that ListMetrics gave.");
    }
    return ST_OK;
}

enum status cloudwatch_list_metrics(struct call *c,
                                    const struct cloudwatch_list_metrics_request *in,
                                    struct cloudwatch_list_metrics_response *ret_out)
{
    struct metrics_owner owner = cloudwatch_owner_of(c);
    struct cloudwatch_series_query query;
    struct cloudwatch_series_row *rows;
    struct cloudwatch_metrics *out = &ret_out->Metrics;
    size_t n = SCAN;
    out->v = ARENA_ARRAY(c->arena, struct cloudwatch_metric, PAGE);
    enum status st = first_query(c, in, &query);
    while (st == ST_OK && n == SCAN && !str_set(ret_out->NextToken)) {
        st = call_status(c, cloudwatch_store_list(c->db, c->arena, &owner, &query, &rows, &n));
        for (size_t i = 0; st == ST_OK && i < n; i++) {
            struct cloudwatch_dimensions d = cloudwatch_dimensions_of(c->arena, rows[i].dimensions);
            if (!matches(&d, &in->Dimensions)) {
                query.after = rows[i].id;
                continue;
            }
            if (out->n == PAGE) {
                ret_out->NextToken = arena_printf(c->arena, "%lld", (long long)query.after);
                break;
            }
            query.after = rows[i].id;
            out->v[out->n++] = (struct cloudwatch_metric){ rows[i].name_space, rows[i].name, d };
        }
    }
    return st;
}
