// settings_policy.h - the settings of policies: part of the table of settings.h, which says what
// the columns are.
#pragma once

#define LSIG_SETTINGS_POLICY(X)                                                                    \
    X(POLICY_CPU_MS, policy_cpu_ms, INTEGER, "20", 1, 1000, "", "Processor time of one hook call") \
    X(POLICY_WAIT_MS, policy_wait_ms, INTEGER, "2000", 1, 60000, "",                               \
      "Time one hook call may spend waiting")                                                      \
    X(POLICY_MEMORY_MB, policy_memory_mb, INTEGER, "32", 4, 1024, "",                              \
      "Memory of the policies' virtual machine")                                                   \
    X(POLICY_HOOKS_WAITING_MAX, policy_hooks_waiting_max, INTEGER, "1000", 1, 100000, "",          \
      "Hooks suspended at once")                                                                   \
    X(POLICY_EFFECTS_MAX, policy_effects_max, INTEGER, "1000", 1, 100000, "",                      \
      "Messages and changes that one hook call may ask for")                                       \
    X(POLICY_STATE_BYTES, policy_state_bytes, BYTES, "64 KiB", 1024, 16777216, "",                 \
      "What policies may remember about one room, timers included")                                \
    X(POLICY_KEEP_BYTES, policy_keep_bytes, BYTES, "256 KiB", 0, 16777216, "",                     \
      "Messages that one room keeps for those who come later; the oldest are dropped")             \
    X(POLICY_ATTR_BYTES, policy_attr_bytes, BYTES, "1 KiB", 0, 65536, "",                          \
      "member.attr of one member")                                                                 \
    X(POLICY_DATA_BYTES, policy_data_bytes, BYTES, "16 KiB", 0, 1048576, "",                       \
      "member.data of one member")                                                                 \
    X(POLICY_TIMERS_MAX, policy_timers_max, INTEGER, "64", 0, 10000, "", "Timers of one room")     \
    X(POLICY_WATCH, policy_watch, BOOLEAN, "off", 0, 0, "",                                        \
      "Load the policies again when one of their files is saved")                                  \
    X(POLICY_VERSIONS_KEPT, policy_versions_kept, INTEGER, "4", 0, 100, "",                        \
      "Versions kept ready besides the one in force, for rollback")                                \
    X(POLICY_ROLLBACK_ERRORS, policy_rollback_errors, RATE, "0", 0, 0, "",                         \
      "Errors of hooks above which the version before comes back; 0: never")                       \
    X(POLICY_SKIP_TESTS, policy_skip_tests, BOOLEAN, "off", 0, 0, "",                              \
      "Load policies without running the tests that they carry")                                   \
    X(POLICY_TEST_S, policy_test_s, SECONDS, "5", 1, 600, "",                                      \
      "Time that the tests of a bundle may take at load")
