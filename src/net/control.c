#include "net/control.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "flow/operate_answer.h"
#include "flow/operate_watch.h"

enum {
    READ_SIZE = 65536,
    ANSWERS_MAX = 1024 * 1024, // bytes that wait; then nothing more is read
    OUT_MAX = ANSWERS_MAX + LSIG_OPERATE_ANSWER_MAX + 4096,
};

struct lsig_control {
    struct uv_loop_s *loop;
    struct lsig_operate *operate;
    struct lsig_control_file file;
    uv_pipe_t pipe;
    uv_prepare_t flush; // runs while a link is dirty
    struct link *links;
    int link_count;
    int open_handles; // links included
    char scratch[READ_SIZE];
};

// One client.
struct link {
    struct lsig_operate_watch watch; // while watching
    struct lsig_operate_wait wait;   // while asking
    uv_pipe_t pipe;
    uv_write_t write;
    struct lsig_control *control;
    struct link *next;
    struct link *previous;
    struct lsig_buf in;
    struct lsig_buf out;
    char *sending; // what libuv writes now; NULL: nothing
    size_t sending_len;
    int64_t full_since_ms; // lines of a watch are dropped, or when it last read; monotonic; 0: none
    bool watching;
    bool dirty;   // lines of a watch wait for the end of the turn
    bool stalled; // to be closed there
    bool paused;  // nothing is read
    bool ending;  // closed when everything is sent
    bool asking;  // an answer comes later; until then nothing more is taken
    bool closing;
    char who[LSIG_CONTROL_WHO_SIZE];
};

// --- the end of a link

static void on_handle_closed(uv_handle_t *handle)
{
    struct lsig_control *control = handle->data;
    control->open_handles -= 1;
    if (control->open_handles == 0) {
        free(control);
    }
}

static void on_link_closed(uv_handle_t *handle)
{
    struct link *link = handle->data;
    handle->data = link->control;
    if (link->in.data != NULL) {
        explicit_bzero(link->in.data, link->in.capacity);
    }
    lsig_buf_clear(&link->in);
    lsig_buf_clear(&link->out);
    free(link->sending);
    on_handle_closed(handle);
    free(link);
}

static void link_close(struct link *link)
{
    struct lsig_control *control = link->control;
    if (link->closing) {
        return;
    }
    link->closing = true;
    if (link->watching) {
        lsig_operate_watch_close(&link->watch);
    }
    lsig_operate_forget(&link->wait);
    *(link->previous != NULL ? &link->previous->next : &control->links) = link->next;
    if (link->next != NULL) {
        link->next->previous = link->previous;
    }
    control->link_count -= 1;
    uv_close((uv_handle_t *)&link->pipe, on_link_closed);
}

// --- writing

static void take_lines(struct link *link);

static void flush(struct link *link);

static size_t waiting(const struct link *link)
{
    return link->out.len + link->sending_len;
}

static int64_t now_ms(const struct link *link)
{
    return lsig_operate_flow(link->control->operate)->now.mono_ms;
}

static void on_written(uv_write_t *write, int status)
{
    struct link *link = write->data;
    free(link->sending);
    link->sending = NULL;
    link->sending_len = 0;
    if (link->closing) {
        return;
    }
    if (status < 0) {
        link_close(link);
        return;
    }
    if (link->full_since_ms != 0) {
        bool room = waiting(link) <= LSIG_CONTROL_WATCH_MAX / 2;
        link->full_since_ms = room ? 0 : now_ms(link);
    }
    if (link->watching) {
        lsig_operate_watch_catch_up(&link->watch);
    }
    flush(link);
    if (!link->closing && link->paused && waiting(link) < ANSWERS_MAX) {
        take_lines(link);
    }
}

static void flush(struct link *link)
{
    if (link->closing || link->sending != NULL) {
        return;
    }
    if (link->out.len == 0) {
        if (link->ending && !link->asking) {
            link_close(link);
        }
        return;
    }
    link->sending = lsig_buf_take(&link->out, &link->sending_len);
    uv_buf_t bytes = uv_buf_init(link->sending, (unsigned int)link->sending_len);
    link->write.data = link;
    if (uv_write(&link->write, (uv_stream_t *)&link->pipe, &bytes, 1, on_written) != 0) {
        link_close(link);
    }
}

// What watchers are told within a turn goes out at its end, in one write.
static void on_flush(uv_prepare_t *prepare)
{
    struct lsig_control *control = prepare->data;
    struct link *next;
    uv_prepare_stop(prepare);
    for (struct link *at = control->links; at != NULL; at = next) {
        next = at->next;
        if (at->stalled) {
            lsig_log(LSIG_WARNING, "watch-closed", LSIG_LOG_TEXT("who", at->who),
                     LSIG_LOG_TEXT("why", "it does not read"),
                     LSIG_LOG_NUMBER("dropped", at->watch.dropped));
            link_close(at);
        } else if (at->dirty) {
            at->dirty = false;
            flush(at);
        }
    }
}

static void answer(struct link *link, int status, struct lsig_span object)
{
    struct lsig_buf line;
    lsig_buf_init(&line, LSIG_OPERATE_ANSWER_MAX + 64);
    lsig_json_open(&line, NULL, '{');
    lsig_json_integer(&line, "status", status);
    lsig_json_raw(&line, "answer", object);
    lsig_json_close(&line, '}');
    lsig_buf_append(&line, "\n", 1);
    assert(!line.overflowed);
    lsig_buf_append_span(&link->out, lsig_buf_span(&line));
    assert(!link->out.overflowed);
    lsig_buf_clear(&line);
    flush(link);
}

static void refuse(struct link *link, int status, const char *detail)
{
    struct lsig_buf object;
    lsig_buf_init(&object, 4096);
    lsig_operate_print_detail(&object, detail);
    answer(link, status, lsig_buf_span(&object));
    lsig_buf_clear(&object);
}

// --- requests

static bool on_watch_line(void *arg, struct lsig_span line)
{
    struct link *link = arg;
    struct lsig_control *control = link->control;
    // Once lines are dropped, more of them are until there is some room: not one by one.
    bool fits = link->full_since_ms == 0 && waiting(link) + line.len <= LSIG_CONTROL_WATCH_MAX;
    if (fits) {
        lsig_buf_append_span(&link->out, line);
        link->dirty = true;
    } else if (link->full_since_ms == 0) {
        link->full_since_ms = now_ms(link);
    } else {
        link->stalled = now_ms(link) - link->full_since_ms >= LSIG_CONTROL_STALL_MS;
    }
    if (link->dirty || link->stalled) {
        uv_prepare_start(&control->flush, on_flush);
    }
    return fits;
}

static void begin_watch(struct link *link, const struct lsig_operate_request *request)
{
    struct lsig_buf object;
    link->watch.on_line = on_watch_line;
    link->watch.arg = link;
    lsig_operate_log(request, link->who, 200);
    lsig_operate_watch_open(&link->watch, lsig_operate_flow(link->control->operate), request);
    link->watching = true;
    lsig_buf_init(&object, 1024);
    lsig_json_open(&object, NULL, '{');
    if (request->room_id[0] != '\0') {
        lsig_json_string(&object, "room_id", request->room_id);
    } else {
        lsig_json_string(&object, "user_id", request->user_id);
    }
    lsig_json_close(&object, '}');
    answer(link, 200, lsig_buf_span(&object));
    lsig_buf_clear(&object);
}

static void on_answer(void *arg, int status, struct lsig_span object)
{
    struct link *link = arg;
    link->asking = false;
    answer(link, status, object);
    take_lines(link);
}

static void handle(struct link *link, struct lsig_span line)
{
    char detail[LSIG_OPERATE_DETAIL_SIZE];
    struct lsig_operate_request request = {0};
    if (!lsig_operate_request_read(&request, line, detail) ||
        !lsig_operate_request_check(&request, detail)) {
        refuse(link, 400, detail);
    } else if (request.command == LSIG_OPERATE_WATCH) {
        begin_watch(link, &request);
    } else {
        struct lsig_buf object;
        lsig_buf_init(&object, LSIG_OPERATE_ANSWER_MAX);
        link->wait.on_answer = on_answer;
        link->wait.arg = link;
        int status =
            lsig_operate_run(link->control->operate, &request, link->who, &link->wait, &object);
        link->asking = status == 0;
        if (!link->asking) {
            answer(link, status, lsig_buf_span(&object));
        }
        lsig_buf_clear(&object);
    }
    lsig_operate_request_clear(&request);
}

// Takes the first `len` bytes out, which may hold a token.
static void forget(struct lsig_buf *in, size_t len)
{
    memmove(in->data, in->data + len, in->len - len);
    explicit_bzero(in->data + in->len - len, len);
    in->len -= len;
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *bytes);

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *bytes)
{
    (void)suggested;
    struct link *link = handle->data;
    *bytes = uv_buf_init(link->control->scratch, sizeof(link->control->scratch));
}

static void take_lines(struct link *link)
{
    while (!link->ending && !link->closing && !link->watching && !link->asking &&
           waiting(link) < ANSWERS_MAX) {
        const char *end = link->in.len > 0 ? memchr(link->in.data, '\n', link->in.len) : NULL;
        size_t len = end != NULL ? (size_t)(end - link->in.data) : link->in.len;
        if (len > LSIG_OPERATE_REQUEST_MAX) {
            link->ending = true;
            refuse(link, 413, "the request is above 64 KiB");
            return;
        }
        if (end == NULL) {
            break;
        }
        struct lsig_span line = {link->in.data, len};
        if (len > 0 && !(len == 1 && line.data[0] == '\r')) {
            handle(link, line);
        }
        forget(&link->in, len + 1);
    }
    bool pause = link->asking || waiting(link) >= ANSWERS_MAX;
    if (!link->closing && !link->ending && pause != link->paused) {
        link->paused = pause;
        if (pause) {
            uv_read_stop((uv_stream_t *)&link->pipe);
        } else {
            uv_read_start((uv_stream_t *)&link->pipe, on_alloc, on_read);
        }
    }
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *bytes)
{
    struct link *link = stream->data;
    if (len == 0 || link->closing) {
        return;
    }
    if (len < 0) {
        // It asks for nothing more; what it asked for it gets. A watch ends.
        link->ending = true;
        uv_read_stop(stream);
        if (link->watching || len != UV_EOF) {
            link_close(link);
        } else {
            flush(link);
        }
        return;
    }
    lsig_flow_set_time(lsig_operate_flow(link->control->operate), lsig_clock_now());
    if (!link->watching && !link->ending) {
        lsig_buf_append(&link->in, bytes->base, (size_t)len);
        assert(!link->in.overflowed);
        take_lines(link);
    }
    explicit_bzero(bytes->base, (size_t)len);
}

// --- connections

static void on_connection(uv_stream_t *stream, int status)
{
    struct lsig_control *control = stream->data;
    uv_os_fd_t fd = -1;
    if (status < 0) {
        return;
    }
    struct link *link = lsig_alloc(sizeof(*link));
    link->control = control;
    lsig_buf_init(&link->in, LSIG_OPERATE_REQUEST_MAX + READ_SIZE + 1);
    lsig_buf_init(&link->out, OUT_MAX);
    uv_pipe_init(control->loop, &link->pipe, 0);
    link->pipe.data = link;
    control->open_handles += 1;
    link->next = control->links;
    if (link->next != NULL) {
        link->next->previous = link;
    }
    control->links = link;
    control->link_count += 1;
    if (uv_accept(stream, (uv_stream_t *)&link->pipe) != 0 ||
        uv_fileno((uv_handle_t *)&link->pipe, &fd) != 0) {
        link_close(link);
        return;
    }
    if (!lsig_control_peer_ok(fd, &control->file, link->who)) {
        lsig_log(LSIG_WARNING, "operator-refused", LSIG_LOG_TEXT("who", link->who));
        link->ending = true;
        refuse(link, 403, "this user may not give orders to the server");
    } else if (control->link_count > LSIG_CONTROL_LINKS_MAX) {
        link->ending = true;
        refuse(link, 503, "too many connections to the control socket");
    } else {
        uv_read_start((uv_stream_t *)&link->pipe, on_alloc, on_read);
    }
}

struct lsig_control *lsig_control_open(struct uv_loop_s *loop,
                                       struct lsig_operate *operate,
                                       const char *path,
                                       struct lsig_buf *report)
{
    struct lsig_control *control = lsig_alloc(sizeof(*control));
    control->loop = loop;
    control->operate = operate;
    assert(strlen(path) < sizeof(control->file.path));
    memcpy(control->file.path, path, strlen(path) + 1);
    int fd = lsig_control_socket_open(&control->file, report);
    if (fd < 0) {
        free(control);
        return NULL;
    }
    uv_pipe_init(loop, &control->pipe, 0);
    uv_prepare_init(loop, &control->flush);
    control->pipe.data = control;
    control->flush.data = control;
    control->open_handles = 2;
    int failed = uv_pipe_open(&control->pipe, fd);
    failed = failed != 0
                 ? failed
                 : uv_listen((uv_stream_t *)&control->pipe, LSIG_CONTROL_LINKS_MAX, on_connection);
    if (failed != 0) {
        lsig_buf_append_format(report, "control socket %s: %s\n", path, uv_strerror(failed));
        lsig_control_close(control);
        return NULL;
    }
    return control;
}

const char *lsig_control_where(const struct lsig_control *control)
{
    return control->file.path;
}

void lsig_control_close(struct lsig_control *control)
{
    if (control == NULL) {
        return;
    }
    lsig_control_socket_remove(&control->file);
    while (control->links != NULL) {
        struct link *link = control->links;
        if (link->sending == NULL && link->out.len > 0) {
            uv_buf_t rest = uv_buf_init(link->out.data, (unsigned int)link->out.len);
            (void)!uv_try_write((uv_stream_t *)&link->pipe, &rest, 1);
        }
        link_close(link);
    }
    uv_close((uv_handle_t *)&control->flush, on_handle_closed);
    uv_close((uv_handle_t *)&control->pipe, on_handle_closed);
}
