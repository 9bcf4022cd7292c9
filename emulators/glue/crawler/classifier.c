/* Custom classifiers: CSV and JSON ones are used by the crawlers, others are refused. */
#include "emulators/glue/catalog/catalog_common.h"
#include "emulators/glue/crawler/crawler_internal.h"
#include "server/base/clock.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

#define PAGE_MAX 1000
#define NAME_MAX_BYTES 255

/* What CreateClassifier and UpdateClassifier have in common: their CSV requests have the same
 * members. */
struct definition {
    struct str name;
    bool other; /* Grok or XML */
    size_t n;   /* kinds given */
    const struct glue_create_json_classifier_request *json;
    const struct glue_create_csv_classifier_request *csv;
};

/* --- CSV -------------------------------------------------------------------------------------- */
/* CustomDatatypes to Hive's names. */
static struct str hive_name(struct str type)
{
    static const struct {
        const char *name;
        struct str hive;
    } types[] = {
        { "BINARY", STR_INIT("binary") },
        { "BOOLEAN", STR_INIT("boolean") },
        { "DATE", STR_INIT("date") },
        { "DECIMAL", STR_INIT("decimal") },
        { "DOUBLE", STR_INIT("double") },
        { "FLOAT", STR_INIT("float") },
        { "INT", STR_INIT("int") },
        { "LONG", STR_INIT("bigint") },
        { "SHORT", STR_INIT("smallint") },
        { "STRING", STR_INIT("string") },
        { "TIMESTAMP", STR_INIT("timestamp") },
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_ieqz(type, types[i].name)) {
            return types[i].hive;
        }
    }
    return STR_NONE;
}

static enum status check_csv(struct call *c, const struct glue_create_csv_classifier_request *csv)
{
    if (str_set(csv->Delimiter) && csv->Delimiter.n != 1) {
        return call_fail(c, &glue_InvalidInputException, "Delimiter must be one character.");
    }
    if (str_set(csv->QuoteSymbol) && csv->QuoteSymbol.n != 1) {
        return call_fail(c, &glue_InvalidInputException, "QuoteSymbol must be one character.");
    }
    if (csv->Delimiter.n && str_eq(csv->Delimiter, csv->QuoteSymbol)) {
        return call_fail(c, &glue_InvalidInputException,
                         "QuoteSymbol must be different from Delimiter.");
    }
    for (size_t i = 0; i < csv->CustomDatatypes.n; i++) {
        if (!str_set(hive_name(csv->CustomDatatypes.v[i]))) {
            return call_fail(c, &glue_InvalidInputException,
                             "CustomDatatypes: '%.*s' is none of BINARY, BOOLEAN, DATE, DECIMAL, "
                             "DOUBLE, FLOAT, INT, LONG, SHORT, STRING, TIMESTAMP.",
                             STR_ARG(csv->CustomDatatypes.v[i]));
        }
    }
    return ST_OK;
}

static struct glue_csv_classifier *csv_from(struct arena *a,
                                            const struct glue_create_csv_classifier_request *in)
{
    struct glue_csv_classifier *csv = ARENA_NEW(a, struct glue_csv_classifier);
    *csv = (struct glue_csv_classifier){
        .Name = in->Name,
        .CreationTime = OPT_TIME(clock_now_ms()),
        .LastUpdated = OPT_TIME(clock_now_ms()),
        .Version = OPT_I64(1),
        .Delimiter = in->Delimiter,
        .QuoteSymbol = in->QuoteSymbol,
        .ContainsHeader = str_set(in->ContainsHeader) ? in->ContainsHeader : STR("UNKNOWN"),
        .Header = in->Header,
        .DisableValueTrimming = OPT_BOOL(in->DisableValueTrimming.v),
        .AllowSingleColumn = OPT_BOOL(in->AllowSingleColumn.v),
        .CustomDatatypeConfigured = OPT_BOOL(in->CustomDatatypeConfigured.v),
        .CustomDatatypes = in->CustomDatatypes,
        .Serde = in->Serde,
    };
    csv->Header.v = csv->Header.v ? csv->Header.v : ARENA_NEW(a, struct str);
    return csv;
}

/* 0 when there is none. */
static char first_char(struct str s)
{
    return *(s.n ? s.p : "");
}

static struct classifier use_csv(struct arena *a, const struct glue_csv_classifier *in)
{
    struct classifier c = { .name = in->Name,
                            .delimiter = first_char(in->Delimiter),
                            .quote = first_char(in->QuoteSymbol),
                            .header = in->Header.v,
                            .n_header = in->Header.n,
                            .no_trim = in->DisableValueTrimming.v,
                            .single_column = in->AllowSingleColumn.v,
                            .serde = in->Serde };
    c.contains_header = str_eqz(in->ContainsHeader, "PRESENT")  ? CSV_HEADER_PRESENT
                        : str_eqz(in->ContainsHeader, "ABSENT") ? CSV_HEADER_ABSENT
                                                                : CSV_HEADER_UNKNOWN;
    if (in->CustomDatatypeConfigured.v) {
        struct str *types = ARENA_ARRAY(a, struct str, in->CustomDatatypes.n + 1);
        for (size_t i = 0; i < in->CustomDatatypes.n; i++) {
            types[i] = hive_name(in->CustomDatatypes.v[i]);
        }
        c.types = types;
        c.n_types = in->CustomDatatypes.n;
    }
    return c;
}

/* --- definitions ------------------------------------------------------------------------------ */
static enum status check_kind(struct call *c, const struct definition *d)
{
    if (d->n != 1) {
        return call_fail(c, &glue_InvalidInputException,
                         "Exactly one of GrokClassifier, XMLClassifier, JsonClassifier and "
                         "CsvClassifier must be given.");
    }
    if (d->other) {
        return call_fail(c, &wire_NotImplemented,
                         "Grok and XML classifiers aren't implemented: use a CsvClassifier or a "
                         "JsonClassifier.");
    }
    return ST_OK;
}

static enum status check(struct call *c, const struct definition *d)
{
    enum status st = check_kind(c, d);
    if (st != ST_OK) {
        return st;
    }
    if (d->name.n < 1 || d->name.n > NAME_MAX_BYTES) {
        return call_fail(c, &glue_InvalidInputException, "Name must have 1 to %d characters.",
                         NAME_MAX_BYTES);
    }
    if (d->json && str_set(d->json->JsonPath) && !classify_json_path_ok(d->json->JsonPath)) {
        return call_fail(c, &glue_InvalidInputException,
                         "JsonPath '%.*s' can't be followed: it is made of $, .name, ['name'], [*] "
                         "and [0], as in $.Records[*].",
                         STR_ARG(d->json->JsonPath));
    }
    return d->csv ? check_csv(c, d->csv) : ST_OK;
}

static struct glue_classifier *from(struct arena *a, const struct definition *d)
{
    struct glue_classifier *made = ARENA_NEW(a, struct glue_classifier);
    if (d->csv) {
        made->CsvClassifier = csv_from(a, d->csv);
        return made;
    }
    made->JsonClassifier = ARENA_NEW(a, struct glue_json_classifier);
    *made->JsonClassifier =
        (struct glue_json_classifier){ .Name = d->name,
                                       .CreationTime = OPT_TIME(clock_now_ms()),
                                       .LastUpdated = OPT_TIME(clock_now_ms()),
                                       .Version = OPT_I64(1),
                                       .JsonPath = d->json ? d->json->JsonPath : STR_NONE };
    return made;
}

/* What the requests of CreateClassifier and UpdateClassifier say under the same names. */
#define DEFINITION_OF(in)                                                         \
    .name = (in)->CsvClassifier    ? (in)->CsvClassifier->Name                    \
            : (in)->JsonClassifier ? (in)->JsonClassifier->Name                   \
                                   : STR_NONE,                                    \
    .other = (in)->GrokClassifier || (in)->XMLClassifier,                         \
    .n = (size_t)((in)->GrokClassifier != NULL) + ((in)->XMLClassifier != NULL) + \
         ((in)->JsonClassifier != NULL) + ((in)->CsvClassifier != NULL)

enum status glue_create_classifier(struct call *c, const struct glue_create_classifier_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct definition d = {
        DEFINITION_OF(in),
        .json = in->JsonClassifier,
        .csv = in->CsvClassifier,
    };
    struct glue_owner o = glue_owner_of(c);
    enum status st = check(c, &d);
    if (st != ST_OK) {
        return st;
    }
    st = crawler_store_add_classifier(c->db, c->arena, &o, d.name, from(c->arena, &d));
    if (st == ST_EXISTS) {
        return call_fail(c, &glue_AlreadyExistsException, "Classifier %.*s already exists.",
                         STR_ARG(d.name));
    }
    return call_status(c, st);
}

static enum status find(struct call *c, struct str name, struct glue_classifier **ret)
{
    struct glue_owner o = glue_owner_of(c);
    enum status st = crawler_store_classifier(c->db, c->arena, &o, name, ret);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &glue_EntityNotFoundException, "Classifier %.*s not found.",
                         STR_ARG(name));
    }
    return call_status(c, st);
}

/* Members that aren't given stay as they are. */
static struct glue_create_csv_classifier_request
overlay_csv(const struct glue_csv_classifier *old,
            const struct glue_update_csv_classifier_request *u)
{
    return (struct glue_create_csv_classifier_request){
        .Name = u->Name,
        .Delimiter = str_set(u->Delimiter) ? u->Delimiter : old->Delimiter,
        .QuoteSymbol = str_set(u->QuoteSymbol) ? u->QuoteSymbol : old->QuoteSymbol,
        .ContainsHeader = str_set(u->ContainsHeader) ? u->ContainsHeader : old->ContainsHeader,
        .Header = u->Header.v ? u->Header : old->Header,
        .DisableValueTrimming =
            u->DisableValueTrimming.set ? u->DisableValueTrimming : old->DisableValueTrimming,
        .AllowSingleColumn =
            u->AllowSingleColumn.set ? u->AllowSingleColumn : old->AllowSingleColumn,
        .CustomDatatypeConfigured = u->CustomDatatypeConfigured.set ? u->CustomDatatypeConfigured
                                                                    : old->CustomDatatypeConfigured,
        .CustomDatatypes = u->CustomDatatypes.v ? u->CustomDatatypes : old->CustomDatatypes,
        .Serde = str_set(u->Serde) ? u->Serde : old->Serde,
    };
}

/* The new definition keeps the birthday of the old one and counts its version up. */
static void succeed(struct glue_classifier *made, const struct glue_classifier *old)
{
    if (made->CsvClassifier) {
        made->CsvClassifier->CreationTime = old->CsvClassifier->CreationTime;
        made->CsvClassifier->Version = OPT_I64(old->CsvClassifier->Version.v + 1);
    } else {
        made->JsonClassifier->CreationTime = old->JsonClassifier->CreationTime;
        made->JsonClassifier->Version = OPT_I64(old->JsonClassifier->Version.v + 1);
    }
}

enum status glue_update_classifier(struct call *c, const struct glue_update_classifier_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct definition d = { DEFINITION_OF(in) };
    struct glue_classifier *old;
    struct glue_create_csv_classifier_request csv;
    struct glue_create_json_classifier_request json;
    enum status st = check_kind(c, &d);
    st = st == ST_OK ? find(c, d.name, &old) : st;
    if (st != ST_OK) {
        return st;
    }
    bool same_kind = in->CsvClassifier ? old->CsvClassifier != NULL : old->JsonClassifier != NULL;
    if (!same_kind) {
        return call_fail(c, &glue_InvalidInputException, "Classifier %.*s is of another kind.",
                         STR_ARG(d.name));
    }
    if (in->CsvClassifier) {
        csv = overlay_csv(old->CsvClassifier, in->CsvClassifier);
        d.csv = &csv;
    } else if (in->JsonClassifier) {
        struct str path = in->JsonClassifier->JsonPath;
        json = (struct glue_create_json_classifier_request){
            d.name, str_set(path) ? path : old->JsonClassifier->JsonPath
        };
        d.json = &json;
    }
    st = check(c, &d);
    if (st != ST_OK) {
        return st;
    }
    struct glue_owner o = glue_owner_of(c);
    struct glue_classifier *made = from(c->arena, &d);
    succeed(made, old);
    return call_status(c, crawler_store_set_classifier(c->db, c->arena, &o, d.name, made));
}

enum status glue_get_classifier(struct call *c, const struct glue_get_classifier_request *in,
                                struct glue_get_classifier_response *ret_out)
{
    return find(c, in->Name, &ret_out->Classifier);
}

static struct str name_of(const struct glue_classifier *c)
{
    return c->CsvClassifier ? c->CsvClassifier->Name : c->JsonClassifier->Name;
}

enum status glue_get_classifiers(struct call *c, const struct glue_get_classifiers_request *in,
                                 struct glue_get_classifiers_response *ret_out)
{
    struct glue_owner o = glue_owner_of(c);
    struct catalog_page page;
    struct glue_classifier_list *out = &ret_out->Classifiers;
    enum status st = catalog_page_of(c, in->NextToken, in->MaxResults, PAGE_MAX, &page);
    if (st != ST_OK) {
        return st;
    }
    st = crawler_store_classifiers(c->db, c->arena, &o, page.after, page.limit + 1, out);
    if (st == ST_OK && (int64_t)out->n > page.limit) {
        out->n = (size_t)page.limit;
        ret_out->NextToken = catalog_token(c->arena, name_of(&out->v[out->n - 1]));
    }
    return call_status(c, st);
}

enum status glue_delete_classifier(struct call *c, const struct glue_delete_classifier_request *in,
                                   void *ret_out)
{
    (void)ret_out;
    struct glue_owner o = glue_owner_of(c);
    struct glue_classifier *old;
    enum status st = find(c, in->Name, &old);
    return st != ST_OK ? st : call_status(c, crawler_store_delete_classifier(c->db, &o, in->Name));
}

/* --- for the crawls --------------------------------------------------------------------------- */
enum status crawler_classifiers(struct db *db, struct arena *a, const struct glue_owner *o,
                                const struct glue_crawler *crawler, struct classifier **ret,
                                size_t *ret_n)
{
    *ret = ARENA_ARRAY(a, struct classifier, crawler->Classifiers.n + 1);
    *ret_n = 0;
    for (size_t i = 0; i < crawler->Classifiers.n; i++) {
        struct glue_classifier *found;
        enum status st = crawler_store_classifier(db, a, o, crawler->Classifiers.v[i], &found);
        if (st == ST_NOT_FOUND) {
            continue;
        }
        if (st != ST_OK) {
            return st;
        }
        (*ret)[(*ret_n)++] =
            found->CsvClassifier
                ? use_csv(a, found->CsvClassifier)
                : (struct classifier){ .name = found->JsonClassifier->Name,
                                       .json = true,
                                       .json_path = found->JsonClassifier->JsonPath };
    }
    return ST_OK;
}
