#include "emulators/glue/merge/merge_feed.h"

void merge_feed_init(struct merge_feed *f, const struct merge_file *files, size_t n)
{
    *f = (struct merge_feed){ .file = files, .n = n };
    pthread_mutex_init(&f->lock, NULL);
}

void merge_feed_fini(struct merge_feed *f)
{
    csv_reader_close(&f->reader);
    pthread_mutex_destroy(&f->lock);
}

/* Opens the next file behind its header; ST_NOT_FOUND after the last. */
static enum status open_next(struct merge_feed *f, struct merge_env *env)
{
    while (f->next < f->n && f->file[f->next].empty) {
        f->next++;
    }
    if (f->next == f->n) {
        return ST_NOT_FOUND;
    }
    const struct merge_file *file = &f->file[f->next++];
    enum status st = csv_reader_open(&f->reader, env, file->in->path, merge_input_name(file->in),
                                     file->in->gzip);
    if (st == ST_OK && file->header) {
        struct csv_row header;
        st = csv_reader_next(&f->reader, &header);
        st = st == ST_NOT_FOUND ? ST_OK : st;
    }
    return st;
}

static enum status take(struct merge_feed *f, struct merge_rows *r)
{
    r->env->order = f->pieces++;
    for (;;) {
        enum status st = f->reader.env ? ST_OK : open_next(f, r->env);
        if (st != ST_OK) {
            return st;
        }
        f->reader.env = r->env;
        st = csv_reader_hand_over(&f->reader, &r->reader);
        if (st != ST_NOT_FOUND) {
            r->file = &f->file[f->next - 1];
            return st;
        }
        csv_reader_close(&f->reader);
    }
}

enum status merge_feed_take(struct merge_feed *f, struct merge_rows *r)
{
    pthread_mutex_lock(&f->lock);
    enum status st = f->failed ? ST_NOT_FOUND : take(f, r);
    f->failed = f->failed || st != ST_OK;
    pthread_mutex_unlock(&f->lock);
    return st;
}
