#include "emulators/dms/dms_s3_settings.h"

#include <inttypes.h>

#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_internal.h"
#include "server/base/mem.h"
#include "server/wire/shape_def.h"

#define INTERVAL_DEFAULT_S 60
#define MIN_FILE_DEFAULT_KB 32000
#define MAX_FILE_DEFAULT_KB 1048576

/* --- attributes ------------------------------------------------------------------------------- */

/* Attribute names are the members' with a lower-case first letter. */
static const struct field *find_member(struct str name)
{
    const struct shape *shape = dms_doc_member("CreateEndpoint", "S3Settings");
    for (uint16_t i = 0; i < shape->n_fields; i++) {
        if (str_ieqz(name, shape->fields[i].name)) {
            return &shape->fields[i];
        }
    }
    return NULL;
}

static enum status set_member(struct arena *a, const struct field *f, struct dms_s3_settings *s,
                              struct str value, struct str *ret_error)
{
    char *slot = (char *)s + f->off;
    switch (f->shape->kind) {
    case SHAPE_STRING: {
        struct str copy = arena_str(a, value);
        memcpy(slot, &copy, sizeof(copy));
        return ST_OK;
    }
    case SHAPE_INT: {
        struct opt_i64 v = { .set = true };
        if (str_i64(value, &v.v) != ST_OK) {
            return dms_refuse(a, ret_error,
                              "The value '%.*s' of the extra connection attribute %s is "
                              "not a whole number.",
                              STR_ARG(value), f->name);
        }
        memcpy(slot, &v, sizeof(v));
        return ST_OK;
    }
    case SHAPE_BOOL: {
        struct opt_bool v = { .set = true };
        if (str_bool(value, &v.v) != ST_OK) {
            return dms_refuse(a, ret_error,
                              "The value '%.*s' of the extra connection attribute %s is "
                              "not one of true, false, y, n.",
                              STR_ARG(value), f->name);
        }
        memcpy(slot, &v, sizeof(v));
        return ST_OK;
    }
    default:
        return dms_refuse(a, ret_error, "The extra connection attribute %s can't be set this way.",
                          f->name);
    }
}

enum status dms_s3_attributes(struct arena *a, struct str attributes, struct dms_s3_settings *s,
                              struct str *ret_error)
{
    struct str rest = attributes, item;
    while (str_next(&rest, ';', &item)) {
        item = str_trim(item);
        if (item.n == 0) {
            continue;
        }
        struct str name, value;
        if (!str_cut(item, '=', &name, &value)) {
            return dms_refuse(a, ret_error, "The extra connection attribute '%.*s' has no '='.",
                              STR_ARG(item));
        }
        name = str_trim(name);
        const struct field *f = find_member(name);
        if (!f) {
            return dms_refuse(a, ret_error,
                              "%.*s is not a valid parameter of extra connection "
                              "attributes for the engine s3.",
                              STR_ARG(name));
        }
        if (shape_is_set(f, s)) {
            continue;
        }
        enum status st = set_member(a, f, s, value, ret_error);
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

/* --- checks -------------------------------------------------------------------------------------
 */

/* Features that would change the files and that we don't carry out. */
static enum status check_features(struct arena *a, const struct dms_s3_settings *s,
                                  struct str *ret_error)
{
    const struct {
        bool used;
        const char *what;
    } missing[] = {
        { str_set(s->DataFormat) && !str_ieqz(s->DataFormat, "csv"), "DataFormat other than csv" },
        { str_set(s->EncryptionMode) && !str_ieqz(s->EncryptionMode, "sse-s3") &&
              !str_ieqz(s->EncryptionMode, "sse_s3"),
          "EncryptionMode other than sse-s3" },
        { s->PreserveTransactions.v, "PreserveTransactions" },
        { s->DatePartitionEnabled.v, "DatePartitionEnabled" },
        { s->AddTrailingPaddingCharacter.v, "AddTrailingPaddingCharacter" },
        { str_set(s->CannedAclForObjects) && !str_ieqz(s->CannedAclForObjects, "none") &&
              !str_ieqz(s->CannedAclForObjects, "private") &&
              !str_ieqz(s->CannedAclForObjects, "bucket-owner-full-control"),
          "CannedAclForObjects other than none, private and bucket-owner-full-control" },
    };
    for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
        if (missing[i].used) {
            return dms_refuse(a, ret_error, "S3 settings: %s is not implemented here.",
                              missing[i].what);
        }
    }
    return ST_OK;
}

static enum status check_range(struct arena *a, struct opt_i64 v, const char *name, int64_t low,
                               int64_t high, struct str *ret_error)
{
    if (v.set && (v.v < low || v.v > high)) {
        return dms_refuse(a, ret_error,
                          "S3 settings: %s is %" PRId64 "; it must be from %" PRId64 " to %" PRId64
                          ".",
                          name, v.v, low, high);
    }
    return ST_OK;
}

static enum status check_values(struct arena *a, const struct dms_s3_settings *s,
                                struct str *ret_error)
{
    if (str_empty(s->BucketName)) {
        return dms_refuse(a, ret_error, "S3 settings: BucketName is missing.");
    }
    if (str_set(s->CompressionType) && !str_ieqz(s->CompressionType, "none") &&
        !str_ieqz(s->CompressionType, "gzip")) {
        return dms_refuse(a, ret_error,
                          "S3 settings: CompressionType is '%.*s'; it must be none or "
                          "gzip.",
                          STR_ARG(s->CompressionType));
    }
    enum status st = check_range(a, s->MaxFileSize, "MaxFileSize", 1, 1048576, ret_error);
    if (st == ST_OK) {
        st =
            check_range(a, s->CdcMaxBatchInterval, "CdcMaxBatchInterval", 0, 2147483647, ret_error);
    }
    if (st == ST_OK) {
        st = check_range(a, s->CdcMinFileSize, "CdcMinFileSize", 0, 2147483647, ret_error);
    }
    return st;
}

/* "\n", "\t", "\r" and "\\" typed as two characters stand for the byte. */
static struct str unescape(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\' && i + 1 < s.n) {
            char e = s.p[i + 1];
            char made = (char)(e == 'n'    ? '\n'
                               : e == 't'  ? '\t'
                               : e == 'r'  ? '\r'
                               : e == '\\' ? '\\'
                                           : '\0');
            if (made) {
                out[n++] = made;
                i++;
                continue;
            }
        }
        out[n++] = c;
    }
    return (struct str){ out, n };
}

static enum status read_delimiter(struct arena *a, struct str given, const char *fallback,
                                  const char *name, struct str *ret, struct str *ret_error)
{
    *ret = str_set(given) ? unescape(a, given) : str_z(fallback);
    if (ret->n < 1 || ret->n > DMS_CSV_DELIMITER_MAX) {
        return dms_refuse(a, ret_error, "S3 settings: %s must have 1 to %d bytes.", name,
                          DMS_CSV_DELIMITER_MAX);
    }
    return ST_OK;
}

static int64_t kb(struct opt_i64 v, int64_t otherwise)
{
    return (v.set ? v.v : otherwise) * 1024;
}

static enum status read_csv(struct arena *a, const struct dms_s3_settings *s,
                            struct dms_csv_format *f, struct str *ret_error)
{
    *f = (struct dms_csv_format){
        .null_text = str_set(s->CsvNullValue) ? arena_str(a, s->CsvNullValue) : STR(""),
        .rfc4180 = !s->Rfc4180.set || s->Rfc4180.v,
        .header = s->AddColumnName.v,
    };
    if (s->UseCsvNoSupValue.v) {
        f->no_value_text = str_set(s->CsvNoSupValue) ? arena_str(a, s->CsvNoSupValue) : STR("");
    }
    if (!str_empty(s->TimestampColumnName)) {
        f->timestamp_name = arena_str(a, s->TimestampColumnName);
    }
    enum status st =
        read_delimiter(a, s->CsvDelimiter, ",", "CsvDelimiter", &f->delimiter, ret_error);
    if (st == ST_OK) {
        st = read_delimiter(a, s->CsvRowDelimiter, "\n", "CsvRowDelimiter", &f->row_end, ret_error);
    }
    if (st == ST_OK) {
        dms_csv_prepare(f);
    }
    return st;
}

enum status dms_s3_read(struct arena *a, const struct dms_s3_settings *s,
                        struct dms_s3_options *ret, bool *ret_conflict, struct str *ret_error)
{
    if (ret_conflict) {
        *ret_conflict = false;
    }
    if (s->CdcInsertsOnly.v && s->CdcInsertsAndUpdates.v) {
        if (ret_conflict) {
            *ret_conflict = true;
        }
        return dms_refuse(a, ret_error,
                          "S3 settings: CdcInsertsOnly and CdcInsertsAndUpdates can't "
                          "both be true.");
    }
    enum status st = check_features(a, s, ret_error);
    if (st == ST_OK) {
        st = check_values(a, s, ret_error);
    }
    if (st != ST_OK) {
        return st;
    }
    bool selective = s->CdcInsertsOnly.v || s->CdcInsertsAndUpdates.v;
    *ret = (struct dms_s3_options){
        .bucket = arena_str(a, s->BucketName),
        .folder = str_set(s->BucketFolder) ? arena_str(a, s->BucketFolder) : STR(""),
        .owner = arena_str(a, s->ExpectedBucketOwner),
        .gzip = str_ieqz(s->CompressionType, "gzip"),
        .op_in_load = s->IncludeOpForFullLoad.v,
        .op_in_changes = !selective || s->IncludeOpForFullLoad.v,
        .no_updates = s->CdcInsertsOnly.v,
        .no_deletes = selective,
        .glue_catalog = s->GlueCatalogGeneration.v,
        .start_time_stamps = s->UseTaskStartTimeForFullLoadTimestamp.v,
        .empty_timestamp_name = str_set(s->TimestampColumnName) && s->TimestampColumnName.n == 0,
        .interval_s = s->CdcMaxBatchInterval.set ? s->CdcMaxBatchInterval.v : INTERVAL_DEFAULT_S,
        .min_file_bytes = kb(s->CdcMinFileSize, MIN_FILE_DEFAULT_KB),
        .max_file_bytes = kb(s->MaxFileSize, MAX_FILE_DEFAULT_KB),
    };
    return read_csv(a, s, &ret->csv, ret_error);
}

/* --- echo ----------------------------------------------------------------------------------------
 */

static struct str upper(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        out[i] = char_upper(s.p[i]);
    }
    return (struct str){ out, s.n };
}

static struct str escape(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, 2 * s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        char e = (char)(c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : '\0');
        if (e) {
            out[n++] = '\\';
        }
        out[n++] = (char)(e ? e : c);
    }
    return (struct str){ out, n };
}

void dms_s3_echo(struct arena *a, struct dms_s3_settings *s)
{
    s->CsvRowDelimiter = str_set(s->CsvRowDelimiter) ? escape(a, s->CsvRowDelimiter) : STR("\\n");
    if (!str_set(s->CsvDelimiter)) {
        s->CsvDelimiter = STR(",");
    }
    if (!str_set(s->BucketFolder)) {
        s->BucketFolder = STR("");
    }
    s->CompressionType = str_set(s->CompressionType) ? upper(a, s->CompressionType) : STR("NONE");
    if (str_set(s->EncryptionMode)) {
        s->EncryptionMode = STR("SSE_S3");
    }
    if (!s->EnableStatistics.set) {
        s->EnableStatistics = OPT_BOOL(true);
    }
    if (!s->DatePartitionEnabled.set) {
        s->DatePartitionEnabled = OPT_BOOL(false);
    }
    s->DatePartitionSequence = arena_lower(a, s->DatePartitionSequence);
    s->DatePartitionDelimiter = arena_lower(a, s->DatePartitionDelimiter);
}

struct str dms_s3_echo_attributes(struct arena *a, const struct dms_s3_settings *s)
{
    return arena_printf(a,
                        "bucketFolder=%.*s;bucketName=%.*s;compressionType=%.*s;csvDelimiter=%.*s;"
                        "csvRowDelimiter=%.*s;",
                        STR_ARG(s->BucketFolder), STR_ARG(s->BucketName),
                        STR_ARG(s->CompressionType), STR_ARG(s->CsvDelimiter),
                        STR_ARG(s->CsvRowDelimiter));
}
