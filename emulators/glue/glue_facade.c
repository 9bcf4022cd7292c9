/* emulators/facade/catalog.h: columns and keys of the tables whose files lie in S3. */
#include "emulators/facade/catalog.h"
#include "emulators/glue/glue_ledger.h"
#include "server/base/mem.h"
#include "server/core.h"

#define NOTE_ARENA_MAX (16u << 20)

enum status catalog_note_table(struct core *core, struct str location,
                               const struct catalog_table *table)
{
    CLEANUP(arena_freep) struct arena *a = arena_new(NOTE_ARENA_MAX);
    struct str columns = glue_ledger_list(a, table->columns, table->n_columns);
    struct str key = glue_ledger_list(a, table->key, table->n_key);
    struct glue_note note = { .kind = table->loaded ? GLUE_NOTE_LOAD : GLUE_NOTE_COLUMNS,
                              .after = str_set(table->after) ? table->after : STR(""),
                              .columns = columns,
                              .places = glue_ledger_list(a, table->places, table->n_places),
                              .renamed = table->renamed };
    enum status st =
        glue_ledger_note_source(core_db(core), location, columns, key, table->timestamp);
    return st == ST_OK ? glue_ledger_add_note(core_db(core), location, &note) : st;
}

enum status catalog_note_emptied(struct core *core, struct str location)
{
    struct glue_note note = {
        .kind = GLUE_NOTE_EMPTIED, .after = STR(""), .columns = STR(""), .places = STR("")
    };
    return glue_ledger_add_note(core_db(core), location, &note);
}

enum status catalog_find_table(struct core *core, struct arena *a, struct str location,
                               struct catalog_table *ret)
{
    struct str columns, key;
    *ret = (struct catalog_table){ 0 };
    enum status st =
        glue_ledger_source(core_db(core), a, location, &columns, &key, &ret->timestamp);
    if (st == ST_OK) {
        ret->columns = glue_ledger_names(a, columns, &ret->n_columns);
        ret->key = glue_ledger_names(a, key, &ret->n_key);
    }
    return st;
}
