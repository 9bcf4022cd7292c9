/* SearchTables: over all databases of the account, by properties and by words. */
#include "emulators/glue/catalog/catalog_common.h"
#include "server/base/clock.h"
#include "server/base/mem.h"

#include <stdlib.h>

#define SEARCH_PAGE 1000

/* --- texts ------------------------------------------------------------------------------------ */
static bool contains(struct str text, struct str part)
{
    for (size_t i = 0; part.n <= text.n && i <= text.n - part.n; i++) {
        if (str_ieq(str_sub(text, i, i + part.n), part)) {
            return true;
        }
    }
    return false;
}

static bool token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* AWS compares with the whole and with each part between punctuation: "customer-link" has the
 * parts "customer" and "link". */
static bool fits_text(struct str text, struct str wanted)
{
    if (str_ieq(text, wanted)) {
        return true;
    }
    for (size_t start = 0; start < text.n;) {
        size_t end = start;
        while (end < text.n && token_char(text.p[end])) {
            end++;
        }
        if (end > start && str_ieq(str_sub(text, start, end), wanted)) {
            return true;
        }
        start = end + 1;
    }
    return false;
}

static bool any_column(const struct glue_column_list *columns, struct str word, bool exact)
{
    for (size_t i = 0; i < columns->n; i++) {
        const struct glue_column *column = &columns->v[i];
        if (exact ? str_ieq(column->Name, word)
                  : contains(column->Name, word) || contains(column->Comment, word)) {
            return true;
        }
    }
    return false;
}

/* SearchText: in quotes it must be the whole of a name, else a part of any text will do. */
static bool has_text(const struct glue_table *t, struct str text)
{
    bool exact = text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"';
    struct str word = exact ? str_sub(text, 1, text.n - 1) : text;
    const struct str names[] = { t->Name, t->DatabaseName, t->Description, t->Owner };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (exact ? str_ieq(names[i], word) : contains(names[i], word)) {
            return true;
        }
    }
    return any_column(&t->PartitionKeys, word, exact) ||
           (t->StorageDescriptor && any_column(&t->StorageDescriptor->Columns, word, exact));
}

/* --- properties ------------------------------------------------------------------------------- */
/* The text member of this name, or the parameter; absent when the table has neither. */
static struct str text_member(const struct glue_table *t, struct str name)
{
    const struct {
        const char *name;
        struct str value;
    } members[] = {
        { "Name", t->Name },
        { "DatabaseName", t->DatabaseName },
        { "Description", t->Description },
        { "Owner", t->Owner },
        { "TableType", t->TableType },
        { "CatalogId", t->CatalogId },
        { "CreatedBy", t->CreatedBy },
        { "Location", t->StorageDescriptor ? t->StorageDescriptor->Location : STR_NONE },
    };
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (str_ieqz(name, members[i].name)) {
            return members[i].value;
        }
    }
    for (size_t i = 0; i < t->Parameters.n; i++) {
        if (str_ieq(name, t->Parameters.v[i].key)) {
            return t->Parameters.v[i].value;
        }
    }
    return STR_NONE;
}

static bool time_member(const struct glue_table *t, struct str name, struct opt_time *ret)
{
    const struct {
        const char *name;
        struct opt_time value;
    } members[] = {
        { "CreateTime", t->CreateTime },
        { "UpdateTime", t->UpdateTime },
        { "LastAccessTime", t->LastAccessTime },
        { "LastAnalyzedTime", t->LastAnalyzedTime },
    };
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (str_ieqz(name, members[i].name)) {
            *ret = members[i].value;
            return true;
        }
    }
    return false;
}

static bool fits_time(struct opt_time t, struct str comparator, int64_t than_ms)
{
    if (!t.set) {
        return false;
    }
    if (str_eqz(comparator, "GREATER_THAN")) {
        return t.ms > than_ms;
    }
    if (str_eqz(comparator, "LESS_THAN")) {
        return t.ms < than_ms;
    }
    if (str_eqz(comparator, "GREATER_THAN_EQUALS")) {
        return t.ms >= than_ms;
    }
    if (str_eqz(comparator, "LESS_THAN_EQUALS")) {
        return t.ms <= than_ms;
    }
    return t.ms == than_ms;
}

static bool fits_filter(const struct glue_table *t, const struct glue_property_predicate *f)
{
    struct opt_time time;
    int64_t than_ms;
    if (time_member(t, f->Key, &time)) {
        return clock_parse(f->Value, &than_ms) == ST_OK && fits_time(time, f->Comparator, than_ms);
    }
    struct str text = text_member(t, f->Key);
    return str_set(text) && fits_text(text, f->Value);
}

static enum status check_filters(struct call *c, const struct glue_search_property_predicates *f)
{
    const struct glue_table none = { 0 };
    struct opt_time time;
    int64_t than_ms;
    for (size_t i = 0; i < f->n; i++) {
        if (str_empty(f->v[i].Key) || !str_set(f->v[i].Value)) {
            return call_fail(c, &glue_InvalidInputException,
                             "Filters: each needs a Key and a Value.");
        }
        if (time_member(&none, f->v[i].Key, &time) &&
            clock_parse(f->v[i].Value, &than_ms) != ST_OK) {
            return call_fail(c, &glue_InvalidInputException,
                             "Filters: the value '%.*s' of %.*s is no time.",
                             STR_ARG(f->v[i].Value), STR_ARG(f->v[i].Key));
        }
    }
    return ST_OK;
}

/* --- order ------------------------------------------------------------------------------------ */
struct found {
    const struct glue_table *table;
    const struct glue_sort_criteria *by;
};

static int compare_member(const struct glue_table *a, const struct glue_table *b, struct str name)
{
    struct opt_time x, y;
    if (time_member(a, name, &x) && time_member(b, name, &y)) {
        return x.ms < y.ms ? -1 : x.ms > y.ms;
    }
    return str_cmp(text_member(a, name), text_member(b, name));
}

static int compare_found(const void *x, const void *y)
{
    const struct found *a = x, *b = y;
    for (size_t i = 0; i < a->by->n; i++) {
        int order = compare_member(a->table, b->table, a->by->v[i].FieldName);
        if (order != 0) {
            return str_eqz(a->by->v[i].Sort, "DESC") ? -order : order;
        }
    }
    int order = str_cmp(a->table->DatabaseName, b->table->DatabaseName);
    return order != 0 ? order : str_cmp(a->table->Name, b->table->Name);
}

/* --- search ----------------------------------------------------------------------------------- */
static bool wanted(const struct glue_table *t, const struct glue_search_tables_request *in)
{
    for (size_t i = 0; i < in->Filters.n; i++) {
        if (!fits_filter(t, &in->Filters.v[i])) {
            return false;
        }
    }
    return str_empty(in->SearchText) || has_text(t, in->SearchText);
}

static enum status collect(struct call *c, const struct glue_owner *owner,
                           const struct glue_search_tables_request *in, struct found **ret,
                           size_t *ret_n)
{
    struct glue_database_list databases;
    *ret_n = 0;
    enum status st = catalog_databases(c->db, c->arena, owner, CATALOG_ALL, &databases);
    for (size_t d = 0; st == ST_OK && d < databases.n; d++) {
        struct glue_table_list tables;
        const struct catalog_key key = { *owner, databases.v[d].Name, STR_NONE };
        st = catalog_tables(c->db, c->arena, &key, CATALOG_ALL, NULL, &tables);
        for (size_t i = 0; st == ST_OK && i < tables.n; i++) {
            if (wanted(&tables.v[i], in)) {
                ARENA_GROW(c->arena, *ret, *ret_n);
                (*ret)[(*ret_n)++] = (struct found){ &tables.v[i], &in->SortCriteria };
            }
        }
    }
    return st;
}

/* The page's `after` is the number of tables that were given. */
enum status glue_search_tables(struct call *c, const struct glue_search_tables_request *in,
                               struct glue_search_tables_response *ret_out)
{
    struct glue_owner owner;
    struct catalog_page page;
    struct found *found = NULL;
    size_t n = 0;
    int64_t start = 0;
    struct glue_table_list *out = &ret_out->TableList;
    enum status st = catalog_owner(c, in->CatalogId, &owner);
    st = st == ST_OK ? catalog_page_of(c, in->NextToken, in->MaxResults, SEARCH_PAGE, &page) : st;
    st = st == ST_OK ? check_filters(c, &in->Filters) : st;
    if (st != ST_OK) {
        return st;
    }
    if (str_set(page.after) && (str_i64(page.after, &start) != ST_OK || start < 0)) {
        return call_fail(c, &glue_InvalidInputException,
                         "NextToken isn't one that an earlier answer gave.");
    }
    bool foreign = str_eqz(in->ResourceShareType, "FOREIGN") ||
                   str_eqz(in->ResourceShareType, "FEDERATED"); /* nobody shares one with us */
    st = foreign ? ST_OK : collect(c, &owner, in, &found, &n);
    if (n > 0) {
        qsort(found, n, sizeof(*found), compare_found);
    }
    out->v = ARENA_ARRAY(c->arena, struct glue_table, (size_t)page.limit + 1);
    for (size_t i = (size_t)start; i < n && (int64_t)out->n < page.limit; i++) {
        out->v[out->n++] = *found[i].table;
    }
    if ((size_t)start + out->n < n) {
        ret_out->NextToken = catalog_token(c->arena, arena_i64(c->arena, start + (int64_t)out->n));
    }
    return call_status(c, st);
}
