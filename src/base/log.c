#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"

enum { RING_BYTES = 1024 * 1024, DRAIN_SECONDS = 1 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_cond_t drained;
    pthread_t writer;
    char *ring;
    size_t head; // first byte to write
    size_t len;  // bytes that wait
    bool open;
    bool closing;
    bool finished; // the writer has written everything and ends
    bool json;
    atomic_int lowest;
    atomic_llong dropped;
} the_log = {.lock = PTHREAD_MUTEX_INITIALIZER, .lowest = LSIG_INFO};

static _Thread_local const struct lsig_log_taker *the_taker; // of the calling thread

static const char *const level_names[] = {"debug", "info", "warning", "error"};

static void write_all(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(STDERR_FILENO, bytes, len);
        if (put < 0 && errno != EINTR && errno != EAGAIN) {
            return; // nobody reads any more: logging must not end the server
        }
        if (put > 0) {
            bytes += put;
            len -= (size_t)put;
        }
    }
}

static void *writer_run(void *unused)
{
    (void)unused;
    char chunk[16384];
    pthread_mutex_lock(&the_log.lock);
    for (;;) {
        while (the_log.len == 0 && !the_log.closing) {
            pthread_cond_wait(&the_log.filled, &the_log.lock);
        }
        if (the_log.len == 0) {
            break;
        }
        size_t part = RING_BYTES - the_log.head;
        part = part < the_log.len ? part : the_log.len;
        part = part < sizeof(chunk) ? part : sizeof(chunk);
        memcpy(chunk, the_log.ring + the_log.head, part);
        the_log.head = (the_log.head + part) % RING_BYTES;
        the_log.len -= part;
        pthread_mutex_unlock(&the_log.lock);
        write_all(chunk, part);
        pthread_mutex_lock(&the_log.lock);
    }
    the_log.finished = true;
    pthread_cond_signal(&the_log.drained);
    pthread_mutex_unlock(&the_log.lock);
    return NULL;
}

void lsig_log_open(enum lsig_log_level lowest, bool json)
{
    assert(!the_log.open);
    the_log.json = json;
    the_log.ring = lsig_alloc(RING_BYTES);
    the_log.head = 0;
    the_log.len = 0;
    the_log.closing = false;
    the_log.finished = false;
    lsig_log_set_level(lowest);
    pthread_cond_init(&the_log.filled, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&the_log.drained, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&the_log.writer, NULL, writer_run, NULL) != 0) {
        abort();
    }
    the_log.open = true;
}

void lsig_log_close(void)
{
    if (!the_log.open) {
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += DRAIN_SECONDS;
    pthread_mutex_lock(&the_log.lock);
    the_log.closing = true;
    pthread_cond_signal(&the_log.filled);
    int late = 0;
    while (!the_log.finished && late == 0) {
        late = pthread_cond_timedwait(&the_log.drained, &the_log.lock, &until);
    }
    the_log.open = false;
    pthread_mutex_unlock(&the_log.lock);
    if (late != 0) {
        return; // the reader of our standard error hangs: leave the writer to the end of the
                // process
    }
    pthread_join(the_log.writer, NULL);
    free(the_log.ring);
    the_log.ring = NULL;
}

void lsig_log_set_level(enum lsig_log_level lowest)
{
    atomic_store(&the_log.lowest, (int)lowest);
}

int64_t lsig_log_dropped(void)
{
    return atomic_load(&the_log.dropped);
}

// A value is quoted where it has anything but plain characters, so that a name cannot forge a field
// or a line.
static void append_quoted(struct lsig_buf *line, struct lsig_span text, bool always)
{
    bool plain = !always && text.len > 0;
    for (size_t i = 0; plain && i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        plain = c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
    }
    if (plain) {
        lsig_buf_append_span(line, text);
        return;
    }
    lsig_buf_append_text(line, "\"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\') {
            lsig_buf_append_format(line, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            lsig_buf_append_format(line, "\\u%04x", c);
        } else {
            lsig_buf_append(line, &c, 1);
        }
    }
    lsig_buf_append_text(line, "\"");
}

static void append_field(struct lsig_buf *line, const struct lsig_log_field *field)
{
    bool json = the_log.json;
    lsig_buf_append_format(line, json ? ",\"%s\":" : " %s=", field->name);
    if (field->text.data != NULL) {
        append_quoted(line, field->text, json);
    } else {
        lsig_buf_append_format(line, "%lld", (long long)field->number);
    }
}

static void ring_push(struct lsig_span line)
{
    pthread_mutex_lock(&the_log.lock);
    if (!the_log.open || line.len > RING_BYTES - the_log.len) {
        atomic_fetch_add(&the_log.dropped, 1);
    } else {
        size_t tail = (the_log.head + the_log.len) % RING_BYTES;
        size_t part = RING_BYTES - tail;
        part = part < line.len ? part : line.len;
        memcpy(the_log.ring + tail, line.data, part);
        memcpy(the_log.ring, line.data + part, line.len - part);
        the_log.len += line.len;
        pthread_cond_signal(&the_log.filled);
    }
    pthread_mutex_unlock(&the_log.lock);
}

const struct lsig_log_taker *lsig_log_divert(const struct lsig_log_taker *taker)
{
    const struct lsig_log_taker *before = the_taker;
    the_taker = taker;
    return before;
}

void lsig_log_write(enum lsig_log_level level,
                    const char *event,
                    const struct lsig_log_field *fields,
                    size_t count)
{
    if (the_taker != NULL) {
        the_taker->take(the_taker->self, level, event, fields, count);
        return;
    }
    if (!the_log.open || (int)level < atomic_load(&the_log.lowest)) {
        return;
    }
    char time_text[LSIG_CLOCK_ISO_SIZE];
    lsig_clock_print_iso(time_text, lsig_clock_now().wall_ms);
    struct lsig_buf line;
    lsig_buf_init(&line, LSIG_LOG_LINE_MAX);
    if (the_log.json) {
        lsig_buf_append_format(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"",
                               time_text, level_names[level], event);
    } else {
        lsig_buf_append_format(&line, "%s %s %s", time_text, level_names[level], event);
    }
    // A field that would make the line too long is left out whole, so that the rest stays readable.
    for (size_t i = 0; i < count; i++) {
        size_t before = line.len;
        append_field(&line, &fields[i]);
        if (line.overflowed || line.len > LSIG_LOG_LINE_MAX - 2) {
            line.len = before;
            line.overflowed = false;
        }
    }
    lsig_buf_append_text(&line, the_log.json ? "}\n" : "\n");
    ring_push(lsig_buf_span(&line));
    lsig_buf_clear(&line);
}
