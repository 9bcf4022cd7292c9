/* GET /_cistern/health and /_localstack/health: which services there are. Registered by
 * listener_start(). */
#ifndef CISTERN_HTTP_HEALTH_H
#define CISTERN_HTTP_HEALTH_H

void health_register(void);

#endif
