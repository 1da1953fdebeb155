// metrics.h - what the server counts about itself. One struct, passed by whoever counts; net prints
// it.
#pragma once

#include <stdint.h>

#include "base/status.h"

// X(field, kind, name, help): name as Prometheus wants it (counters end in _total, times in
// _seconds). MILLISECONDS and MICROSECONDS are gauges that are kept in these and
// shown in seconds.
#define LSIG_METRICS(X)                                                                            \
    X(connections_open, GAUGE, "lunasig_connections_open", "WebSocket connections open now")       \
    X(connections, COUNTER, "lunasig_connections_total", "WebSocket connections opened")           \
    X(connections_refused, COUNTER, "lunasig_connections_refused_total",                           \
      "Connections refused before the upgrade")                                                    \
    X(members, GAUGE, "lunasig_members", "Members in rooms now")                                   \
    X(rooms, GAUGE, "lunasig_rooms", "Rooms with members now")                                     \
    X(away, GAUGE, "lunasig_connections_away", "Lost connections that may resume")                 \
    X(resumes, COUNTER, "lunasig_resumes_total", "Connections that resumed")                       \
    X(resumes_lossy, COUNTER, "lunasig_resumes_lossy_total",                                       \
      "Of these, with a snapshot because not all frames were kept")                                \
    X(kept_bytes, GAUGE, "lunasig_kept_bytes", "Bytes kept for connections that may resume")       \
    X(joins, COUNTER, "lunasig_joins_total", "Members that joined a room")                         \
    X(messages_in, COUNTER, "lunasig_messages_received_total", "Messages received from clients")   \
    X(messages_relayed, COUNTER, "lunasig_messages_relayed_total",                                 \
      "Messages that passed the gate and were relayed")                                            \
    X(frames_out, COUNTER, "lunasig_frames_sent_total", "Frames queued to receivers")              \
    X(bytes_in, COUNTER, "lunasig_received_bytes_total", "Payload bytes received over WebSocket")  \
    X(bytes_out, COUNTER, "lunasig_sent_bytes_total", "Bytes written to WebSockets")               \
    X(outbox_bytes, GAUGE, "lunasig_outbox_bytes", "Bytes waiting for slow readers")               \
    X(slow_closed, COUNTER, "lunasig_slow_closed_total", "Connections closed for reading slowly")  \
    X(protocol_errors, COUNTER, "lunasig_protocol_errors_total",                                   \
      "Connections closed for frames against RFC 6455")                                            \
    X(http_requests, COUNTER, "lunasig_http_requests_total", "HTTP requests answered")             \
    X(hook_calls, COUNTER, "lunasig_hook_calls_total", "Calls of policy hooks")                    \
    X(hook_errors, COUNTER, "lunasig_hook_errors_total", "Policy hooks that failed")               \
    X(hook_cpu_exceeded, COUNTER, "lunasig_hook_cpu_exceeded_total",                               \
      "Policy hooks stopped for using too much processor time")                                    \
    X(hook_memory_exceeded, COUNTER, "lunasig_hook_memory_exceeded_total",                         \
      "Policy hooks stopped because the policy's memory was used up")                              \
    X(hook_wait_exceeded, COUNTER, "lunasig_hook_wait_exceeded_total",                             \
      "Policy hooks stopped for waiting too long")                                                 \
    X(hook_effects_exceeded, COUNTER, "lunasig_hook_effects_exceeded_total",                       \
      "Policy hooks stopped for asking for too much")                                              \
    X(hooks_waiting, GAUGE, "lunasig_hooks_waiting", "Policy hooks suspended in a wait now")       \
    X(policy_loads, COUNTER, "lunasig_policy_loads_total", "Policy versions put in force")         \
    X(policy_load_failures, COUNTER, "lunasig_policy_load_failures_total",                         \
      "Policy versions refused at load")                                                           \
    X(policy_version, GAUGE, "lunasig_policy_version", "Number of the policy version in force")    \
    X(policy_rollbacks, COUNTER, "lunasig_policy_rollbacks_total",                                 \
      "Versions taken out of force for their errors")                                              \
    X(policy_vm_replaced, COUNTER, "lunasig_policy_vm_replaced_total",                             \
      "Virtual machines replaced because they stayed full")                                        \
    X(policy_swap_max_us, MICROSECONDS, "lunasig_policy_swap_max_seconds",                         \
      "Longest time that putting a version in force took")                                         \
    X(policy_memory, GAUGE, "lunasig_policy_memory_bytes",                                         \
      "Memory of the policy's virtual machine")                                                    \
    X(jwt_keys, GAUGE, "lunasig_jwt_keys", "Keys of JWT_KEYS_FILE in force")                       \
    X(jwt_keys_failures, COUNTER, "lunasig_jwt_keys_failures_total",                               \
      "Times that JWT_KEYS_FILE was refused while the server ran")                                 \
    X(passwords_waiting, GAUGE, "lunasig_passwords_waiting", "Password hashes waiting or running") \
    X(webhook_delivered, COUNTER, "lunasig_webhook_delivered_total", "Webhooks delivered")         \
    X(webhook_failed, COUNTER, "lunasig_webhook_failed_total",                                     \
      "Webhooks refused by the receiver, or tried in vain as often as allowed")                    \
    X(webhook_dropped, COUNTER, "lunasig_webhook_dropped_total",                                   \
      "Webhooks dropped because too many waited")                                                  \
    X(webhook_waiting, GAUGE, "lunasig_webhook_waiting", "Webhooks waiting for their delivery")    \
    X(mongodb_waiting, GAUGE, "lunasig_mongodb_waiting", "Calls to MongoDB waiting or running")    \
    X(mongodb_calls, COUNTER, "lunasig_mongodb_calls_total", "Calls that MongoDB was asked for")   \
    X(mongodb_failures, COUNTER, "lunasig_mongodb_failures_total",                                 \
      "Calls to MongoDB that failed or did not reach it")                                          \
    X(mongodb_dropped, COUNTER, "lunasig_mongodb_dropped_total",                                   \
      "Calls to MongoDB given up because it was away or too many waited")                          \
    X(mongodb_away, GAUGE, "lunasig_mongodb_away",                                                 \
      "1 while MongoDB does not answer and is only probed")                                        \
    X(loop_gap_max_ms, MILLISECONDS, "lunasig_loop_gap_max_seconds",                               \
      "Longest time that the event loop was held by one turn")                                     \
    X(tls_certificate_end, GAUGE, "lunasig_tls_certificate_end_seconds",                           \
      "End of the TLS certificate as unix time; 0: no TLS")                                        \
    X(log_dropped, GAUGE, "lunasig_log_lines_dropped", "Log lines dropped since the start")

struct lsig_metric_table;

struct lsig_metrics {
#define X(field, kind, name, help) int64_t field;
    LSIG_METRICS(X)
#undef X
    int64_t refused[LSIG_STATUS_COUNT]; // lunasig_refused_total{code="…"}
    struct lsig_metric_table *policy;   // what policies count, not owned; NULL: nowhere
};
