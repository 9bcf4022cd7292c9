#include "emulators/s3/s3_errors.h"

#include <stddef.h>

const struct aws_error s3_AccessControlListNotSupported = {
    .code = "AccessControlListNotSupported",
    .http_status = 400,
    .text = "The bucket does not allow ACLs",
};
const struct aws_error s3_AccessDenied = {
    .code = "AccessDenied",
    .http_status = 403,
    .text = "Access Denied",
};
const struct aws_error s3_BadDigest = {
    .code = "BadDigest",
    .http_status = 400,
    .text = "The Content-MD5 you specified did not match what we received.",
};
const struct aws_error s3_BucketAlreadyExists = {
    .code = "BucketAlreadyExists",
    .http_status = 409,
    .text = "The requested bucket name is not available. The bucket namespace is shared by all "
            "users of the system. Please select a different name and try again.",
};
const struct aws_error s3_BucketAlreadyOwnedByYou = {
    .code = "BucketAlreadyOwnedByYou",
    .http_status = 409,
    .text = "Your previous request to create the named bucket succeeded and you already own it.",
};
const struct aws_error s3_BucketNotEmpty = {
    .code = "BucketNotEmpty",
    .http_status = 409,
    .text = "The bucket you tried to delete is not empty",
};
const struct aws_error s3_ConditionalRequestConflict = {
    .code = "ConditionalRequestConflict",
    .http_status = 409,
    .text = "The conditional request cannot succeed due to a conflicting operation against this "
            "resource.",
};
const struct aws_error s3_EntityTooLarge = {
    .code = "EntityTooLarge",
    .http_status = 400,
    .text = "Your proposed upload exceeds the maximum allowed size",
};
const struct aws_error s3_EntityTooSmall = {
    .code = "EntityTooSmall",
    .http_status = 400,
    .text = "Your proposed upload is smaller than the minimum allowed size",
};
const struct aws_error s3_IllegalLocationConstraintException = {
    .code = "IllegalLocationConstraintException",
    .http_status = 400,
    .text = "The unspecified location constraint is incompatible for the region specific endpoint "
            "this request was sent to.",
};
const struct aws_error s3_IncorrectNumberOfFilesInPostRequest = {
    .code = "IncorrectNumberOfFilesInPostRequest",
    .http_status = 400,
    .text = "POST requires exactly one file upload per request.",
};
const struct aws_error s3_InternalError = {
    .code = "InternalError",
    .http_status = 500,
    .text = "We encountered an internal error. Please try again.",
};
const struct aws_error s3_InvalidArgument = {
    .code = "InvalidArgument",
    .http_status = 400,
    .text = "Invalid Argument",
};
const struct aws_error s3_InvalidBucketName = {
    .code = "InvalidBucketName",
    .http_status = 400,
    .text = "The specified bucket is not valid.",
};
const struct aws_error s3_InvalidBucketOwnerAWSAccountID = {
    .code = "InvalidBucketOwnerAWSAccountID",
    .http_status = 400,
    .text = "The value of the expected bucket owner parameter must be an AWS account ID",
};
const struct aws_error s3_InvalidDigest = {
    .code = "InvalidDigest",
    .http_status = 400,
    .text = "The Content-MD5 you specified was invalid.",
};
const struct aws_error s3_InvalidLocationConstraint = {
    .code = "InvalidLocationConstraint",
    .http_status = 400,
    .text = "The specified location-constraint is not valid",
};
const struct aws_error s3_InvalidPart = {
    .code = "InvalidPart",
    .http_status = 400,
    .text = "One or more of the specified parts could not be found.  The part may not have been "
            "uploaded, or the specified entity tag may not match the part's entity tag.",
};
const struct aws_error s3_InvalidPartNumber = {
    .code = "InvalidPartNumber",
    .http_status = 416,
    .text = "The requested partnumber is not satisfiable",
};
const struct aws_error s3_InvalidPartOrder = {
    .code = "InvalidPartOrder",
    .http_status = 400,
    .text = "The list of parts was not in ascending order. Parts must be ordered by part number.",
};
const struct aws_error s3_InvalidPolicyDocument = {
    .code = "InvalidPolicyDocument",
    .http_status = 400,
    .text =
        "The content of the form does not meet the conditions specified in the policy document.",
};
const struct aws_error s3_InvalidRange = {
    .code = "InvalidRange",
    .http_status = 416,
    .text = "The requested range is not satisfiable",
};
const struct aws_error s3_InvalidRequest = {
    .code = "InvalidRequest",
    .http_status = 400,
    .text = "Invalid Request",
};
const struct aws_error s3_InvalidStorageClass = {
    .code = "InvalidStorageClass",
    .http_status = 400,
    .text = "The storage class you specified is not valid",
};
const struct aws_error s3_InvalidTag = {
    .code = "InvalidTag",
    .http_status = 400,
    .text = "The tag provided was not a valid tag.",
};
const struct aws_error s3_InvalidURI = {
    .code = "InvalidURI",
    .http_status = 400,
    .text = "Couldn't parse the specified URI.",
};
const struct aws_error s3_KeyTooLongError = {
    .code = "KeyTooLongError",
    .http_status = 400,
    .text = "Your key is too long",
};
const struct aws_error s3_MalformedPolicy = {
    .code = "MalformedPolicy",
    .http_status = 400,
    .text = "Policies must be valid JSON and the first byte must be '{'",
};
const struct aws_error s3_MalformedPOSTRequest = {
    .code = "MalformedPOSTRequest",
    .http_status = 400,
    .text = "The body of your POST request is not well-formed multipart/form-data.",
};
const struct aws_error s3_MalformedXML = {
    .code = "MalformedXML",
    .http_status = 400,
    .text =
        "The XML you provided was not well-formed or did not validate against our published schema",
};
const struct aws_error s3_MaxPostPreDataLengthExceeded = {
    .code = "MaxPostPreDataLengthExceeded",
    .http_status = 400,
    .text = "Your POST request fields preceding the upload file were too large.",
};
const struct aws_error s3_MetadataTooLarge = {
    .code = "MetadataTooLarge",
    .http_status = 400,
    .text = "Your metadata headers exceed the maximum allowed metadata size",
};
const struct aws_error s3_MissingRequestBodyError = {
    .code = "MissingRequestBodyError",
    .http_status = 400,
    .text = "Request body is empty.",
};
const struct aws_error s3_NoSuchBucket = {
    .code = "NoSuchBucket",
    .http_status = 404,
    .text = "The specified bucket does not exist",
};
const struct aws_error s3_NoSuchBucketPolicy = {
    .code = "NoSuchBucketPolicy",
    .http_status = 404,
    .text = "The bucket policy does not exist",
};
const struct aws_error s3_NoSuchConfiguration = {
    .code = "NoSuchConfiguration",
    .http_status = 404,
    .text = "The specified configuration does not exist.",
};
const struct aws_error s3_NoSuchCORSConfiguration = {
    .code = "NoSuchCORSConfiguration",
    .http_status = 404,
    .text = "The CORS configuration does not exist",
};
const struct aws_error s3_NoSuchKey = {
    .code = "NoSuchKey",
    .http_status = 404,
    .text = "The specified key does not exist.",
};
const struct aws_error s3_NoSuchLifecycleConfiguration = {
    .code = "NoSuchLifecycleConfiguration",
    .http_status = 404,
    .text = "The lifecycle configuration does not exist",
};
const struct aws_error s3_NoSuchPublicAccessBlockConfiguration = {
    .code = "NoSuchPublicAccessBlockConfiguration",
    .http_status = 404,
    .text = "The public access block configuration was not found",
};
const struct aws_error s3_NoSuchTagSet = {
    .code = "NoSuchTagSet",
    .http_status = 404,
    .text = "The TagSet does not exist",
};
const struct aws_error s3_NoSuchUpload = {
    .code = "NoSuchUpload",
    .http_status = 404,
    .text = "The specified upload does not exist. The upload ID may be invalid, or the upload may "
            "have been aborted or completed.",
};
const struct aws_error s3_NoSuchVersion = {
    .code = "NoSuchVersion",
    .http_status = 404,
    .text = "The specified version does not exist.",
};
const struct aws_error s3_NoSuchWebsiteConfiguration = {
    .code = "NoSuchWebsiteConfiguration",
    .http_status = 404,
    .text = "The specified bucket does not have a website configuration",
};
const struct aws_error s3_NotImplemented = {
    .code = "NotImplemented",
    .http_status = 501,
    .text = "A header you provided implies functionality that is not implemented",
};
const struct aws_error s3_ObjectLockConfigurationNotFoundError = {
    .code = "ObjectLockConfigurationNotFoundError",
    .http_status = 404,
    .text = "Object Lock configuration does not exist for this bucket",
};
const struct aws_error s3_OwnershipControlsNotFoundError = {
    .code = "OwnershipControlsNotFoundError",
    .http_status = 404,
    .text = "The bucket ownership controls were not found",
};
const struct aws_error s3_PreconditionFailed = {
    .code = "PreconditionFailed",
    .http_status = 412,
    .text = "At least one of the pre-conditions you specified did not hold",
};
const struct aws_error s3_ReplicationConfigurationNotFoundError = {
    .code = "ReplicationConfigurationNotFoundError",
    .http_status = 404,
    .text = "The replication configuration was not found",
};
const struct aws_error s3_ServerSideEncryptionConfigurationNotFoundError = {
    .code = "ServerSideEncryptionConfigurationNotFoundError",
    .http_status = 404,
    .text = "The server side encryption configuration was not found",
};
const struct aws_error s3_TooManyBuckets = {
    .code = "TooManyBuckets",
    .http_status = 400,
    .text = "You have attempted to create more buckets than allowed",
};

const struct aws_error *const s3_errors[] = {
    &s3_AccessControlListNotSupported,
    &s3_AccessDenied,
    &s3_BadDigest,
    &s3_BucketAlreadyExists,
    &s3_BucketAlreadyOwnedByYou,
    &s3_BucketNotEmpty,
    &s3_ConditionalRequestConflict,
    &s3_EntityTooLarge,
    &s3_EntityTooSmall,
    &s3_IllegalLocationConstraintException,
    &s3_IncorrectNumberOfFilesInPostRequest,
    &s3_InternalError,
    &s3_InvalidArgument,
    &s3_InvalidBucketName,
    &s3_InvalidBucketOwnerAWSAccountID,
    &s3_InvalidDigest,
    &s3_InvalidLocationConstraint,
    &s3_InvalidPart,
    &s3_InvalidPartNumber,
    &s3_InvalidPartOrder,
    &s3_InvalidPolicyDocument,
    &s3_InvalidRange,
    &s3_InvalidRequest,
    &s3_InvalidStorageClass,
    &s3_InvalidTag,
    &s3_InvalidURI,
    &s3_KeyTooLongError,
    &s3_MalformedPolicy,
    &s3_MalformedPOSTRequest,
    &s3_MalformedXML,
    &s3_MaxPostPreDataLengthExceeded,
    &s3_MetadataTooLarge,
    &s3_MissingRequestBodyError,
    &s3_NoSuchBucket,
    &s3_NoSuchBucketPolicy,
    &s3_NoSuchConfiguration,
    &s3_NoSuchCORSConfiguration,
    &s3_NoSuchKey,
    &s3_NoSuchLifecycleConfiguration,
    &s3_NoSuchPublicAccessBlockConfiguration,
    &s3_NoSuchTagSet,
    &s3_NoSuchUpload,
    &s3_NoSuchVersion,
    &s3_NoSuchWebsiteConfiguration,
    &s3_NotImplemented,
    &s3_ObjectLockConfigurationNotFoundError,
    &s3_OwnershipControlsNotFoundError,
    &s3_PreconditionFailed,
    &s3_ReplicationConfigurationNotFoundError,
    &s3_ServerSideEncryptionConfigurationNotFoundError,
    &s3_TooManyBuckets,
    NULL,
};
