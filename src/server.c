#include "server.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "auth/keyring.h"
#include "auth/password.h"
#include "auth/secret.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metric_table.h"
#include "flow/account.h"
#include "flow/account_standing.h"
#include "flow/flow.h"
#include "flow/perform.h"
#include "flow/revoke.h"
#include "flow/ticket.h"
#include "flow/timeline.h"
#include "folders.h"
#include "net/control.h"
#include "net/net.h"
#include "net/notify_socket.h"
#include "net/webhook.h"
#include "room/hub.h"
#include "script/entry.h"
#include "script/script.h"
#include "script/watch.h"
#include "server_policies.h"
#include "server_store.h"

enum { REPORT_MAX = 64 * 1024, DRAIN_MS = 3000 };

struct server {
    struct lsig_settings *settings;
    uv_loop_t loop;
    uv_signal_t signals[3]; // SIGINT, SIGTERM, SIGHUP
    struct lsig_metrics metrics;
    struct lsig_buf report; // of what kept it from starting
    struct lsig_keyring *keyring;
    struct lsig_passwords *passwords;
    struct lsig_server_store *store;
    struct lsig_document_store documents;
    struct lsig_accounts *accounts;
    struct lsig_revoke *revoke;
    struct lsig_tickets *tickets;
    struct lsig_standings *standings;
    struct lsig_script *script;
    struct lsig_hub *hub;
    struct lsig_flow flow;
    bool flow_ready;
    struct lsig_operate *operate;
    struct lsig_net *net;
    struct lsig_control *control;
    struct lsig_notify_socket *notify; // NULL: no service manager wants to know
    struct lsig_watch *watch;          // of the policies' files; NULL: POLICY_WATCH is off
    struct lsig_webhook *webhook;      // NULL: WEBHOOK_URL is empty
    bool stopping;
};

// Reads JWT_KEYS_FILE, at the start or again; one that is refused leaves the keys as they were.
static bool load_keys(struct server *server, struct lsig_buf *report)
{
    struct lsig_buf notes;
    lsig_buf_init(&notes, REPORT_MAX);
    bool fine = lsig_keyring_reload(server->keyring, &notes) == LSIG_OK;
    for (char *rest = notes.data, *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] != '\0' && !fine && report != NULL) {
            lsig_buf_append_format(report, "%s\n", line);
        } else if (line[0] != '\0') {
            lsig_log(fine ? LSIG_WARNING : LSIG_ERROR,
                     fine ? "jwt-keys-warning" : "jwt-keys-refused", LSIG_LOG_TEXT("what", line));
        }
    }
    lsig_buf_clear(&notes);
    server->metrics.jwt_keys = (int64_t)lsig_keyring_count(server->keyring);
    server->metrics.jwt_keys_failures += fine || report != NULL ? 0 : 1;
    if (fine && server->settings->jwt_keys_file[0] != '\0') {
        lsig_log(LSIG_INFO, "jwt-keys-loaded", LSIG_LOG_NUMBER("keys", server->metrics.jwt_keys));
    }
    return fine;
}

static bool make_keyring(struct server *server)
{
    const struct lsig_settings *settings = server->settings;
    struct lsig_secret made = {0};
    const char *text = settings->jwt_secret_key;
    if (text[0] == '\0') {
        if (lsig_secret_open(&made, settings->data_dir) != LSIG_OK) {
            lsig_buf_append_format(&server->report, "%s\n", made.error);
            lsig_secret_clear(&made);
            return false;
        }
        text = made.text;
        lsig_log(LSIG_WARNING, made.made ? "development-secret-made" : "development-secret",
                 LSIG_LOG_TEXT("folder", settings->data_dir),
                 LSIG_LOG_TEXT("advice", "set JWT_SECRET_KEY for production"));
        if (made.exposed) {
            lsig_log(LSIG_WARNING, "secret-exposed", LSIG_LOG_TEXT("folder", settings->data_dir),
                     LSIG_LOG_TEXT("advice", "chmod 600 jwt-secret"));
        }
    }
    const char *what = NULL;
    struct lsig_keyring_options options = {
        .secret = lsig_span_of(text),
        .keys_file = settings->jwt_keys_file,
        .issuer = settings->jwt_issuer,
        .audience = settings->jwt_audience,
        .leeway_s = settings->jwt_leeway_s,
    };
    bool known = lsig_algorithm_find(lsig_span_of(settings->jwt_algorithm), &options.algorithm);
    assert(known);
    server->keyring = lsig_keyring_new(&options, &what);
    lsig_secret_clear(&made);
    if (server->keyring == NULL) {
        lsig_buf_append_format(&server->report, "JWT_SECRET_KEY: %s\n", what);
    }
    return server->keyring != NULL && load_keys(server, &server->report);
}

static bool make_accounts(struct server *server)
{
    const struct lsig_settings *settings = server->settings;
    server->store =
        lsig_server_store_open(settings, &server->loop, &server->metrics, &server->report);
    if (server->store == NULL) {
        return false;
    }
    if (lsig_revoke_new(&server->revoke, lsig_server_store_accounts(server->store),
                        settings->jwt_leeway_s) != LSIG_OK) {
        bool mongo = settings->mongodb_url[0] != '\0';
        lsig_buf_append_format(&server->report,
                               "%s%s: the revocations in it cannot be read, and without them "
                               "revoked tokens would be let in\n",
                               mongo ? "MONGODB_URL" : settings->data_dir,
                               mongo ? "" : "/lunasig.db");
        return false;
    }
    server->documents = lsig_server_store_documents(server->store);
    server->tickets = lsig_tickets_new();
    server->standings =
        lsig_standings_new(&server->flow, lsig_server_store_accounts(server->store));
    server->passwords = lsig_passwords_new(&server->loop, (unsigned)settings->auth_hash_threads,
                                           (unsigned)settings->auth_bcrypt_cost, &server->metrics);
    struct lsig_accounts_parts parts = {
        .settings = settings,
        .keyring = server->keyring,
        .flow = &server->flow,
        .passwords = server->passwords,
        .store = lsig_server_store_accounts(server->store),
    };
    server->accounts = lsig_accounts_new(&parts);
    return true;
}

// --- what operators may do to the process

static void begin_stop(struct server *server, int signum);
static void reload_others(struct server *server);

static void on_drain(void *arg)
{
    begin_stop(arg, 0);
}

static void on_reload(void *arg)
{
    reload_others(arg);
}

static bool is_draining(void *arg)
{
    const struct server *server = arg;
    return server->stopping;
}

static int64_t memory_bytes(void *arg)
{
    (void)arg;
    return lsig_memory_resident();
}

static bool make_control(struct server *server)
{
    char path[LSIG_CONTROL_PATH_SIZE];
    enum lsig_status status = lsig_control_path(server->settings, path);
    if (status == LSIG_NOT_FOUND) {
        return true;
    }
    if (status == LSIG_TOO_BIG) {
        lsig_buf_append_format(&server->report,
                               "the path of the control socket, control.sock in DATA_DIR, has more "
                               "than %d bytes; set CONTROL_SOCKET to a shorter one, or to none\n",
                               LSIG_CONTROL_PATH_SIZE - 1);
        return false;
    }
    server->control = lsig_control_open(&server->loop, server->operate, path, &server->report);
    return server->control != NULL;
}

static bool make_net(struct server *server)
{
    const struct lsig_settings *settings = server->settings;
    struct lsig_room_bounds bounds = {
        .state_bytes = (size_t)settings->policy_state_bytes,
        .keep_bytes = (size_t)settings->policy_keep_bytes,
        .timers_max = (uint32_t)settings->policy_timers_max,
    };
    server->hub = lsig_hub_new();
    lsig_hub_set_bounds(server->hub, &bounds);
    server->flow = (struct lsig_flow){
        .settings = server->settings,
        .keyring = server->keyring,
        .metrics = &server->metrics,
        .script = server->script,
        .hub = server->hub,
        .revoke = server->revoke,
        .tickets = server->tickets,
        .standings = server->standings,
    };
    struct lsig_operate_hooks hooks = {server, on_drain, on_reload, is_draining, memory_bytes};
    lsig_flow_init(&server->flow);
    lsig_perform_install(&server->flow);
    server->flow_ready = true;
    server->flow.timelines = lsig_timelines_open(&server->flow);
    server->operate = lsig_operate_new(&server->flow, LSIG_VERSION, &hooks);
    struct lsig_net_options options = {
        .loop = &server->loop,
        .flow = &server->flow,
        .accounts = server->accounts,
        .store = lsig_server_store_accounts(server->store),
        .settings = server->settings,
        .metrics = &server->metrics,
        .operate = server->operate,
    };
    server->net = lsig_net_new(&options);
    return lsig_webhook_open(&server->webhook, &server->loop, &server->flow, &server->report) &&
           lsig_net_listen(server->net, &server->report) && make_control(server);
}

static void say_what_is_missing(const struct lsig_settings *settings)
{
    if (settings->redis_url[0] != '\0') {
        lsig_log(LSIG_WARNING, "redis-not-used",
                 LSIG_LOG_TEXT("advice", "this version runs as a single node; unset REDIS_URL"));
    }
}

// --- the end

static void on_net_closed(void *arg)
{
    struct server *server = arg;
    uv_stop(&server->loop);
}

static void begin_stop(struct server *server, int signum)
{
    if (server->stopping) {
        return;
    }
    server->stopping = true;
    lsig_log(LSIG_INFO, "stopping", LSIG_LOG_NUMBER("signal", signum)); // 0: an operator
    lsig_notify_socket_stopping(server->notify);
    struct lsig_hook_event event = {.kind = LSIG_HOOK_STOP};
    lsig_script_tell(server->script, &event);
    lsig_webhook_drain(server->webhook);
    lsig_net_drain(server->net, DRAIN_MS, on_net_closed, server);
}

// All that is loaded anew but the policies.
static void reload_others(struct server *server)
{
    load_keys(server, NULL);
    lsig_net_reload_page(server->net);
    lsig_net_reload_tls(server->net);
}

static void on_policy_changed(void *arg)
{
    struct server *server = arg;
    lsig_log(LSIG_INFO, "policy-changed", LSIG_LOG_TEXT("folder", server->settings->policy_dir));
    lsig_script_reload(server->script, NULL, NULL);
}

static void watch_policy(struct server *server)
{
    const struct lsig_settings *settings = server->settings;
    if (settings->policy_watch) {
        char *folder;
        char *file;
        lsig_entry_split(settings->policy_dir, &folder, &file);
        const char *roots[LSIG_WATCH_ROOTS_MAX] = {folder, settings->lua_dir};
        server->watch = lsig_watch_open(&server->loop, roots, on_policy_changed, server);
        free(folder);
        free(file);
    }
}

// Tells the service manager what is in force; refused: what was to be in force is not.
static void notify_ready(struct server *server, bool refused)
{
    char status[160];
    snprintf(status, sizeof(status), "%sServing on port %d with policy version %" PRIu64,
             refused ? "The policies were refused, see the log. " : "", lsig_net_port(server->net),
             lsig_script_version(server->script));
    lsig_notify_socket_ready(server->notify, status);
}

static void on_reloaded(void *arg, const struct lsig_script_outcome *outcome)
{
    struct server *server = arg;
    if (!server->stopping) {
        notify_ready(server, outcome->status != LSIG_OK);
    }
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct server *server = handle->data;
    if (signum != SIGHUP) {
        begin_stop(server, signum);
    } else if (!server->stopping) {
        lsig_notify_socket_reloading(server->notify);
        reload_others(server);
        lsig_script_reload(server->script, on_reloaded, server);
    }
}

static void watch_signals(struct server *server)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
}

static void on_part_freed(void *arg)
{
    *(int *)arg -= 1;
}

// Returns when their work is done: see lsig_net_end.
static void close_what_has_threads(struct server *server)
{
    int parts = 0;
    if (server->store != NULL) {
        parts++;
        lsig_server_store_free(server->store, on_part_freed, &parts);
    }
    if (server->script != NULL) {
        parts++;
        lsig_script_free(server->script, on_part_freed, &parts);
    }
    while (parts > 0) {
        uv_run(&server->loop, UV_RUN_ONCE);
    }
}

// Whatever has been made, in the order in which nothing is used after its end: what speaks to
// sockets first, then what it asks.
static void take_down(struct server *server)
{
    server->stopping = true;
    for (size_t i = 0; i < sizeof(server->signals) / sizeof(server->signals[0]); i++) {
        uv_close((uv_handle_t *)&server->signals[i], NULL);
    }
    lsig_control_close(server->control);
    lsig_notify_socket_close(server->notify);
    lsig_watch_close(server->watch);
    server->watch = NULL;
    if (server->net != NULL) {
        lsig_net_end(server->net);
    }
    lsig_webhook_close(server->webhook);
    if (server->accounts != NULL) {
        lsig_accounts_close(server->accounts);
    }
    lsig_standings_close(server->standings);
    lsig_passwords_free(server->passwords);
    close_what_has_threads(server);
    if (server->net != NULL) {
        lsig_net_free(server->net);
    }
    uv_run(&server->loop, UV_RUN_DEFAULT);
    if (server->net != NULL) {
        lsig_net_finish(server->net);
    }
    lsig_accounts_free(server->accounts);
    lsig_revoke_free(server->revoke);
    lsig_tickets_free(server->tickets);
    lsig_standings_free(server->standings);
    lsig_operate_free(server->operate);
    if (server->flow_ready) {
        lsig_timelines_close(server->flow.timelines);
        lsig_flow_clear(&server->flow);
    }
    lsig_hub_free(server->hub);
    lsig_keyring_free(server->keyring);
    int busy = uv_loop_close(&server->loop);
    assert(busy == 0);
    lsig_metric_table_unref(server->metrics.policy);
}

static int fail(struct server *server, int status)
{
    // Standard error may be the log's: both are whole lines.
    fprintf(stderr, "lunasig: %.*s", LSIG_SPAN_ARG(lsig_buf_span(&server->report)));
    take_down(server);
    lsig_buf_clear(&server->report);
    lsig_log_close();
    return status;
}

static void open_log(const struct lsig_settings *settings)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    enum lsig_log_level level = LSIG_INFO;
    for (int i = 0; i < 4; i++) {
        if (strcmp(settings->log_level, names[i]) == 0) {
            level = (enum lsig_log_level)i;
        }
    }
    lsig_log_open(level, strcmp(settings->log_format, "json") == 0);
}

static void say_ready(const struct server *server)
{
    char url[64];
    int port = lsig_net_port(server->net);
    bool tls = server->settings->tls_cert_file[0] != '\0';
    int admin_port = lsig_net_admin_port(server->net);
    if (server->control != NULL) {
        lsig_log(LSIG_INFO, "control-listening",
                 LSIG_LOG_TEXT("path", lsig_control_where(server->control)));
    }
    if (admin_port > 0) {
        lsig_log(LSIG_INFO, "admin-listening", LSIG_LOG_TEXT("host", server->settings->admin_host),
                 LSIG_LOG_NUMBER("port", admin_port));
    }
    snprintf(url, sizeof(url), "%s://localhost:%d/", tls ? "https" : "http", port);
    lsig_log(LSIG_INFO, "listening", LSIG_LOG_TEXT("host", server->settings->host),
             LSIG_LOG_NUMBER("port", port), LSIG_LOG_TEXT("url", url),
             LSIG_LOG_NUMBER("policy_version", lsig_script_version(server->script)));
}

int lsig_server_run(struct lsig_settings *settings)
{
    struct server server = {.settings = settings, .metrics.policy = lsig_metric_table_new()};
    lsig_folders_complete(settings);
    open_log(settings);
    lsig_buf_init(&server.report, REPORT_MAX);
    int failed = uv_loop_init(&server.loop);
    assert(failed == 0);
    watch_signals(&server); // one that comes while the server starts is handled once it serves
    if (!make_keyring(&server) || !make_accounts(&server)) {
        return fail(&server, LSIG_SERVER_NOT_STARTED);
    }
    struct lsig_script_options options =
        lsig_server_policies(settings, &server.loop, &server.metrics);
    options.documents = &server.documents;
    options.queries = lsig_server_store_queries(server.store);
    server.script = lsig_script_new(&options);
    if (lsig_script_load(server.script, &server.report) != LSIG_OK) {
        return fail(&server, LSIG_SERVER_POLICY_REFUSED);
    }
    if (!make_net(&server)) {
        return fail(&server, LSIG_SERVER_NOT_STARTED);
    }
    say_what_is_missing(settings);
    say_ready(&server);
    server.notify = lsig_notify_socket_open(&server.loop);
    notify_ready(&server, false);
    watch_policy(&server);
    struct lsig_hook_event event = {.kind = LSIG_HOOK_START};
    lsig_script_tell(server.script, &event);
    uv_run(&server.loop, UV_RUN_DEFAULT);
    take_down(&server);
    lsig_buf_clear(&server.report);
    lsig_log(LSIG_INFO, "stopped", LSIG_LOG_NUMBER("connections", server.metrics.connections));
    lsig_log_close();
    return LSIG_SERVER_OK;
}
