/* The writer of one object's rows, whatever its format is: CSV or Parquet (parquet.h). A format
 * is a table of functions over the same staged file (file.h), chosen when the object is begun.
 * One thread at a time. */
#ifndef CISTERN_DMS_OUT_H
#define CISTERN_DMS_OUT_H

#include "emulators/dms/file/csv.h"
#include "emulators/dms/file/file.h"

struct dms_out;
struct dms_parquet_options;

/* What all rows of one object have in common; must not change while the object is open. */
struct dms_layout {
    const struct dms_csv_format *csv; /* also for other formats: timestamp_name, zone */
    const struct dms_csv_plan *plan;
    const struct mysql_table *table;
    const struct dms_parquet_options *parquet;
    bool op; /* rows begin with an operation: lead.op is set */
};

struct dms_format {
    const char *extension;      /* ".csv" */
    const char *gzip_extension; /* with compression: ".csv.gz" */
    bool gzip_file;             /* compression is of the whole file, not the format's own affair */
    /* Before the first row. `o->file` is empty. */
    enum status (*begin)(struct dms_out *o, const struct dms_layout *l);
    /* One row; writes to o->file and keeps what it must in o->state, its bytes in o->held. *ret_cut
     * (may be NULL) counts values that were cut. ST_NOMEM: the row is too long; ST_IO: the disk. */
    enum status (*row)(struct dms_out *o, const struct dms_layout *l,
                       const struct dms_csv_lead *lead, const struct mysql_value *values,
                       uint64_t *ret_cut);
    /* What is still held goes to o->file. */
    enum status (*end)(struct dms_out *o);
    /* Frees o->state; the object is finished or thrown away. NULL: there is none. */
    void (*drop)(struct dms_out *o);
};
extern const struct dms_format dms_format_csv;

struct dms_out {
    const struct dms_format *format;
    struct dms_file file;
    uint64_t rows; /* so far; 0: not begun */
    uint64_t held; /* bytes of rows that are not yet in `file`, by the format */
    bool compress; /* asked for; the format may do it by itself */
    void *state;   /* the format's */
};

/* `spool` (may be NULL) outlives the writer and is the same thread's; the writer must not be moved
 * while it has rows. */
void dms_out_init(struct dms_out *o, const struct dms_format *format, struct blobs *blobs,
                  bool compress, struct dms_spool *spool);
/* Throws away what was written; the writer can be used again. Also frees: safe twice. */
void dms_out_discard(struct dms_out *o);
/* Uncompressed bytes so far. */
static inline uint64_t dms_out_bytes(const struct dms_out *o)
{
    return dms_file_bytes(&o->file) + o->held;
}
/* Appends a row, begins the object with the first. Errors as of dms_format.row. */
enum status dms_out_row(struct dms_out *o, const struct dms_layout *l,
                        const struct dms_csv_lead *lead, const struct mysql_value *values,
                        uint64_t *ret_cut) MUST_CHECK;
/* Ends the object, which has rows; the writer is empty again afterwards, also on failure. */
enum status dms_out_finish(struct dms_out *o, struct dms_piece *ret) MUST_CHECK;
/* What the names of objects of this format end with. */
struct str dms_out_extension(const struct dms_format *format, bool compress);

#endif
