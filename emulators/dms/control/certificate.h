/* Certificates that endpoints verify their servers with. Core thread. */
#ifndef CISTERN_DMS_CERTIFICATE_H
#define CISTERN_DMS_CERTIFICATE_H

#include "emulators/dms/dms_internal.h"

struct mysql_conn_options;

/* Is there a certificate with this ARN? Else the call fails. */
enum status dms_certificate_check(struct call *c, struct str arn) MUST_CHECK;
/* The file that has the certificate's PEM text, made anew when missing. The path lives in the
 * arena. ST_INVALID: *ret_error. */
enum status dms_certificate_file(struct core *core, struct arena *a, struct str arn,
                                 const char **ret_path, struct str *ret_error) MUST_CHECK;
/* Sets what the endpoint's CertificateArn asks for, if it has one. */
enum status dms_certificate_use(struct core *core, struct arena *a,
                                const struct dms_resource *endpoint,
                                struct mysql_conn_options *options,
                                struct str *ret_error) MUST_CHECK;

#endif
