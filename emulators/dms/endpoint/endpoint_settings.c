/* DescribeEndpointSettings: what an endpoint of an engine can be told here. Settings of AWS that we
 * refuse are not listed, nor are values that we refuse. */
#include "emulators/dms/dms_internal.h"

enum { FOR_S3 = 1, FOR_MYSQL = 2 };
enum kind { TEXT, FLAG, NUMBER, CHOICE };

#define CHOICES_MAX 8
#define INT32 2147483647

static const struct setting {
    int engines;
    enum kind kind;
    const char *name;
    const char *otherwise; /* the default; NULL: none */
    const char *units, *applicability;
    int64_t min, max; /* NUMBER */
    const char *choices[CHOICES_MAX];
} settings[] = {
    { .engines = FOR_S3,
      .name = "AddColumnName",
      .kind = FLAG,
      .otherwise = "false",
      .applicability = "csv" },
    { .engines = FOR_S3,
      .name = "AddTrailingPaddingCharacter",
      .kind = FLAG,
      .otherwise = "false",
      .applicability = "csv" },
    { .engines = FOR_S3, .name = "BucketFolder", .kind = TEXT, .otherwise = "" },
    { .engines = FOR_S3, .name = "BucketName", .kind = TEXT },
    { .engines = FOR_S3,
      .name = "CannedAclForObjects",
      .kind = CHOICE,
      .otherwise = "none",
      .choices = { "none", "private", "bucket-owner-full-control" } },
    { .engines = FOR_S3, .name = "CdcInsertsAndUpdates", .kind = FLAG, .otherwise = "false" },
    { .engines = FOR_S3, .name = "CdcInsertsOnly", .kind = FLAG, .otherwise = "false" },
    { .engines = FOR_S3,
      .name = "CdcMaxBatchInterval",
      .kind = NUMBER,
      .otherwise = "60",
      .units = "seconds",
      .min = 0,
      .max = INT32 },
    { .engines = FOR_S3,
      .name = "CdcMinFileSize",
      .kind = NUMBER,
      .otherwise = "32000",
      .units = "kilobytes",
      .min = 0,
      .max = INT32 },
    { .engines = FOR_S3, .name = "CdcPath", .kind = TEXT },
    { .engines = FOR_S3,
      .name = "CompressionType",
      .kind = CHOICE,
      .otherwise = "none",
      .choices = { "none", "gzip" } },
    { .engines = FOR_S3,
      .name = "CsvDelimiter",
      .kind = TEXT,
      .otherwise = ",",
      .applicability = "csv" },
    { .engines = FOR_S3, .name = "CsvNoSupValue", .kind = TEXT, .applicability = "csv" },
    { .engines = FOR_S3,
      .name = "CsvNullValue",
      .kind = TEXT,
      .otherwise = "",
      .applicability = "csv" },
    { .engines = FOR_S3,
      .name = "CsvRowDelimiter",
      .kind = TEXT,
      .otherwise = "\\n",
      .applicability = "csv" },
    { .engines = FOR_S3,
      .name = "DataFormat",
      .kind = CHOICE,
      .otherwise = "csv",
      .choices = { "csv", "parquet" } },
    { .engines = FOR_S3,
      .name = "DataPageSize",
      .kind = NUMBER,
      .otherwise = "1048576",
      .units = "bytes",
      .applicability = "parquet",
      .min = 1,
      .max = INT32 },
    { .engines = FOR_S3,
      .name = "DatePartitionDelimiter",
      .kind = CHOICE,
      .otherwise = "SLASH",
      .choices = { "SLASH", "UNDERSCORE", "DASH", "NONE" } },
    { .engines = FOR_S3, .name = "DatePartitionEnabled", .kind = FLAG, .otherwise = "false" },
    { .engines = FOR_S3,
      .name = "DatePartitionSequence",
      .kind = CHOICE,
      .otherwise = "YYYYMMDD",
      .choices = { "YYYYMMDD", "YYYYMMDDHH", "YYYYMM", "MMYYYYDD", "DDMMYYYY" } },
    { .engines = FOR_S3, .name = "DatePartitionTimezone", .kind = TEXT, .otherwise = "UTC" },
    { .engines = FOR_S3,
      .name = "DictPageSizeLimit",
      .kind = NUMBER,
      .otherwise = "1048576",
      .units = "bytes",
      .applicability = "parquet",
      .min = 1,
      .max = INT32 },
    { .engines = FOR_S3,
      .name = "EnableStatistics",
      .kind = FLAG,
      .otherwise = "true",
      .applicability = "parquet" },
    { .engines = FOR_S3,
      .name = "EncodingType",
      .kind = CHOICE,
      .otherwise = "rle-dictionary",
      .applicability = "parquet",
      .choices = { "plain", "plain-dictionary", "rle-dictionary" } },
    { .engines = FOR_S3,
      .name = "EncryptionMode",
      .kind = CHOICE,
      .otherwise = "SSE_S3",
      .choices = { "SSE_S3" } },
    { .engines = FOR_S3, .name = "ExpectedBucketOwner", .kind = TEXT },
    { .engines = FOR_S3, .name = "GlueCatalogGeneration", .kind = FLAG, .otherwise = "false" },
    { .engines = FOR_S3, .name = "IncludeOpForFullLoad", .kind = FLAG, .otherwise = "false" },
    { .engines = FOR_S3,
      .name = "MaxFileSize",
      .kind = NUMBER,
      .otherwise = "1048576",
      .units = "kilobytes",
      .min = 1,
      .max = 1048576 },
    { .engines = FOR_S3,
      .name = "ParquetTimestampInMillisecond",
      .kind = FLAG,
      .otherwise = "false",
      .applicability = "parquet" },
    { .engines = FOR_S3,
      .name = "ParquetVersion",
      .kind = CHOICE,
      .otherwise = "parquet-1-0",
      .applicability = "parquet",
      .choices = { "parquet-1-0", "parquet-2-0" } },
    { .engines = FOR_S3, .name = "PreserveTransactions", .kind = FLAG, .otherwise = "false" },
    { .engines = FOR_S3,
      .name = "Rfc4180",
      .kind = FLAG,
      .otherwise = "true",
      .applicability = "csv" },
    { .engines = FOR_S3,
      .name = "RowGroupLength",
      .kind = NUMBER,
      .otherwise = "10000",
      .units = "rows",
      .applicability = "parquet",
      .min = 1,
      .max = INT32 },
    { .engines = FOR_S3, .name = "ServiceAccessRoleArn", .kind = TEXT },
    { .engines = FOR_S3, .name = "TimestampColumnName", .kind = TEXT },
    { .engines = FOR_S3,
      .name = "UseCsvNoSupValue",
      .kind = FLAG,
      .otherwise = "false",
      .applicability = "csv" },
    { .engines = FOR_S3,
      .name = "UseTaskStartTimeForFullLoadTimestamp",
      .kind = FLAG,
      .otherwise = "false" },
    { .engines = FOR_MYSQL, .name = "AfterConnectScript", .kind = TEXT },
    { .engines = FOR_MYSQL,
      .name = "AuthenticationMethod",
      .kind = CHOICE,
      .otherwise = "password",
      .choices = { "password" } },
    { .engines = FOR_MYSQL, .name = "CharsetMapping", .kind = TEXT },
    { .engines = FOR_MYSQL,
      .name = "CleanSourceMetadataOnMismatch",
      .kind = FLAG,
      .otherwise = "false" },
    { .engines = FOR_MYSQL,
      .name = "EventsPollInterval",
      .kind = NUMBER,
      .otherwise = "5",
      .units = "seconds",
      .min = 1,
      .max = INT32 },
    { .engines = FOR_MYSQL,
      .name = "ExecuteTimeout",
      .kind = NUMBER,
      .otherwise = "120",
      .units = "seconds",
      .min = 1,
      .max = 86399 },
    { .engines = FOR_MYSQL, .name = "ServerTimezone", .kind = TEXT, .otherwise = "UTC" },
    { .engines = FOR_MYSQL,
      .name = "skipTableSuspensionForPartitionDdl",
      .kind = FLAG,
      .otherwise = "false" },
};

static struct dms_endpoint_setting show(struct arena *a, const struct setting *s)
{
    static const char *const kinds[] = {
        [TEXT] = "string", [FLAG] = "boolean", [NUMBER] = "integer", [CHOICE] = "enum"
    };
    struct dms_endpoint_setting out = {
        .Name = str_z(s->name),
        .Type = str_z(kinds[s->kind]),
        .Sensitive = OPT_BOOL(false),
        .Units = str_z(s->units),
        .Applicability = str_z(s->applicability),
        .DefaultValue = str_z(s->otherwise),
    };
    if (s->kind == NUMBER) {
        out.IntValueMin = (struct opt_i64){ .set = true, .v = s->min };
        out.IntValueMax = (struct opt_i64){ .set = true, .v = s->max };
    }
    if (s->kind == CHOICE) {
        out.EnumValues.v = ARENA_ARRAY(a, struct str, CHOICES_MAX);
        while (out.EnumValues.n < CHOICES_MAX && s->choices[out.EnumValues.n]) {
            out.EnumValues.v[out.EnumValues.n] = str_z(s->choices[out.EnumValues.n]);
            out.EnumValues.n++;
        }
    }
    return out;
}

enum status dms_describe_endpoint_settings(struct call *c,
                                           const struct dms_describe_endpoint_settings_request *in,
                                           struct dms_describe_endpoint_settings_response *ret_out)
{
    bool mysql = str_eqz(in->EngineName, "mysql") || str_eqz(in->EngineName, "mariadb") ||
                 str_eqz(in->EngineName, "aurora");
    if (!mysql && !str_eqz(in->EngineName, "s3")) {
        return call_fail(c, &dms_InvalidParameterValueException,
                         "The engine '%.*s' is not implemented here; engines are mysql, mariadb, "
                         "aurora and s3.",
                         STR_ARG(in->EngineName));
    }
    struct dms_endpoint_setting *items =
        ARENA_ARRAY(c->arena, struct dms_endpoint_setting, ARRAY_LEN(settings));
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        if (settings[i].engines == (mysql ? FOR_MYSQL : FOR_S3)) {
            items[n++] = show(c->arena, &settings[i]);
        }
    }
    ret_out->EndpointSettings.v = items;
    ret_out->EndpointSettings.n = n;
    return dms_cut(c, DMS_ASK_ALL(in), DMS_PAGE_MAX, &ret_out->EndpointSettings, &ret_out->Marker);
}
