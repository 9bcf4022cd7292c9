/* Which operation a request means. S3 tells them apart by sub-resource keys in the query and by one
 * header, so the order of the rows counts: the first that fits wins. */
#include "emulators/s3/s3_model.h"
#include "emulators/s3/s3_service.h"
#include "server/base/mem.h"
#include "server/wire/codec.h"

enum level { ON_SERVICE, ON_BUCKET, ON_OBJECT };

struct row {
    enum level level;
    const char *method;
    const char *key;  /* query key that must be there, NULL: none needed */
    const char *more; /* another one, NULL: none needed */
    const char *op;
};

static const struct row rows[] = {
    { ON_SERVICE, "GET", NULL, NULL, "ListBuckets" },

    { ON_BUCKET, "GET", "accelerate", NULL, "GetBucketAccelerateConfiguration" },
    { ON_BUCKET, "GET", "acl", NULL, "GetBucketAcl" },
    { ON_BUCKET, "GET", "abac", NULL, "GetBucketAbac" },
    { ON_BUCKET, "GET", "analytics", "id", "GetBucketAnalyticsConfiguration" },
    { ON_BUCKET, "GET", "analytics", NULL, "ListBucketAnalyticsConfigurations" },
    { ON_BUCKET, "GET", "cors", NULL, "GetBucketCors" },
    { ON_BUCKET, "GET", "encryption", NULL, "GetBucketEncryption" },
    { ON_BUCKET, "GET", "intelligent-tiering", "id", "GetBucketIntelligentTieringConfiguration" },
    { ON_BUCKET, "GET", "intelligent-tiering", NULL, "ListBucketIntelligentTieringConfigurations" },
    { ON_BUCKET, "GET", "inventory", "id", "GetBucketInventoryConfiguration" },
    { ON_BUCKET, "GET", "inventory", NULL, "ListBucketInventoryConfigurations" },
    { ON_BUCKET, "GET", "lifecycle", NULL, "GetBucketLifecycleConfiguration" },
    { ON_BUCKET, "GET", "location", NULL, "GetBucketLocation" },
    { ON_BUCKET, "GET", "logging", NULL, "GetBucketLogging" },
    { ON_BUCKET, "GET", "metadataConfiguration", NULL, "GetBucketMetadataConfiguration" },
    { ON_BUCKET, "GET", "metadataTable", NULL, "GetBucketMetadataTableConfiguration" },
    { ON_BUCKET, "GET", "metrics", "id", "GetBucketMetricsConfiguration" },
    { ON_BUCKET, "GET", "metrics", NULL, "ListBucketMetricsConfigurations" },
    { ON_BUCKET, "GET", "notification", NULL, "GetBucketNotificationConfiguration" },
    { ON_BUCKET, "GET", "object-lock", NULL, "GetObjectLockConfiguration" },
    { ON_BUCKET, "GET", "ownershipControls", NULL, "GetBucketOwnershipControls" },
    { ON_BUCKET, "GET", "policyStatus", NULL, "GetBucketPolicyStatus" },
    { ON_BUCKET, "GET", "policy", NULL, "GetBucketPolicy" },
    { ON_BUCKET, "GET", "publicAccessBlock", NULL, "GetPublicAccessBlock" },
    { ON_BUCKET, "GET", "replication", NULL, "GetBucketReplication" },
    { ON_BUCKET, "GET", "requestPayment", NULL, "GetBucketRequestPayment" },
    { ON_BUCKET, "GET", "session", NULL, "CreateSession" },
    { ON_BUCKET, "GET", "tagging", NULL, "GetBucketTagging" },
    { ON_BUCKET, "GET", "uploads", NULL, "ListMultipartUploads" },
    { ON_BUCKET, "GET", "versioning", NULL, "GetBucketVersioning" },
    { ON_BUCKET, "GET", "versions", NULL, "ListObjectVersions" },
    { ON_BUCKET, "GET", "website", NULL, "GetBucketWebsite" },
    { ON_BUCKET, "GET", "list-type", NULL, "ListObjectsV2" },
    { ON_BUCKET, "GET", NULL, NULL, "ListObjects" },
    { ON_BUCKET, "HEAD", NULL, NULL, "HeadBucket" },
    { ON_BUCKET, "PUT", "accelerate", NULL, "PutBucketAccelerateConfiguration" },
    { ON_BUCKET, "PUT", "acl", NULL, "PutBucketAcl" },
    { ON_BUCKET, "PUT", "abac", NULL, "PutBucketAbac" },
    { ON_BUCKET, "PUT", "analytics", NULL, "PutBucketAnalyticsConfiguration" },
    { ON_BUCKET, "PUT", "cors", NULL, "PutBucketCors" },
    { ON_BUCKET, "PUT", "encryption", NULL, "PutBucketEncryption" },
    { ON_BUCKET, "PUT", "intelligent-tiering", NULL, "PutBucketIntelligentTieringConfiguration" },
    { ON_BUCKET, "PUT", "inventory", NULL, "PutBucketInventoryConfiguration" },
    { ON_BUCKET, "PUT", "lifecycle", NULL, "PutBucketLifecycleConfiguration" },
    { ON_BUCKET, "PUT", "logging", NULL, "PutBucketLogging" },
    { ON_BUCKET, "PUT", "metadataInventoryTable", NULL,
      "UpdateBucketMetadataInventoryTableConfiguration" },
    { ON_BUCKET, "PUT", "metadataJournalTable", NULL,
      "UpdateBucketMetadataJournalTableConfiguration" },
    { ON_BUCKET, "PUT", "metrics", NULL, "PutBucketMetricsConfiguration" },
    { ON_BUCKET, "PUT", "notification", NULL, "PutBucketNotificationConfiguration" },
    { ON_BUCKET, "PUT", "object-lock", NULL, "PutObjectLockConfiguration" },
    { ON_BUCKET, "PUT", "ownershipControls", NULL, "PutBucketOwnershipControls" },
    { ON_BUCKET, "PUT", "policy", NULL, "PutBucketPolicy" },
    { ON_BUCKET, "PUT", "publicAccessBlock", NULL, "PutPublicAccessBlock" },
    { ON_BUCKET, "PUT", "replication", NULL, "PutBucketReplication" },
    { ON_BUCKET, "PUT", "requestPayment", NULL, "PutBucketRequestPayment" },
    { ON_BUCKET, "PUT", "tagging", NULL, "PutBucketTagging" },
    { ON_BUCKET, "PUT", "versioning", NULL, "PutBucketVersioning" },
    { ON_BUCKET, "PUT", "website", NULL, "PutBucketWebsite" },
    { ON_BUCKET, "PUT", NULL, NULL, "CreateBucket" },
    { ON_BUCKET, "POST", "delete", NULL, "DeleteObjects" },
    { ON_BUCKET, "POST", "metadataConfiguration", NULL, "CreateBucketMetadataConfiguration" },
    { ON_BUCKET, "POST", "metadataTable", NULL, "CreateBucketMetadataTableConfiguration" },
    { ON_BUCKET, "POST", NULL, NULL, "PostObject" },
    { ON_BUCKET, "DELETE", "analytics", NULL, "DeleteBucketAnalyticsConfiguration" },
    { ON_BUCKET, "DELETE", "cors", NULL, "DeleteBucketCors" },
    { ON_BUCKET, "DELETE", "encryption", NULL, "DeleteBucketEncryption" },
    { ON_BUCKET, "DELETE", "intelligent-tiering", NULL,
      "DeleteBucketIntelligentTieringConfiguration" },
    { ON_BUCKET, "DELETE", "inventory", NULL, "DeleteBucketInventoryConfiguration" },
    { ON_BUCKET, "DELETE", "lifecycle", NULL, "DeleteBucketLifecycle" },
    { ON_BUCKET, "DELETE", "metadataConfiguration", NULL, "DeleteBucketMetadataConfiguration" },
    { ON_BUCKET, "DELETE", "metadataTable", NULL, "DeleteBucketMetadataTableConfiguration" },
    { ON_BUCKET, "DELETE", "metrics", NULL, "DeleteBucketMetricsConfiguration" },
    { ON_BUCKET, "DELETE", "ownershipControls", NULL, "DeleteBucketOwnershipControls" },
    { ON_BUCKET, "DELETE", "policy", NULL, "DeleteBucketPolicy" },
    { ON_BUCKET, "DELETE", "publicAccessBlock", NULL, "DeletePublicAccessBlock" },
    { ON_BUCKET, "DELETE", "replication", NULL, "DeleteBucketReplication" },
    { ON_BUCKET, "DELETE", "tagging", NULL, "DeleteBucketTagging" },
    { ON_BUCKET, "DELETE", "website", NULL, "DeleteBucketWebsite" },
    { ON_BUCKET, "DELETE", NULL, NULL, "DeleteBucket" },

    { ON_OBJECT, "GET", "acl", NULL, "GetObjectAcl" },
    { ON_OBJECT, "GET", "attributes", NULL, "GetObjectAttributes" },
    { ON_OBJECT, "GET", "legal-hold", NULL, "GetObjectLegalHold" },
    { ON_OBJECT, "GET", "retention", NULL, "GetObjectRetention" },
    { ON_OBJECT, "GET", "tagging", NULL, "GetObjectTagging" },
    { ON_OBJECT, "GET", "torrent", NULL, "GetObjectTorrent" },
    { ON_OBJECT, "GET", "uploadId", NULL, "ListParts" },
    { ON_OBJECT, "GET", NULL, NULL, "GetObject" },
    { ON_OBJECT, "HEAD", NULL, NULL, "HeadObject" },
    { ON_OBJECT, "PUT", "acl", NULL, "PutObjectAcl" },
    { ON_OBJECT, "PUT", "encryption", NULL, "UpdateObjectEncryption" },
    { ON_OBJECT, "PUT", "legal-hold", NULL, "PutObjectLegalHold" },
    { ON_OBJECT, "PUT", "renameObject", NULL, "RenameObject" },
    { ON_OBJECT, "PUT", "retention", NULL, "PutObjectRetention" },
    { ON_OBJECT, "PUT", "tagging", NULL, "PutObjectTagging" },
    { ON_OBJECT, "PUT", "partNumber", "uploadId", "UploadPart" },
    { ON_OBJECT, "PUT", NULL, NULL, "PutObject" },
    { ON_OBJECT, "POST", "uploads", NULL, "CreateMultipartUpload" },
    { ON_OBJECT, "POST", "uploadId", NULL, "CompleteMultipartUpload" },
    { ON_OBJECT, "POST", "restore", NULL, "RestoreObject" },
    { ON_OBJECT, "POST", "select", NULL, "SelectObjectContent" },
    { ON_OBJECT, "DELETE", "tagging", NULL, "DeleteObjectTagging" },
    { ON_OBJECT, "DELETE", "uploadId", NULL, "AbortMultipartUpload" },
    { ON_OBJECT, "DELETE", NULL, NULL, "DeleteObject" },
};

static bool has_key(const struct call *c, const char *key)
{
    struct str value = STR_NONE;
    return !key || call_query(c, key, &value);
}

static const char *find_name(const struct call *c)
{
    enum level level = str_empty(c->bucket) ? ON_SERVICE
                       : str_empty(c->key)  ? ON_BUCKET
                                            : ON_OBJECT;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        if (r->level == level && str_eqz(c->method, r->method) && has_key(c, r->key) &&
            has_key(c, r->more)) {
            return r->op;
        }
    }
    return NULL;
}

const struct op *s3_route(const struct call *c)
{
    const char *name = find_name(c);
    if (!name) {
        return NULL;
    }
    if (strcmp(name, "PostObject") == 0) {
        return &s3_post_object_op; /* the one that no SDK and so no model knows */
    }
    if (str_set(call_header(c, "x-amz-copy-source"))) {
        if (strcmp(name, "PutObject") == 0) {
            name = "CopyObject";
        } else if (strcmp(name, "UploadPart") == 0) {
            name = "UploadPartCopy";
        }
    }
    return op_find(s3_ops, S3_N_OPS, str_z(name));
}
