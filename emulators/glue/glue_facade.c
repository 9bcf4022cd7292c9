/* emulators/facade/catalog.h: columns and keys of the tables whose files lie in S3. */
#include "emulators/facade/catalog.h"
#include "emulators/glue/glue_ledger.h"
#include "server/base/buf.h"
#include "server/core.h"

#define NAMES_MAX (1u << 20)

static struct str join(struct buf *b, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i) {
            buf_putc(b, GLUE_NAME_SEPARATOR);
        }
        buf_str_add(b, names[i]);
    }
    return buf_str(b);
}

enum status catalog_note_table(struct core *core, struct str location,
                               const struct catalog_table *table)
{
    struct buf columns = BUF_INIT(NAMES_MAX), key = BUF_INIT(NAMES_MAX);
    enum status st = glue_ledger_note_source(
        core_db(core), location, join(&columns, table->columns, table->n_columns),
        join(&key, table->key, table->n_key), table->timestamp);
    buf_fini(&columns);
    buf_fini(&key);
    return st;
}

enum status catalog_find_table(struct core *core, struct arena *a, struct str location,
                               struct catalog_table *ret)
{
    struct str columns, key;
    enum status st =
        glue_ledger_source(core_db(core), a, location, &columns, &key, &ret->timestamp);
    if (st == ST_OK) {
        ret->columns = glue_ledger_names(a, columns, &ret->n_columns);
        ret->key = glue_ledger_names(a, key, &ret->n_key);
    }
    return st;
}
