/* Weak stand-ins while the rooms are being built; deleted before the issue is done. */
#include "emulators/glue/glue_model.h"
#include "server/http/call.h"
#include "server/wire/codec.h"

__attribute__((weak)) enum status glue_batch_create_partition(struct call *c, const struct glue_batch_create_partition_request *in, struct glue_batch_create_partition_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_batch_delete_connection(struct call *c, const struct glue_batch_delete_connection_request *in, struct glue_batch_delete_connection_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_batch_delete_partition(struct call *c, const struct glue_batch_delete_partition_request *in, struct glue_batch_delete_partition_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_batch_delete_table(struct call *c, const struct glue_batch_delete_table_request *in, struct glue_batch_delete_table_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_batch_get_crawlers(struct call *c, const struct glue_batch_get_crawlers_request *in, struct glue_batch_get_crawlers_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_batch_get_partition(struct call *c, const struct glue_batch_get_partition_request *in, struct glue_batch_get_partition_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_batch_get_triggers(struct call *c, const struct glue_batch_get_triggers_request *in, struct glue_batch_get_triggers_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_batch_get_workflows(struct call *c, const struct glue_batch_get_workflows_request *in, struct glue_batch_get_workflows_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_batch_update_partition(struct call *c, const struct glue_batch_update_partition_request *in, struct glue_batch_update_partition_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_create_classifier(struct call *c, const struct glue_create_classifier_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_create_connection(struct call *c, const struct glue_create_connection_request *in, struct glue_create_connection_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_create_crawler(struct call *c, const struct glue_create_crawler_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_create_database(struct call *c, const struct glue_create_database_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_create_partition(struct call *c, const struct glue_create_partition_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_create_security_configuration(struct call *c, const struct glue_create_security_configuration_request *in, struct glue_create_security_configuration_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_create_table(struct call *c, const struct glue_create_table_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_create_trigger(struct call *c, const struct glue_create_trigger_request *in, struct glue_create_trigger_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_create_workflow(struct call *c, const struct glue_create_workflow_request *in, struct glue_create_workflow_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_delete_classifier(struct call *c, const struct glue_delete_classifier_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_delete_connection(struct call *c, const struct glue_delete_connection_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_delete_crawler(struct call *c, const struct glue_delete_crawler_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_delete_database(struct call *c, const struct glue_delete_database_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_delete_partition(struct call *c, const struct glue_delete_partition_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_delete_security_configuration(struct call *c, const struct glue_delete_security_configuration_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_delete_table(struct call *c, const struct glue_delete_table_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_delete_trigger(struct call *c, const struct glue_delete_trigger_request *in, struct glue_delete_trigger_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_delete_workflow(struct call *c, const struct glue_delete_workflow_request *in, struct glue_delete_workflow_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_classifier(struct call *c, const struct glue_get_classifier_request *in, struct glue_get_classifier_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_classifiers(struct call *c, const struct glue_get_classifiers_request *in, struct glue_get_classifiers_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_connection(struct call *c, const struct glue_get_connection_request *in, struct glue_get_connection_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_connections(struct call *c, const struct glue_get_connections_request *in, struct glue_get_connections_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_crawler(struct call *c, const struct glue_get_crawler_request *in, struct glue_get_crawler_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_crawler_metrics(struct call *c, const struct glue_get_crawler_metrics_request *in, struct glue_get_crawler_metrics_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_crawlers(struct call *c, const struct glue_get_crawlers_request *in, struct glue_get_crawlers_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_database(struct call *c, const struct glue_get_database_request *in, struct glue_get_database_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_databases(struct call *c, const struct glue_get_databases_request *in, struct glue_get_databases_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_job_bookmark(struct call *c, const struct glue_get_job_bookmark_request *in, struct glue_get_job_bookmark_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_partition(struct call *c, const struct glue_get_partition_request *in, struct glue_get_partition_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_partitions(struct call *c, const struct glue_get_partitions_request *in, struct glue_get_partitions_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_security_configuration(struct call *c, const struct glue_get_security_configuration_request *in, struct glue_get_security_configuration_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_security_configurations(struct call *c, const struct glue_get_security_configurations_request *in, struct glue_get_security_configurations_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_table(struct call *c, const struct glue_get_table_request *in, struct glue_get_table_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_table_version(struct call *c, const struct glue_get_table_version_request *in, struct glue_get_table_version_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_table_versions(struct call *c, const struct glue_get_table_versions_request *in, struct glue_get_table_versions_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_tables(struct call *c, const struct glue_get_tables_request *in, struct glue_get_tables_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_trigger(struct call *c, const struct glue_get_trigger_request *in, struct glue_get_trigger_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_triggers(struct call *c, const struct glue_get_triggers_request *in, struct glue_get_triggers_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_workflow(struct call *c, const struct glue_get_workflow_request *in, struct glue_get_workflow_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_workflow_run(struct call *c, const struct glue_get_workflow_run_request *in, struct glue_get_workflow_run_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_workflow_run_properties(struct call *c, const struct glue_get_workflow_run_properties_request *in, struct glue_get_workflow_run_properties_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_get_workflow_runs(struct call *c, const struct glue_get_workflow_runs_request *in, struct glue_get_workflow_runs_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_list_crawlers(struct call *c, const struct glue_list_crawlers_request *in, struct glue_list_crawlers_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_list_crawls(struct call *c, const struct glue_list_crawls_request *in, struct glue_list_crawls_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_list_triggers(struct call *c, const struct glue_list_triggers_request *in, struct glue_list_triggers_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_list_workflows(struct call *c, const struct glue_list_workflows_request *in, struct glue_list_workflows_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_put_workflow_run_properties(struct call *c, const struct glue_put_workflow_run_properties_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_reset_job_bookmark(struct call *c, const struct glue_reset_job_bookmark_request *in, struct glue_reset_job_bookmark_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_search_tables(struct call *c, const struct glue_search_tables_request *in, struct glue_search_tables_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_start_crawler(struct call *c, const struct glue_start_crawler_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_start_crawler_schedule(struct call *c, const struct glue_start_crawler_schedule_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_start_trigger(struct call *c, const struct glue_start_trigger_request *in, struct glue_start_trigger_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_start_workflow_run(struct call *c, const struct glue_start_workflow_run_request *in, struct glue_start_workflow_run_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_stop_crawler(struct call *c, const struct glue_stop_crawler_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_stop_crawler_schedule(struct call *c, const struct glue_stop_crawler_schedule_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_stop_trigger(struct call *c, const struct glue_stop_trigger_request *in, struct glue_stop_trigger_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_stop_workflow_run(struct call *c, const struct glue_stop_workflow_run_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_update_classifier(struct call *c, const struct glue_update_classifier_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_update_connection(struct call *c, const struct glue_update_connection_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_update_crawler(struct call *c, const struct glue_update_crawler_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_update_crawler_schedule(struct call *c, const struct glue_update_crawler_schedule_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_update_database(struct call *c, const struct glue_update_database_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_update_partition(struct call *c, const struct glue_update_partition_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_update_table(struct call *c, const struct glue_update_table_request *in, void *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_update_trigger(struct call *c, const struct glue_update_trigger_request *in, struct glue_update_trigger_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}

__attribute__((weak)) enum status glue_update_workflow(struct call *c, const struct glue_update_workflow_request *in, struct glue_update_workflow_response *ret_out)
{
    (void)in;
    (void)ret_out;
    return call_fail(c, &wire_NotImplemented, "not built yet");
}
