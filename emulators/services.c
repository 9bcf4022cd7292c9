/* The only place that names every service. The order is that of start; the end goes backwards. */
#include "server/service.h"

extern const struct service iam_service;
extern const struct service s3_service;
extern const struct service sts_service;
extern const struct service logs_service;
extern const struct service cloudwatch_service;
extern const struct service events_service;
extern const struct service glue_service;
extern const struct service rds_service;
extern const struct service dms_service;
extern const struct service lambda_service;

const struct service *const services[] = {
    &iam_service,
    &s3_service,
    &sts_service,
    &logs_service,
    &cloudwatch_service,
    &events_service,
    &lambda_service,
    &glue_service,
    &rds_service,
    &dms_service,
    NULL,
};
