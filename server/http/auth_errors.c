/* The same refusal has another name in each family of protocols. */
#include "server/base/mem.h"
#include "server/http/authenticate.h"
#include "server/service.h"

enum family { S3, REST_JSON, JSON, QUERY, EC2, FAMILIES };

static const struct aws_error errors[AUTH_FAULTS][FAMILIES] = {
    [FAULT_MISSING] = {
        [S3] = { "AccessDenied", NULL, 403, "Access Denied" },
        [REST_JSON] = { "MissingAuthenticationTokenException", NULL, 403, "Missing Authentication Token" },
        [JSON] = { "MissingAuthenticationTokenException", NULL, 400, "Missing Authentication Token" },
        [QUERY] = { "MissingAuthenticationToken", NULL, 403, "Request is missing Authentication Token" },
        [EC2] = { "MissingAuthenticationToken", NULL, 401, "Request is missing Authentication Token" },
    },
    [FAULT_HEADER] = {
        [S3] = { "AuthorizationHeaderMalformed", NULL, 400, NULL },
        [REST_JSON] = { "IncompleteSignatureException", NULL, 403, NULL },
        [JSON] = { "IncompleteSignatureException", NULL, 400, NULL },
        [QUERY] = { "IncompleteSignature", NULL, 400, NULL },
        [EC2] = { "AuthFailure", NULL, 401, NULL },
    },
    [FAULT_QUERY] = {
        [S3] = { "AuthorizationQueryParametersError", NULL, 400, NULL },
        [REST_JSON] = { "IncompleteSignatureException", NULL, 403, NULL },
        [JSON] = { "IncompleteSignatureException", NULL, 400, NULL },
        [QUERY] = { "IncompleteSignature", NULL, 400, NULL },
        [EC2] = { "AuthFailure", NULL, 401, NULL },
    },
    [FAULT_KEY] = {
        [S3] = { "InvalidAccessKeyId", NULL, 403,
                 "The AWS Access Key Id you provided does not exist in our records." },
        [REST_JSON] = { "UnrecognizedClientException", NULL, 403,
                        "The security token included in the request is invalid." },
        [JSON] = { "UnrecognizedClientException", NULL, 400,
                   "The security token included in the request is invalid." },
        [QUERY] = { "InvalidClientTokenId", NULL, 403,
                    "The security token included in the request is invalid." },
        [EC2] = { "AuthFailure", NULL, 401,
                  "AWS was not able to validate the provided access credentials" },
    },
    [FAULT_TOKEN] = {
        [S3] = { "InvalidToken", NULL, 400, "The provided token is malformed or otherwise invalid." },
        [REST_JSON] = { "UnrecognizedClientException", NULL, 403,
                        "The security token included in the request is invalid." },
        [JSON] = { "UnrecognizedClientException", NULL, 400,
                   "The security token included in the request is invalid." },
        [QUERY] = { "InvalidClientTokenId", NULL, 403,
                    "The security token included in the request is invalid." },
        [EC2] = { "AuthFailure", NULL, 401,
                  "AWS was not able to validate the provided access credentials" },
    },
    [FAULT_EXPIRED] = {
        [S3] = { "ExpiredToken", NULL, 400, "The provided token has expired." },
        [REST_JSON] = { "ExpiredTokenException", NULL, 403,
                        "The security token included in the request is expired" },
        [JSON] = { "ExpiredTokenException", NULL, 400,
                   "The security token included in the request is expired" },
        [QUERY] = { "ExpiredToken", NULL, 403,
                    "The security token included in the request is expired" },
        [EC2] = { "RequestExpired", NULL, 400, "Request has expired." },
    },
    [FAULT_SIGNATURE] = {
        [S3] = { "SignatureDoesNotMatch", NULL, 403,
                 "The request signature we calculated does not match the signature you provided. "
                 "Check your key and signing method." },
        [REST_JSON] = { "InvalidSignatureException", NULL, 403,
                        "The request signature we calculated does not match the signature you "
                        "provided. Check your AWS Secret Access Key and signing method." },
        [JSON] = { "InvalidSignatureException", NULL, 400,
                   "The request signature we calculated does not match the signature you "
                   "provided. Check your AWS Secret Access Key and signing method." },
        [QUERY] = { "SignatureDoesNotMatch", NULL, 403,
                    "The request signature we calculated does not match the signature you "
                    "provided. Check your AWS Secret Access Key and signing method." },
        [EC2] = { "AuthFailure", NULL, 401,
                  "AWS was not able to validate the provided access credentials" },
    },
    [FAULT_SKEW] = {
        [S3] = { "RequestTimeTooSkewed", NULL, 403,
                 "The difference between the request time and the current time is too large." },
        [REST_JSON] = { "InvalidSignatureException", NULL, 403, NULL },
        [JSON] = { "InvalidSignatureException", NULL, 400, NULL },
        [QUERY] = { "SignatureDoesNotMatch", NULL, 403, NULL },
        [EC2] = { "RequestExpired", NULL, 400, "Request has expired." },
    },
    [FAULT_URL_EXPIRED] = {
        [S3] = { "AccessDenied", NULL, 403, "Request has expired" },
        [REST_JSON] = { "InvalidSignatureException", NULL, 403, "Signature expired" },
        [JSON] = { "InvalidSignatureException", NULL, 400, "Signature expired" },
        [QUERY] = { "SignatureDoesNotMatch", NULL, 403, "Signature expired" },
        [EC2] = { "RequestExpired", NULL, 400, "Request has expired." },
    },
    [FAULT_UNSIGNED] = {
        [S3] = { "AccessDenied", NULL, 403,
                 "There were headers present in the request which were not signed" },
        [REST_JSON] = { "InvalidSignatureException", NULL, 403, NULL },
        [JSON] = { "InvalidSignatureException", NULL, 400, NULL },
        [QUERY] = { "SignatureDoesNotMatch", NULL, 403, NULL },
        [EC2] = { "AuthFailure", NULL, 401, NULL },
    },
    [FAULT_PAYLOAD] = {
        [S3] = { "XAmzContentSHA256Mismatch", NULL, 400,
                 "The provided 'x-amz-content-sha256' header does not match what was computed." },
        [REST_JSON] = { "InvalidSignatureException", NULL, 403, NULL },
        [JSON] = { "InvalidSignatureException", NULL, 400, NULL },
        [QUERY] = { "SignatureDoesNotMatch", NULL, 403, NULL },
        [EC2] = { "AuthFailure", NULL, 401, NULL },
    },
    [FAULT_UNSUPPORTED] = {
        [S3] = { "NotImplemented", NULL, 501, NULL },
        [REST_JSON] = { "NotImplemented", NULL, 501, NULL },
        [JSON] = { "NotImplemented", NULL, 501, NULL },
        [QUERY] = { "NotImplemented", NULL, 501, NULL },
        [EC2] = { "NotImplemented", NULL, 501, NULL },
    },
};

const struct aws_error *auth_error(enum auth_fault fault, enum protocol protocol)
{
    enum family family = JSON;
    if (protocol == PROTO_REST_XML) {
        family = S3;
    } else if (protocol == PROTO_REST_JSON) {
        family = REST_JSON;
    } else if (protocol == PROTO_QUERY) {
        family = QUERY;
    } else if (protocol == PROTO_EC2) {
        family = EC2;
    }
    return &errors[fault][family];
}
