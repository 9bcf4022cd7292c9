#include "emulators/dms/file/names.h"

#include <stdio.h>

#include "server/base/clock.h"
#include "server/base/mem.h"

struct str dms_name_folder(struct str s)
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
    struct str f = dms_name_folder(folder);
    return arena_printf(a, "%.*s%s%.*s/%.*s/", STR_ARG(f), f.n > 0 ? "/" : "", STR_ARG(schema),
                        STR_ARG(table));
}

struct str dms_name_load(struct arena *a, struct str prefix, uint32_t number, struct str extension)
{
    return arena_printf(a, "%.*sLOAD%08X%.*s", STR_ARG(prefix), number, STR_ARG(extension));
}

struct str dms_name_cdc(struct arena *a, struct str prefix, int64_t cut_ms, struct str extension)
{
    struct str second = clock_format(a, cut_ms, "%Y%m%d-%H%M%S");
    return arena_printf(a, "%.*s%.*s%03d%.*s", STR_ARG(prefix), STR_ARG(second),
                        (int)(cut_ms % 1000), STR_ARG(extension));
}

struct str dms_name_transactions(struct arena *a, struct str folder, struct str path,
                                 int64_t cut_ms, struct str extension)
{
    struct str f = dms_name_folder(folder), p = dms_name_folder(path);
    struct str second = clock_format(a, cut_ms, "%Y%m%d%H%M%S");
    return arena_printf(a, "%.*s%s%.*s%sCDC_TXN-%.*s%03d%.*s", STR_ARG(f), f.n > 0 ? "/" : "",
                        STR_ARG(p), p.n > 0 ? "/" : "", STR_ARG(second), (int)(cut_ms % 1000),
                        STR_ARG(extension));
}

int64_t dms_name_now(const struct zone *zone, int64_t now_ms, int64_t last_ms)
{
    int64_t local = now_ms + (int64_t)zone_offset(zone, now_ms / 1000) * 1000;
    return local > last_ms ? local : last_ms + 1;
}

/* --- folders by commit date ------------------------------------------------------------------- */

enum status dms_date_parts(struct str sequence, struct str delimiter, struct dms_date_format *ret)
{
    static const struct {
        const char *name, *order;
    } sequences[] = { { "YYYYMMDD", "YMD" },
                      { "YYYYMMDDHH", "YMDH" },
                      { "YYYYMM", "YM" },
                      { "MMYYYYDD", "MYD" },
                      { "DDMMYYYY", "DMY" } };
    static const struct {
        const char *name;
        char between;
    } delimiters[] = { { "SLASH", '/' }, { "DASH", '-' }, { "UNDERSCORE", '_' }, { "NONE", '\0' } };
    bool found = false, fits = false;
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
        if (str_empty(sequence) ? i == 0 : str_ieqz(sequence, sequences[i].name)) {
            snprintf(ret->order, sizeof(ret->order), "%s", sequences[i].order);
            found = true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(delimiters); i++) {
        if (str_empty(delimiter) ? i == 0 : str_ieqz(delimiter, delimiters[i].name)) {
            ret->between = delimiters[i].between;
            fits = true;
        }
    }
    return found && fits ? ST_OK : ST_INVALID;
}

static char *put_number(char *p, int64_t v, int digits)
{
    for (int i = digits; i-- > 0; v /= 10) {
        p[i] = (char)('0' + v % 10);
    }
    return p + digits;
}

void dms_date_folder(const struct dms_date_format *f, int64_t time_us, char ret[DMS_DATE_MAX])
{
    struct zone_time t = zone_local(f->zone, time_us / 1000000);
    char *p = ret;
    for (const char *part = f->order; *part; part++) {
        if (part > f->order && f->between) {
            *p++ = f->between;
        }
        p = *part == 'Y'   ? put_number(p, t.year, 4)
            : *part == 'M' ? put_number(p, t.month, 2)
            : *part == 'D' ? put_number(p, t.day, 2)
                           : put_number(p, t.hour, 2);
    }
    if (p > ret) {
        *p++ = '/';
    }
    *p = '\0';
}
