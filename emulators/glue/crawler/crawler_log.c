/* What a crawl prints. A line that can't be stored doesn't fail the crawl: the reason is in ours.
 */
#include <stdarg.h>

#include "emulators/facade/logs.h"
#include "emulators/glue/crawler/crawler_internal.h"
#include "server/base/clock.h"

void crawler_log(struct crawl *crawl, const char *level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(crawl->arena, fmt, ap);
    va_end(ap);
    struct str line =
        arena_printf(crawl->arena, "[%.*s] %s : %.*s", STR_ARG(crawl->id), level, STR_ARG(text));
    struct logs_owner owner = { crawl->owner.account, crawl->owner.region };
    status_ignore(logs_write(crawl->glue->core, &owner, STR("/aws-glue/crawlers"),
                             crawl->crawler->Name, clock_now_ms(), line));
}

void crawler_note(struct crawl *crawl, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(crawl->arena, fmt, ap);
    va_end(ap);
    ARENA_GROW(crawl->arena, crawl->lines.v, crawl->lines.n);
    crawl->lines.v[crawl->lines.n++] = text;
}
