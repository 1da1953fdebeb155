#include "server_policies.h"

#include "scenario/run.h"

struct lsig_script_options lsig_server_policies(const struct lsig_settings *settings,
                                                struct uv_loop_s *loop,
                                                struct lsig_metrics *metrics)
{
    return (struct lsig_script_options){
        .loop = loop,
        .policy_dir = settings->policy_dir,
        .library_dir = settings->lua_dir,
        .cpu_ms = settings->policy_cpu_ms,
        .wait_ms = settings->policy_wait_ms,
        .memory_bytes = settings->policy_memory_mb * 1024 * 1024,
        .waiting_max = settings->policy_hooks_waiting_max,
        .effects_max = settings->policy_effects_max,
        .attr_bytes = settings->policy_attr_bytes,
        .data_bytes = settings->policy_data_bytes,
        .versions_kept = settings->policy_versions_kept,
        .rollback_errors = settings->policy_rollback_errors,
        .skip_tests = settings->policy_skip_tests,
        .run_tests = lsig_scenario_run_tests,
        .test_ms = settings->policy_test_s * 1000,
        .metrics = metrics,
    };
}
