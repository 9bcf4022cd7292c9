#include "emulators/dms/file/out.h"

void dms_out_init(struct dms_out *o, const struct dms_format *format, struct blobs *blobs,
                  bool compress, struct dms_spool *spool)
{
    *o = (struct dms_out){ .format = format, .compress = compress };
    dms_file_init(&o->file, blobs, compress && format->gzip_file);
    o->file.spool = spool;
}

static void forget(struct dms_out *o)
{
    if (o->format->drop) {
        o->format->drop(o);
    }
    o->state = NULL;
    o->rows = o->held = 0;
}

void dms_out_discard(struct dms_out *o)
{
    forget(o);
    dms_file_discard(&o->file);
}

enum status dms_out_row(struct dms_out *o, const struct dms_layout *l,
                        const struct dms_csv_lead *lead, const struct mysql_value *values,
                        uint64_t *ret_cut)
{
    if (o->rows == 0) {
        enum status st = o->format->begin(o, l);
        if (st != ST_OK) {
            return st;
        }
    }
    o->rows++;
    return o->format->row(o, l, lead, values, ret_cut);
}

enum status dms_out_finish(struct dms_out *o, struct dms_piece *ret)
{
    enum status st = o->format->end(o);
    if (st != ST_OK) {
        dms_out_discard(o);
        return st;
    }
    st = dms_file_finish(&o->file, ret); /* empty afterwards, whatever comes */
    forget(o);
    return st;
}

struct str dms_out_extension(const struct dms_format *format, bool compress)
{
    return str_z(compress ? format->gzip_extension : format->extension);
}

/* --- CSV -------------------------------------------------------------------------------------- */

static enum status csv_begin(struct dms_out *o, const struct dms_layout *l)
{
    if (l->csv->header) {
        dms_csv_header(&o->file.pending, l->csv, l->plan, l->op);
    }
    return ST_OK;
}

static enum status csv_row(struct dms_out *o, const struct dms_layout *l,
                           const struct dms_csv_lead *lead, const struct mysql_value *values,
                           uint64_t *ret_cut)
{
    dms_csv_row(&o->file.pending, l->csv, l->plan, lead, values, ret_cut);
    return dms_file_spill(&o->file);
}

static enum status csv_end(struct dms_out *o)
{
    (void)o;
    return ST_OK;
}

const struct dms_format dms_format_csv = {
    .extension = ".csv",
    .gzip_extension = ".csv.gz",
    .gzip_file = true,
    .begin = csv_begin,
    .row = csv_row,
    .end = csv_end,
};
