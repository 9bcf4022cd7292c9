#include "emulators/dms/endpoint/s3_settings.h"

#include <inttypes.h>

#include "emulators/dms/dms_doc.h"
#include "emulators/dms/dms_internal.h"
#include "emulators/dms/endpoint/attributes.h"
#include "emulators/dms/file/out.h"
#include "server/base/mem.h"

#define INTERVAL_DEFAULT_S 60
#define MIN_FILE_DEFAULT_KB 32000
#define MAX_FILE_DEFAULT_KB 1048576

enum status dms_s3_attributes(struct arena *a, struct str attributes, struct dms_s3_settings *s,
                              struct str *ret_error)
{
    const struct dms_attribute_rules rules = {
        .engine = "s3",
        .shape = dms_member("CreateEndpoint", "S3Settings"),
    };
    return dms_attributes(a, attributes, &rules, s, ret_error);
}

/* --- checks ----------------------------------------------------------------------------------- */

static enum status check_encryption(struct arena *a, const struct dms_s3_settings *s,
                                    struct str *ret_error)
{
    struct str mode = s->EncryptionMode;
    if (str_ieqz(mode, "sse-kms") || str_ieqz(mode, "sse_kms")) {
        return dms_refuse(a, ret_error,
                          "S3 settings: EncryptionMode %.*s is not implemented here: there are no "
                          "KMS keys, so the objects would not be encrypted with yours. Use SSE_S3.",
                          STR_ARG(mode));
    }
    if (!str_empty(mode) && !str_ieqz(mode, "sse-s3") && !str_ieqz(mode, "sse_s3")) {
        return dms_refuse(a, ret_error,
                          "S3 settings: EncryptionMode is '%.*s'; it must be sse-s3 or sse-kms.",
                          STR_ARG(mode));
    }
    return ST_OK;
}

/* Changes of all tables in one stream leave no room for what belongs to one table. */
static enum status check_transactions(struct arena *a, const struct dms_s3_settings *s,
                                      bool *ret_conflict, struct str *ret_error)
{
    if (!s->PreserveTransactions.v) {
        return ST_OK;
    }
    const struct {
        bool used;
        const char *name;
    } excluded[] = { { s->AddColumnName.v, "AddColumnName" },
                     { s->DatePartitionEnabled.v, "DatePartitionEnabled" },
                     { s->GlueCatalogGeneration.v, "GlueCatalogGeneration" } };
    for (size_t i = 0; i < ARRAY_LEN(excluded); i++) {
        if (excluded[i].used) {
            *ret_conflict = true;
            return dms_refuse(a, ret_error,
                              "S3 settings: PreserveTransactions can't be used together with %s.",
                              excluded[i].name);
        }
    }
    if (str_empty(s->CdcPath)) {
        return dms_refuse(a, ret_error,
                          "S3 settings: the parameter CdcPath must be provided and must not be "
                          "blank when PreserveTransactions is true.");
    }
    return ST_OK;
}

/* The members that exclude each other. */
static enum status check_combinations(struct arena *a, const struct dms_s3_settings *s,
                                      bool *ret_conflict, struct str *ret_error)
{
    *ret_conflict = s->CdcInsertsOnly.v && s->CdcInsertsAndUpdates.v;
    if (*ret_conflict) {
        return dms_refuse(a, ret_error,
                          "S3 settings: CdcInsertsOnly and CdcInsertsAndUpdates can't "
                          "both be true.");
    }
    return check_transactions(a, s, ret_conflict, ret_error);
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

/* "PUBLIC_READ" and "public-read" are the same. Absent when given as nothing. */
static struct str acl_name(struct arena *a, struct str given)
{
    if (str_empty(given)) {
        return STR_NONE;
    }
    char *out = arena_cstr(a, arena_lower(a, given));
    for (char *p = out; *p; p++) {
        *p = (char)(*p == '_' ? '-' : *p);
    }
    return str_z(out);
}

static enum status read_acl(struct arena *a, const struct dms_s3_settings *s, struct str *ret,
                            struct str *ret_error)
{
    static const char *const names[] = { "none",
                                         "private",
                                         "public-read",
                                         "public-read-write",
                                         "authenticated-read",
                                         "aws-exec-read",
                                         "bucket-owner-read",
                                         "bucket-owner-full-control" };
    struct str acl = acl_name(a, s->CannedAclForObjects);
    bool known = !str_set(acl);
    for (size_t i = 0; i < ARRAY_LEN(names) && !known; i++) {
        known = str_eqz(acl, names[i]);
    }
    if (!known) {
        return dms_refuse(a, ret_error,
                          "S3 settings: CannedAclForObjects is '%.*s'; it must be none, private, "
                          "public-read, public-read-write, authenticated-read, aws-exec-read, "
                          "bucket-owner-read or bucket-owner-full-control.",
                          STR_ARG(s->CannedAclForObjects));
    }
    /* The objects' owner, who is the bucket's, has full control anyway. */
    bool grants = str_set(acl) && !str_eqz(acl, "none") && !str_eqz(acl, "private") &&
                  !str_eqz(acl, "bucket-owner-full-control");
    *ret = grants ? acl : STR_NONE;
    return ST_OK;
}

static enum status read_zone(struct arena *a, struct str name, const struct zone **ret,
                             struct str *ret_error)
{
    if (str_empty(name)) {
        return ST_OK;
    }
    if (!zone_database()) {
        return dms_refuse(a, ret_error,
                          "S3 settings: DatePartitionTimezone needs the time zones of the system, "
                          "which are not installed (package tzdata).");
    }
    return zone_read(a, name, ret) == ST_OK
               ? ST_OK
               : dms_refuse(a, ret_error,
                            "S3 settings: DatePartitionTimezone is '%.*s', which is no time zone; "
                            "it has the form Area/Location, as in Asia/Seoul.",
                            STR_ARG(name));
}

static enum status read_date(struct arena *a, const struct dms_s3_settings *s,
                             struct dms_date_format *ret, struct str *ret_error)
{
    struct dms_date_format f = { 0 };
    if (dms_date_parts(s->DatePartitionSequence, s->DatePartitionDelimiter, &f) != ST_OK) {
        return dms_refuse(a, ret_error,
                          "S3 settings: DatePartitionSequence must be YYYYMMDD, YYYYMMDDHH, "
                          "YYYYMM, MMYYYYDD or DDMMYYYY, and DatePartitionDelimiter SLASH, "
                          "UNDERSCORE, DASH or NONE.");
    }
    enum status st = read_zone(a, s->DatePartitionTimezone, &f.zone, ret_error);
    *ret = st == ST_OK && s->DatePartitionEnabled.v ? f : (struct dms_date_format){ 0 };
    return st;
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
        .pad = s->AddTrailingPaddingCharacter.v,
    };
    if (s->UseCsvNoSupValue.v) {
        f->no_value_text = arena_str(a, s->CsvNoSupValue); /* absent: as NULL */
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

static enum status check_format(struct arena *a, const struct dms_s3_settings *s,
                                struct str *ret_error)
{
    if (str_empty(s->DataFormat) || str_ieqz(s->DataFormat, "csv") ||
        str_ieqz(s->DataFormat, "parquet")) {
        return ST_OK;
    }
    return dms_refuse(a, ret_error, "S3 settings: DataFormat is '%.*s'; it must be csv or parquet.",
                      STR_ARG(s->DataFormat));
}

static enum status check(struct arena *a, const struct dms_s3_settings *s, bool *ret_conflict,
                         struct str *ret_error)
{
    enum status st = check_combinations(a, s, ret_conflict, ret_error);
    if (st == ST_OK) {
        st = check_format(a, s, ret_error);
    }
    if (st == ST_OK) {
        st = check_encryption(a, s, ret_error);
    }
    return st == ST_OK ? check_values(a, s, ret_error) : st;
}

static void read_plain(struct arena *a, const struct dms_s3_settings *s, struct dms_s3_options *ret)
{
    bool selective = s->CdcInsertsOnly.v || s->CdcInsertsAndUpdates.v;
    bool gzip = str_ieqz(s->CompressionType, "gzip");
    const struct dms_format *format =
        str_ieqz(s->DataFormat, "parquet") ? &dms_format_parquet : &dms_format_csv;
    *ret = (struct dms_s3_options){
        .bucket = arena_str(a, s->BucketName),
        .folder = str_set(s->BucketFolder) ? arena_str(a, s->BucketFolder) : STR(""),
        .owner =
            str_empty(s->ExpectedBucketOwner) ? STR_NONE : arena_str(a, s->ExpectedBucketOwner),
        .format = format,
        .extension = dms_out_extension(format, gzip),
        .transactions = s->PreserveTransactions.v,
        .cdc_path = arena_str(a, s->CdcPath),
        .transactions_extension = dms_out_extension(&dms_format_csv, gzip),
        .gzip = gzip,
        .op_in_load = s->IncludeOpForFullLoad.v,
        .op_in_changes = !selective || s->IncludeOpForFullLoad.v || s->PreserveTransactions.v,
        .no_updates = s->CdcInsertsOnly.v,
        .no_deletes = selective,
        .glue_catalog = s->GlueCatalogGeneration.v,
        .start_time_stamps = s->UseTaskStartTimeForFullLoadTimestamp.v,
        .empty_timestamp_name = str_set(s->TimestampColumnName) && s->TimestampColumnName.n == 0,
        .interval_s = s->CdcMaxBatchInterval.set ? s->CdcMaxBatchInterval.v : INTERVAL_DEFAULT_S,
        .min_file_bytes = kb(s->CdcMinFileSize, MIN_FILE_DEFAULT_KB),
        .max_file_bytes = kb(s->MaxFileSize, MAX_FILE_DEFAULT_KB),
    };
}

enum status dms_s3_read(struct arena *a, const struct dms_s3_settings *s,
                        struct dms_s3_options *ret, bool *ret_conflict, struct str *ret_error)
{
    bool conflict = false;
    enum status st = check(a, s, &conflict, ret_error);
    if (ret_conflict) {
        *ret_conflict = conflict;
    }
    if (st != ST_OK) {
        return st;
    }
    read_plain(a, s, ret);
    st = read_acl(a, s, &ret->acl, ret_error);
    if (st == ST_OK) {
        st = read_date(a, s, &ret->date, ret_error);
    }
    if (st == ST_OK) {
        st = dms_parquet_read(a, s, &ret->parquet, ret_error);
    }
    return st == ST_OK ? read_csv(a, s, &ret->csv, ret_error) : st;
}

/* --- echo ------------------------------------------------------------------------------------- */

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
    s->CsvDelimiter = str_set(s->CsvDelimiter) ? escape(a, s->CsvDelimiter) : STR(",");
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
    if (str_set(s->CannedAclForObjects)) {
        s->CannedAclForObjects = acl_name(a, s->CannedAclForObjects);
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
