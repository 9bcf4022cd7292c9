#include "emulators/glue/merge/merge_parts.h"

#include <errno.h>
#include <sys/stat.h>

#include "emulators/glue/merge/merge_rows.h"
#include "emulators/glue/merge/merge_team.h"
#include "server/base/mem.h"

/* Takes the caller's word for the part; false when it gives none that makes sense. */
static bool from_hint(struct merge_env *env, struct merge_part_state *s)
{
    const struct merge_part *part = s->part;
    if (part->rows == 0) {
        s->sorted = s->clean = true;
        return true;
    }
    if (part->rows < 0 || str_empty(part->first_key) || str_empty(part->last_key) ||
        merge_key_parse(&s->first, part->first_key, env->delim, env->set.n_key) != ST_OK ||
        merge_key_parse(&s->last, part->last_key, env->delim, env->set.n_key) != ST_OK ||
        merge_key_cmp(&s->first, &s->last) > 0) {
        return false;
    }
    s->rows = (uint64_t)part->rows;
    s->sorted = s->clean = true;
    return true;
}

/* Reads the part for its range and order. */
static enum status scan_part(struct merge_env *env, struct merge_part_state *s)
{
    struct merge_part_rows r = { 0 };
    uint64_t end = 0;
    s->rows = 0;
    s->sorted = s->clean = true;
    enum status st = merge_part_rows_open(&r, env, s->part);
    while (st == ST_OK) {
        st = merge_part_rows_next(&r);
        if (st != ST_OK) {
            break;
        }
        s->clean = s->clean && r.raw.unix_end && (s->rows == 0 || r.raw.offset == end);
        end = r.raw.offset + r.raw.raw_n;
        if (s->rows++ == 0) {
            merge_key_copy(&s->first, &r.key);
        } else if (merge_key_cmp(&s->last, &r.key) >= 0) {
            s->sorted = false;
            break; /* its range does not matter any more */
        }
        merge_key_swap(&s->last, &r.key);
    }
    s->clean = s->clean && (s->rows == 0 || end == s->bytes);
    merge_part_rows_close(&r);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

static int by_first_key(const void *va, const void *vb)
{
    const struct merge_part_state *a = va;
    const struct merge_part_state *b = vb;
    int c = merge_key_cmp(&a->first, &b->first);
    return c ? c : (a->index > b->index) - (a->index < b->index);
}

static void check_order(struct merge_env *env, struct merge_parts *p)
{
    qsort(p->state, p->n, sizeof *p->state, by_first_key);
    p->ordered = true;
    for (size_t i = 0; i < p->n && p->ordered; i++) {
        const struct merge_part_state *s = &p->state[i];
        p->ordered = s->sorted && (i == 0 || merge_key_cmp(&p->state[i - 1].last, &s->first) < 0);
        if (!p->ordered) {
            struct str name = merge_part_name(s->part);
            merge_log(env, MERGE_LOG_INFO,
                      "%.*s is not in key order with the other parts: sorting the data set once",
                      STR_ARG(name));
        }
    }
}

static enum status scan_unless_hinted(struct merge_env *env, size_t index, void *ctx)
{
    struct merge_part_state *s = &((struct merge_parts *)ctx)->state[index];
    return s->hinted ? ST_OK : scan_part(env, s);
}

/* Parts without rows take no part in the join. */
static void drop_empty(struct merge_env *env, struct merge_parts *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        struct merge_part_state *s = &p->state[i];
        if (s->rows > 0) {
            p->state[n++] = *s;
            continue;
        }
        env->res->part_info[s->index].bytes = s->bytes;
        merge_key_fini(&s->first);
        merge_key_fini(&s->last);
    }
    p->n = n;
}

enum status merge_parts_load(struct merge_env *env, bool scan, struct merge_parts *ret)
{
    const struct merge_job *job = env->job;
    *ret = (struct merge_parts){ .state = xcalloc(job->n_parts + 1, sizeof *ret->state) };
    for (size_t i = 0; i < job->n_parts; i++) {
        struct merge_part_state *s = &ret->state[ret->n++];
        struct stat info;
        s->index = i;
        s->part = &job->parts[i];
        if (stat(s->part->path, &info) != 0) {
            const char *why = strerrordesc_np(errno);
            return merge_fail(env, ST_IO, merge_part_name(s->part), 0, "cannot be opened: %s",
                              why ? why : "unknown error");
        }
        s->bytes = (uint64_t)info.st_size;
        if (!scan) {
            s->hinted = from_hint(env, s);
        }
    }
    enum status st = merge_team_run(env, ret->n, scan_unless_hinted, ret);
    if (st != ST_OK) {
        return st;
    }
    drop_empty(env, ret);
    check_order(env, ret);
    return ST_OK;
}

void merge_parts_fini(struct merge_parts *p)
{
    for (size_t i = 0; i < p->n; i++) {
        merge_key_fini(&p->state[i].first);
        merge_key_fini(&p->state[i].last);
    }
    free(p->state);
    *p = (struct merge_parts){ 0 };
}
