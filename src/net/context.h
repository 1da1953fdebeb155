// context.h - what the files of net/ share: one struct lsig_net, and one struct lsig_socket per TCP
// connection.
#pragma once

#include <libwebsockets.h>
#include <uv.h>

#include "net/address.h"
#include "net/admission.h"
#include "net/net.h"

struct lsig_listener;
struct lsig_page;
struct lsig_session;
struct lsig_http;

struct lsig_net {
    struct lsig_net_options options;
    struct lws_context *lws;
    struct lws_vhost *vhost;
    struct lsig_listener *listener;
    struct lsig_admission admission;
    struct lsig_page *page;        // NULL: none
    struct lsig_session *sessions; // all open ones
    struct lsig_session *dirty;    // something waits to be written
    struct lsig_http *uploads;     // requests whose body is on its way (http.c)
    int upload_count;
    int64_t outbox_bytes;   // of all sessions
    unsigned char *scratch; // LWS_PRE + scratch_size bytes: the frames of one write
    size_t scratch_size;
    uint64_t turn_ms; // uv_now of the turn that the flow's time belongs to
    int64_t session_count;
    uv_prepare_t prepare; // end of a turn: flush
    uv_check_t check;     // input has been handled: how long it took
    uv_timer_t tick;      // work of the flow that is due by time
    uv_timer_t second;    // pings, deadlines of sessions
    bool draining;
    uv_timer_t drain_timer;
    void (*on_closed)(void *arg);
    void *on_closed_arg;
    int64_t drain_until_ms; // monotonic
};

// One TCP connection in the hands of libwebsockets; its opaque user data. Freed in WSI_DESTROY.
struct lsig_socket {
    struct lsig_net *net;
    struct lsig_session *session;    // a WebSocket, from the upgrade on
    struct lsig_http *http;          // a request under way
    char address[LSIG_ADDRESS_SIZE]; // of the client, behind trusted proxies once a head was read
    bool counted;                    // has a place of that address (admission.h)
};

// The callback of libwebsockets, by kind of event.
int lsig_session_callback(struct lws *wsi, enum lws_callback_reasons reason, void *in, size_t len);
int lsig_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *in, size_t len);
struct lsig_socket *lsig_socket_of(struct lws *wsi);
