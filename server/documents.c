#include "server/documents.h"

#include <assert.h>
#include <string.h>

#include "server/wire/shape_def.h"

#define BINDS_MAX (DOCUMENT_KEYS_MAX + 1)

/* The statement with the document's text at `at` among the key's values. */
static enum status put(struct db *db, const char *sql, const struct document_key *key, size_t at,
                       struct str text)
{
    struct bind v[BINDS_MAX];
    assert(key->n < BINDS_MAX && at <= key->n);
    memcpy(v, key->v, at * sizeof(*v));
    v[at] = bs(text);
    memcpy(v + at + 1, key->v + at, (key->n - at) * sizeof(*v));
    return db_change_n(db, sql, key->n + 1, v);
}

enum status documents_add(struct db *db, struct arena *a, const struct documents *t,
                          const struct document_key *key, const void *doc)
{
    struct str text;
    enum status st = doc_form_write(&t->form, a, doc, &text);
    return st == ST_OK ? put(db, t->add, key, key->n, text) : st;
}

enum status documents_set(struct db *db, struct arena *a, const struct documents *t,
                          const struct document_key *key, const void *doc)
{
    struct str text;
    enum status st = doc_form_write(&t->form, a, doc, &text);
    return st == ST_OK ? put(db, t->set, key, 0, text) : st;
}

enum status documents_get(struct db *db, struct arena *a, const struct documents *t,
                          const struct document_key *key, void *ret)
{
    struct str text;
    enum status st = db_get_str_n(db, a, &text, t->get, key->n, key->v);
    return st == ST_OK ? doc_form_read(&t->form, a, text, ret) : st;
}

enum status documents_has(struct db *db, const struct documents *t, const struct document_key *key)
{
    struct rows q;
    status_ignore(db_query_n(db, &q, t->get, key->n, key->v)); /* rows_end repeats it */
    (void)rows_first(&q);
    return rows_end(&q);
}

enum status documents_remove(struct db *db, const struct documents *t,
                             const struct document_key *key)
{
    return db_change_n(db, t->remove, key->n, key->v);
}

enum status documents_append(struct arena *a, const struct doc_form *form, struct str text,
                             void *list)
{
    const void *doc;
    enum status st = doc_form_read(form, a, text, &doc);
    if (st != ST_OK) {
        return st;
    }
    size_t size = doc_form_size(form);
    struct shape_seq seq = shape_seq_load(list);
    seq.v = arena_grow(a, seq.v, seq.n, size);
    memcpy((char *)seq.v + seq.n++ * size, doc, size);
    shape_seq_store(list, seq);
    return ST_OK;
}

enum status documents_rows(struct rows *q, struct arena *a, const struct doc_form *form, void *ret)
{
    enum status st = ST_OK;
    shape_seq_store(ret, (struct shape_seq){ 0, arena_alloc(a, doc_form_size(form)) });
    while (st == ST_OK && rows_next(q)) {
        st = documents_append(a, form, rows_str(q, a, 0), ret);
    }
    enum status end = rows_end(q);
    return end != ST_OK ? end : st;
}

enum status documents_list(struct db *db, struct arena *a, const struct documents *t,
                           const struct document_key *key, void *ret)
{
    struct rows q;
    status_ignore(db_query_n(db, &q, t->list, key->n, key->v)); /* rows_end repeats it */
    return documents_rows(&q, a, &t->form, ret);
}
