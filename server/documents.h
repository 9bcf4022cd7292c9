/* Resources that a service keeps as JSON documents, one table a kind: the text of what its Get (or
 * Create) operation answers beside the columns that it is found by. A store describes its tables
 * and keeps to itself whatever is more than this.
 *
 *   static const struct documents connections = {
 *       { glue_ops, GLUE_N_OPS, "GetConnection", "Connection" },
 *       DOCUMENTS_BY_NAME("glue_connection"),
 *   };
 *   st = documents_get(db, a, &connections, DOCUMENT_NAMED(o, name), &connection);
 *
 * Any handle; what is read lies in the arena given. Structs have no type here: `doc` is the struct
 * of the form, `ret` the address of a pointer to one or of a generated list of them. */
#ifndef CISTERN_DOCUMENTS_H
#define CISTERN_DOCUMENTS_H

#include "server/store/db.h"
#include "server/wire/doc.h"

/* Statements over the key's values and the document. Where a table has more columns (a state, to be
 * found by), `add` and `set` are the store's own, and their keys hold the values that these want.
 */
struct documents {
    struct doc_form form;
    const char *add;    /* key, then the document */
    const char *set;    /* document, then the key */
    const char *get;    /* key */
    const char *remove; /* key */
    const char *list;   /* key but for the name, name to begin after, most rows (-1: all) */
};

/* The statements of a table with column `doc` for reading; `scope`: the key's first columns
 * ("account=? AND region=? AND "), `name`: its last one, by which lists are ordered. */
#define DOCUMENTS_READ(table, scope, name)                     \
    .get = "SELECT doc FROM " table " WHERE " scope name "=?", \
    .remove = "DELETE FROM " table " WHERE " scope name "=?",  \
    .list = "SELECT doc FROM " table " WHERE " scope name ">? ORDER BY " name " LIMIT ?"
/* All of them; `marks`: a question mark for each column of the table, the document's the last. */
#define DOCUMENTS_TABLE(table, scope, name, marks)    \
    .add = "INSERT INTO " table " VALUES(" marks ")", \
    .set = "UPDATE " table " SET doc=? WHERE " scope name "=?", DOCUMENTS_READ(table, scope, name)
#define DOCUMENTS_OWNED "account=? AND region=? AND "
/* Tables of account, region, name, doc. */
#define DOCUMENTS_BY_NAME(table) DOCUMENTS_TABLE(table, DOCUMENTS_OWNED, "name", "?,?,?,?")

/* Values of a key: binds of db.h. */
struct document_key {
    size_t n;
    const struct bind *v;
};
#define DOCUMENT_KEYS_MAX 16
#define DOCUMENT_KEY(...) (&(const struct document_key){ DB_BINDS(__VA_ARGS__) })
/* The first two, of a pointer to any struct that has them. */
#define OWNER(o) bs((o)->account), bs((o)->region)
/* Of a table that is kept by name; for documents_list, those after a name (absent: from the first),
 * `most` rows. */
#define DOCUMENT_NAMED(o, name) DOCUMENT_KEY(OWNER(o), bs(name))
#define DOCUMENT_PAGE(o, after, most) DOCUMENT_KEY(OWNER(o), bs_or_empty(after), bi(most))

/* ST_EXISTS: the key is taken. ST_NOMEM: too big. */
enum status documents_add(struct db *db, struct arena *a, const struct documents *t,
                          const struct document_key *key, const void *doc) MUST_CHECK;
/* Instead of the one that is there. ST_NOT_FOUND; ST_NOMEM. */
enum status documents_set(struct db *db, struct arena *a, const struct documents *t,
                          const struct document_key *key, const void *doc) MUST_CHECK;
/* ST_NOT_FOUND; ST_INVALID: what is there is no such document (any more). */
enum status documents_get(struct db *db, struct arena *a, const struct documents *t,
                          const struct document_key *key, void *ret) MUST_CHECK;
/* Is there one? ST_OK or ST_NOT_FOUND. */
enum status documents_has(struct db *db, const struct documents *t,
                          const struct document_key *key) MUST_CHECK;
/* ST_NOT_FOUND. */
enum status documents_remove(struct db *db, const struct documents *t,
                             const struct document_key *key) MUST_CHECK;
/* In order of names, into the generated list at `ret`. */
enum status documents_list(struct db *db, struct arena *a, const struct documents *t,
                           const struct document_key *key, void *ret) MUST_CHECK;
/* The same of a query of the caller's, whose first column is the document; ends it. */
enum status documents_rows(struct rows *q, struct arena *a, const struct doc_form *form,
                           void *ret) MUST_CHECK;
/* One more item for the generated list at `list`. */
enum status documents_append(struct arena *a, const struct doc_form *form, struct str text,
                             void *list) MUST_CHECK;

#endif
