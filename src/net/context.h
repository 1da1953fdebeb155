// context.h - what the files of net/ share: one struct lsig_net, and one struct lsig_socket per TCP
// connection.
#pragma once

#include <libwebsockets.h>
#include <uv.h>

#include "net/address.h"
#include "net/admission.h"
#include "net/frames.h"
#include "net/net.h"

struct lsig_admin;
struct lsig_listener;
struct lsig_page;
struct lsig_route_requests;
struct lsig_session;
struct lsig_http;
struct lsig_head;
struct lsig_tls;

// Request heads that are awaited (heads.h).
struct lsig_heads {
    struct lsig_admission places;
    struct lsig_head *first;
    int ending; // of them: closed by us, not gone yet
    bool freed; // places, since the listener last looked
};

struct lsig_net {
    struct lsig_net_options options;
    struct lws_context *lws;
    struct lws_vhost *vhost;
    struct lsig_listener *listener;
    struct lsig_listener *admin_listener; // NULL: no admin API
    struct lsig_admin *admin;             // likewise
    struct lsig_admission admission;
    struct lsig_admission admin_admission;
    struct lsig_tls *tls; // NULL: plain HTTP
    struct lsig_heads heads;
    struct lsig_page *page;        // NULL: none
    struct lsig_session *sessions; // all open ones
    struct lsig_session *away;     // lost ones that may resume
    struct lsig_session *orphans;  // to be freed at the end of the turn: another took their socket
    struct lsig_session *dirty;    // something waits to be written
    struct lsig_http *uploads;     // requests whose body is on its way (http.c)
    int upload_count;
    size_t upload_bytes;                        // announced by them
    struct lsig_route_requests *route_requests; // of policies
    int64_t outbox_bytes;                       // waiting, of all open sessions
    int64_t kept_bytes;                         // for sessions that may resume
    int64_t buffered_bytes; // the rests of writes, in the hands of libwebsockets
    unsigned char *scratch; // LWS_PRE + scratch_size bytes: the frames of one write
    size_t scratch_size;
    bool service_due; // a time-out was set outside of a callback: libwebsockets has to look at it
    uint64_t turn_ms; // uv_now of the turn that the flow's time belongs to
    int64_t session_count;
    uv_prepare_t prepare; // end of a turn: flush
    uv_check_t check;     // input has been handled: how long it took
    uv_timer_t tick;      // work of the flow that is due by time
    uv_timer_t second;    // pings, deadlines of sessions
    bool draining;
    bool ended; // nothing is read any more
    uv_timer_t drain_timer;
    void (*on_closed)(void *arg);
    void *on_closed_arg;
    int64_t drain_until_ms; // monotonic
};

// What the watch knows of one connection (frame_watch.h).
struct lsig_watch {
    const char *breach; // of the rules of frames, and which; NULL: none
    struct lsig_frames frames;
    int fd;
    bool seen;      // its reads pass the watch
    bool websocket; // they are frames now
    bool deaf;      // nothing that comes is looked at any more
};

// One TCP connection in the hands of libwebsockets; its opaque user data. Freed in WSI_DESTROY.
struct lsig_socket {
    struct lsig_net *net;
    struct lsig_session *session;    // a WebSocket, from the upgrade on
    struct lsig_http *http;          // a request under way
    struct lsig_head *head;          // the next one is awaited
    char address[LSIG_ADDRESS_SIZE]; // of the client, behind trusted proxies once a head was read
    bool counted;                    // has a place of that address (admission.h)
    bool admin;                      // came to the address of the admin API
    struct lsig_watch watch;
};

// The callback of libwebsockets, by kind of event.
int lsig_session_callback(struct lws *wsi, enum lws_callback_reasons reason, void *in, size_t len);
int lsig_http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *in, size_t len);
struct lsig_socket *lsig_socket_of(struct lws *wsi);
