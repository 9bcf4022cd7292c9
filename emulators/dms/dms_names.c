#include "emulators/dms/dms_names.h"

#include "server/base/clock.h"

static struct str trim_slashes(struct str s)
{
    while (s.n > 0 && s.p[0] == '/') {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && s.p[s.n - 1] == '/') {
        s.n--;
    }
    return s;
}

struct str dms_name_prefix(struct arena *a, struct str folder, struct str schema, struct str table)
{
    struct str f = trim_slashes(folder);
    return arena_printf(a, "%.*s%s%.*s/%.*s/", STR_ARG(f), f.n > 0 ? "/" : "", STR_ARG(schema),
                        STR_ARG(table));
}

struct str dms_name_load(struct arena *a, struct str prefix, uint32_t number, bool gzip)
{
    return arena_printf(a, "%.*sLOAD%08X.csv%s", STR_ARG(prefix), number, gzip ? ".gz" : "");
}

struct str dms_name_cdc(struct arena *a, struct str prefix, int64_t cut_ms, bool gzip)
{
    struct str second = clock_format(a, cut_ms, "%Y%m%d-%H%M%S");
    return arena_printf(a, "%.*s%.*s%03d.csv%s", STR_ARG(prefix), STR_ARG(second),
                        (int)(cut_ms % 1000), gzip ? ".gz" : "");
}

int64_t dms_name_time(int64_t now_ms, int64_t last_ms)
{
    return now_ms > last_ms ? now_ms : last_ms + 1;
}
