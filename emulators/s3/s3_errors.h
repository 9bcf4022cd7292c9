/* The errors S3 answers with; hand-written, because S3's model names only a handful of them. Codes
 * and statuses: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * Those about signatures and framing belong to the HTTP layer. */
#ifndef CISTERN_S3_ERRORS_H
#define CISTERN_S3_ERRORS_H

#include "server/wire/shape.h"

extern const struct aws_error s3_AccessControlListNotSupported;
extern const struct aws_error s3_AccessDenied;
extern const struct aws_error s3_BadDigest;
extern const struct aws_error s3_BucketAlreadyExists;
extern const struct aws_error s3_BucketAlreadyOwnedByYou;
extern const struct aws_error s3_BucketNotEmpty;
extern const struct aws_error s3_ConditionalRequestConflict;
extern const struct aws_error s3_EntityTooLarge;
extern const struct aws_error s3_EntityTooSmall;
extern const struct aws_error s3_IllegalLocationConstraintException;
extern const struct aws_error s3_IncorrectNumberOfFilesInPostRequest;
extern const struct aws_error s3_InternalError;
extern const struct aws_error s3_InvalidArgument;
extern const struct aws_error s3_InvalidBucketName;
extern const struct aws_error s3_InvalidBucketOwnerAWSAccountID;
extern const struct aws_error s3_InvalidDigest;
extern const struct aws_error s3_InvalidLocationConstraint;
extern const struct aws_error s3_InvalidPart;
extern const struct aws_error s3_InvalidPartNumber;
extern const struct aws_error s3_InvalidPartOrder;
extern const struct aws_error s3_InvalidPolicyDocument;
extern const struct aws_error s3_InvalidRange;
extern const struct aws_error s3_InvalidRequest;
extern const struct aws_error s3_InvalidStorageClass;
extern const struct aws_error s3_InvalidTag;
extern const struct aws_error s3_InvalidURI;
extern const struct aws_error s3_KeyTooLongError;
extern const struct aws_error s3_MalformedPolicy;
extern const struct aws_error s3_MalformedPOSTRequest;
extern const struct aws_error s3_MalformedXML;
extern const struct aws_error s3_MaxPostPreDataLengthExceeded;
extern const struct aws_error s3_MetadataTooLarge;
extern const struct aws_error s3_MissingRequestBodyError;
extern const struct aws_error s3_NoSuchBucket;
extern const struct aws_error s3_NoSuchBucketPolicy;
extern const struct aws_error s3_NoSuchConfiguration;
extern const struct aws_error s3_NoSuchCORSConfiguration;
extern const struct aws_error s3_NoSuchKey;
extern const struct aws_error s3_NoSuchLifecycleConfiguration;
extern const struct aws_error s3_NoSuchPublicAccessBlockConfiguration;
extern const struct aws_error s3_NoSuchTagSet;
extern const struct aws_error s3_NoSuchUpload;
extern const struct aws_error s3_NoSuchVersion;
extern const struct aws_error s3_NoSuchWebsiteConfiguration;
extern const struct aws_error s3_NotImplemented;
extern const struct aws_error s3_ObjectLockConfigurationNotFoundError;
extern const struct aws_error s3_OwnershipControlsNotFoundError;
extern const struct aws_error s3_PreconditionFailed;
extern const struct aws_error s3_ReplicationConfigurationNotFoundError;
extern const struct aws_error s3_ServerSideEncryptionConfigurationNotFoundError;
extern const struct aws_error s3_TooManyBuckets;

/* All of them, NULL at the end. */
extern const struct aws_error *const s3_errors[];

#endif
