#include "net/net.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "flow/announce.h"
#include "flow/operate.h"
#include "flow/route_request.h"
#include "net/admin.h"
#include "net/context.h"
#include "net/frame_watch.h"
#include "net/handover.h"
#include "net/heads.h"
#include "net/http.h"
#include "net/listener.h"
#include "net/page.h"
#include "net/session.h"
#include "net/session_sink.h"
#include "net/session_time.h"
#include "net/session_write.h"
#include "net/tls.h"

enum {
    SCRATCH_SIZE = 256 * 1024, // bytes of one write
    READ_SIZE = 32 * 1024,     // bytes of one read
    // Of each WebSocket, idle or not; also the most that one read takes: an offer needs two.
    RX_BUFFER_SIZE = 1344,
    // A whole TLS record (RFC 8446 section 5.1): when reading is paused while a part of one is left
    // inside of OpenSSL, libwebsockets 4.1.6 turns in a circle for ever.
    TLS_RX_BUFFER_SIZE = 16384,
    // The others are for uploads (http.c) and for answers under way; each is made when needed.
    HEADER_POOL = LSIG_HEADS_MAX + 512,
    HEADER_BYTES = 20 * 1024, // above LSIG_HEAD_MAX, which is refused before
    KEEPALIVE_S = 15,
    SECOND_MS = 1000,
    DRAIN_CHECK_MS = 20,
    ADMIN_CONNECTIONS_MAX = 16, // within the descriptors that admission.c leaves
};

struct lsig_socket *lsig_socket_of(struct lws *wsi)
{
    return lws_get_opaque_user_data(wsi);
}

static void socket_free(struct lws *wsi)
{
    struct lsig_socket *socket = lsig_socket_of(wsi);
    if (socket == NULL) {
        return;
    }
    struct lsig_net *net = socket->net;
    struct lsig_admission *admission = socket->admin ? &net->admin_admission : &net->admission;
    lsig_frame_watch_remove(socket);
    lsig_heads_end(socket);
    lsig_http_free(socket->http);
    lsig_session_lose(socket->session);
    if (socket->counted) {
        lsig_admission_give_address(admission, socket->address);
    }
    lsig_admission_give_descriptor(admission);
    free(socket);
    lws_set_opaque_user_data(wsi, NULL);
}

// The flow's time is read once per turn of the loop, when its first event comes.
static void set_time(struct lsig_net *net)
{
    uint64_t turn_ms = uv_now(net->options.loop);
    if (turn_ms != net->turn_ms) {
        net->turn_ms = turn_ms;
        lsig_flow_set_time(net->options.flow, lsig_clock_now());
    }
}

static bool is_input(enum lws_callback_reasons reason)
{
    return reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_ESTABLISHED ||
           reason == LWS_CALLBACK_SERVER_WRITEABLE || reason == LWS_CALLBACK_HTTP ||
           reason == LWS_CALLBACK_HTTP_BODY || reason == LWS_CALLBACK_HTTP_BODY_COMPLETION ||
           reason == LWS_CALLBACK_HTTP_WRITEABLE || reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE;
}

static int
on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct lsig_net *net = lws_context_user(lws_get_context(wsi));
    set_time(net);
    if (net->ended && is_input(reason)) {
        return -1; // what it would be handed to is going
    }
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_CLOSED:
        return lsig_session_callback(wsi, reason, in, len);
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    case LWS_CALLBACK_CLOSED_HTTP:
        return lsig_http_callback(wsi, reason, in, len);
    case LWS_CALLBACK_WSI_DESTROY:
        socket_free(wsi);
        return 0;
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS: // a vhost was made; no connection
        lsig_tls_apply(net->tls, user);
        return 0;
    default:
        return 0;
    }
}

// libwebsockets logs request lines at its lower levels: only warnings and errors pass, without what
// follows a query mark.
static void on_lws_log(int level, const char *line)
{
    size_t len = strcspn(line, "?\n");
    lsig_log(level == LLL_ERR ? LSIG_ERROR : LSIG_WARNING, "libwebsockets",
             LSIG_LOG_SPAN("text", ((struct lsig_span){line, len})));
}

// How long the loop has been held since its clock was last set: when input came, or when the turn
// began.
static void note_gap(struct lsig_net *net)
{
    int64_t gap = lsig_clock_now().mono_ms - (int64_t)uv_now(net->options.loop);
    if (gap > net->options.metrics->loop_gap_max_ms) {
        net->options.metrics->loop_gap_max_ms = gap;
    }
}

static void on_check(uv_check_t *check)
{
    note_gap(check->data);
    // Timers come next: hooks that end their wait go on with the time of their own turn.
    set_time(check->data);
}

static void on_tick(uv_timer_t *timer)
{
    struct lsig_net *net = timer->data;
    set_time(net);
    int64_t next_ms = lsig_flow_tick(net->options.flow);
    int64_t operate_ms = lsig_operate_tick(net->options.operate);
    next_ms = operate_ms >= 0 && operate_ms < next_ms ? operate_ms : next_ms;
    uv_timer_start(timer, on_tick, (uint64_t)next_ms, 0);
}

static void tick_within(struct lsig_net *net, int64_t ms)
{
    if (uv_timer_get_due_in(&net->tick) > (uint64_t)ms) {
        uv_timer_start(&net->tick, on_tick, (uint64_t)ms, 0);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct lsig_net *net = prepare->data;
    // What this turn left to be done wants the timer earlier than it stands.
    const struct lsig_flow *flow = net->options.flow;
    if (flow->pending != NULL && uv_timer_get_due_in(&net->tick) > LSIG_MERGE_MS) {
        uv_timer_start(&net->tick, on_tick, LSIG_MERGE_MS, 0);
    }
    int64_t flow_ms = lsig_flow_due_ms(flow);
    if (flow_ms >= 0) {
        int64_t left_ms = flow_ms - (int64_t)uv_now(net->options.loop);
        tick_within(net, left_ms > 0 ? left_ms : 0);
    }
    int64_t due_ms = lsig_operate_due_ms(net->options.operate);
    if (due_ms >= 0) {
        tick_within(net, due_ms);
    }
    if (net->listener != NULL) {
        lsig_listener_admit(net->listener);
    }
    note_gap(net);
    lsig_frame_watch_settle(net);
    lsig_session_flush_all(net);
}

static void on_second(uv_timer_t *timer)
{
    struct lsig_net *net = timer->data;
    set_time(net);
    lsig_session_check_times(net);
    lsig_http_check_times(net);
    lsig_heads_check_times(net);
    if (net->listener != NULL) {
        lsig_listener_check_time(net->listener);
    }
    if (net->admin_listener != NULL) {
        lsig_listener_check_time(net->admin_listener);
    }
}

// "lunasig.v1" is chosen by name; a client that offers no sub-protocol gets the first.
#define PROTOCOLS(size)                                                                            \
    {                                                                                              \
        {.name = "lunasig.compat",                                                                 \
         .callback = on_event,                                                                     \
         .rx_buffer_size = (size),                                                                 \
         .tx_packet_size = SCRATCH_SIZE},                                                          \
            {.name = "lunasig.v1",                                                                 \
             .callback = on_event,                                                                 \
             .rx_buffer_size = (size),                                                             \
             .tx_packet_size = SCRATCH_SIZE},                                                      \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

static const struct lws_protocols protocols[] = PROTOCOLS(RX_BUFFER_SIZE);
static const struct lws_protocols tls_protocols[] = PROTOCOLS(TLS_RX_BUFFER_SIZE);

// Sessions are pinged here (session.c): the library's own check would keep a sorted list of all of
// them.
static const lws_retry_bo_t no_validity_check = {0};

static bool open_lws(struct lsig_net *net, struct lsig_buf *report)
{
    void *loops[] = {net->options.loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .user = net,
        .foreign_loops = loops,
        .options = LWS_SERVER_OPTION_LIBUV,
        .gid = -1,
        .uid = -1,
        .vhost_name = "lunasig",
        .server_string = "lunasig",
        .pt_serv_buf_size = READ_SIZE,
        .max_http_header_pool = HEADER_POOL,
        .max_http_header_data = HEADER_BYTES,
        .keepalive_timeout = KEEPALIVE_S,
        .retry_and_idle_policy = &no_validity_check,
        .alpn = "http/1.1",
    };
    if (net->tls != NULL) {
        // Times of its own that are shorter than ours would hold for handshakes and heads.
        unsigned int timeout_s = (unsigned int)net->options.settings->handshake_timeout_s + 5;
        // Nothing is asked of others with it: it needs nobody's certificates.
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                        LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX |
                        LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
        info.protocols = tls_protocols;
        info.timeout_secs = timeout_s;
        info.timeout_secs_ah_idle = timeout_s;
    }
    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    net->lws = lws_create_context(&info);
    if (net->lws == NULL) {
        lsig_buf_append_text(report,
                             "libwebsockets cannot start; is its plug-in for libuv installed "
                             "(package libwebsockets-evlib-uv)?\n");
        return false;
    }
    net->vhost = lws_get_vhost_by_name(net->lws, info.vhost_name);
    return true;
}

static void start_handles(struct lsig_net *net)
{
    struct uv_loop_s *loop = net->options.loop;
    uv_prepare_init(loop, &net->prepare);
    uv_check_init(loop, &net->check);
    uv_timer_init(loop, &net->tick);
    uv_timer_init(loop, &net->second);
    uv_timer_init(loop, &net->drain_timer);
    net->prepare.data = net;
    net->check.data = net;
    net->tick.data = net;
    net->second.data = net;
    net->drain_timer.data = net;
    uv_prepare_start(&net->prepare, on_prepare);
    uv_check_start(&net->check, on_check);
    uv_timer_start(&net->tick, on_tick, 0, 0);
    uv_timer_start(&net->second, on_second, SECOND_MS, SECOND_MS);
}

static bool open_page(const char *folder, struct lsig_page **page, struct lsig_buf *report)
{
    *page = NULL;
    if (strcmp(folder, "none") == 0 || folder[0] == '\0') {
        return true;
    }
    *page = lsig_page_open(folder, report);
    return *page != NULL;
}

static bool open_tls(struct lsig_net *net, struct lsig_buf *report)
{
    bool ok = lsig_tls_open(&net->tls, net->options.settings, report);
    if (net->tls != NULL) {
        net->options.metrics->tls_certificate_end = lsig_tls_end(net->tls);
    }
    return ok;
}

struct lsig_net *lsig_net_new(const struct lsig_net_options *options)
{
    struct lsig_net *net = lsig_alloc(sizeof(*net));
    net->options = *options;
    options->flow->sink = lsig_session_sink;
    net->scratch_size = SCRATCH_SIZE;
    net->scratch = lsig_alloc(LWS_PRE + SCRATCH_SIZE);
    lsig_admission_init(&net->admission, options->settings->address_connections_max);
    lsig_admission_init(&net->admin_admission, 0);
    net->admin_admission.max = ADMIN_CONNECTIONS_MAX;
    lsig_heads_init(&net->heads);
    lsig_frame_watch_open(net);
    net->route_requests = lsig_route_requests_new(options->flow, options->accounts);
    start_handles(net);
    return net;
}

static bool open_admin(struct lsig_net *net, struct lsig_buf *report)
{
    const char *key = net->options.settings->admin_key;
    if (key[0] == '\0') {
        return true;
    }
    net->admin = lsig_admin_new(net->options.operate, key);
    net->admin_listener = lsig_listener_new(net, true, report);
    return net->admin_listener != NULL;
}

bool lsig_net_listen(struct lsig_net *net, struct lsig_buf *report)
{
    if (open_page(net->options.settings->page_dir, &net->page, report) && open_tls(net, report) &&
        open_lws(net, report)) {
        lsig_handover_read(net);
        net->listener = lsig_listener_new(net, false, report);
    }
    return net->listener != NULL && open_admin(net, report);
}

int lsig_net_port(const struct lsig_net *net)
{
    return lsig_listener_port(net->listener);
}

int lsig_net_admin_port(const struct lsig_net *net)
{
    return net->admin_listener != NULL ? lsig_listener_port(net->admin_listener) : 0;
}

void lsig_net_reload_page(struct lsig_net *net)
{
    struct lsig_page *page;
    struct lsig_buf report;
    lsig_buf_init(&report, 4096);
    if (open_page(net->options.settings->page_dir, &page, &report)) {
        lsig_page_free(net->page);
        net->page = page;
    } else {
        lsig_log(LSIG_WARNING, "page-failed", LSIG_LOG_SPAN("message", lsig_buf_span(&report)));
    }
    lsig_buf_clear(&report);
}

void lsig_net_reload_tls(struct lsig_net *net)
{
    struct lsig_buf report;
    if (net->tls == NULL) {
        return;
    }
    lsig_buf_init(&report, 4096);
    if (lsig_tls_reload(net->tls, &report)) {
        net->options.metrics->tls_certificate_end = lsig_tls_end(net->tls);
    } else {
        lsig_log(LSIG_ERROR, "tls-reload-failed", LSIG_LOG_SPAN("message", lsig_buf_span(&report)),
                 LSIG_LOG_TEXT("advice", "the old certificate stays in use"));
    }
    lsig_buf_clear(&report);
}

static void on_drain_check(uv_timer_t *timer)
{
    struct lsig_net *net = timer->data;
    if (net->session_count > 0 && lsig_clock_now().mono_ms < net->drain_until_ms) {
        return;
    }
    uv_timer_stop(timer);
    lsig_session_lose_all(net);
    lsig_handover_write(net);
    net->on_closed(net->on_closed_arg);
}

void lsig_net_drain(struct lsig_net *net, int64_t close_ms, void (*on_closed)(void *arg), void *arg)
{
    assert(!net->draining);
    net->draining = true;
    net->on_closed = on_closed;
    net->on_closed_arg = arg;
    net->drain_until_ms = lsig_clock_now().mono_ms + close_ms;
    lsig_listener_free(net->listener);
    net->listener = NULL;
    lsig_session_drain_all(net, lsig_status_close_code(LSIG_DRAINING),
                           "the server is shutting down");
    uv_timer_start(&net->drain_timer, on_drain_check, 0, DRAIN_CHECK_MS);
}

void lsig_net_end(struct lsig_net *net)
{
    net->draining = true;
    net->ended = true;
    lsig_session_end_all(net);
    lsig_listener_free(net->listener);
    net->listener = NULL;
    lsig_listener_free(net->admin_listener);
    net->admin_listener = NULL;
    uv_close((uv_handle_t *)&net->prepare, NULL);
    uv_close((uv_handle_t *)&net->check, NULL);
    uv_close((uv_handle_t *)&net->tick, NULL);
    uv_close((uv_handle_t *)&net->second, NULL);
    uv_close((uv_handle_t *)&net->drain_timer, NULL);
}

void lsig_net_free(struct lsig_net *net)
{
    if (net->lws != NULL) {
        lws_context_destroy(net->lws);
    }
}

void lsig_net_finish(struct lsig_net *net)
{
    if (net->lws != NULL) {
        lws_context_destroy(net->lws); // the second call, after the loop has run out
    }
    lsig_frame_watch_close(net);
    lsig_heads_clear(&net->heads);
    lsig_tls_free(net->tls);
    lsig_admission_clear(&net->admission);
    lsig_admission_clear(&net->admin_admission);
    lsig_admin_free(net->admin);
    lsig_page_free(net->page);
    lsig_route_requests_free(net->route_requests);
    free(net->scratch);
    free(net);
}
