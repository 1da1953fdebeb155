#include "scenario/real_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"

enum { LETTERS = 6, LEARNED_MAX = 300 };

void lsig_real_names_init(struct lsig_real_names *names)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char bytes[LETTERS];
    lsig_random_bytes(bytes, sizeof(bytes));
    memcpy(names->ending, "-t", 2);
    for (size_t i = 0; i < LETTERS; i++) {
        names->ending[2 + i] = letters[bytes[i] % 32];
    }
    names->ending[2 + LETTERS] = '\0';
    names->first = NULL;
    lsig_buf_init(&names->said, LSIG_REAL_SAID_MAX);
}

void lsig_real_names_clear(struct lsig_real_names *names)
{
    while (names->first != NULL) {
        struct lsig_real_name *name = names->first;
        names->first = name->next;
        free(name->plain);
        free(name->real);
        free(name);
    }
    lsig_buf_clear(&names->said);
}

static const struct lsig_real_name *find(const struct lsig_real_names *names,
                                         struct lsig_span plain)
{
    const struct lsig_real_name *name = names->first;
    while (name != NULL && !lsig_span_is(plain, name->plain)) {
        name = name->next;
    }
    return name;
}

static const struct lsig_real_name *
learn(struct lsig_real_names *names, struct lsig_span plain, struct lsig_span real)
{
    struct lsig_real_name *name = lsig_alloc(sizeof(*name));
    name->plain = lsig_strndup(plain.data, plain.len);
    name->real = lsig_strndup(real.data, real.len);
    name->next = names->first;
    names->first = name;
    return name;
}

static bool was_said(const struct lsig_real_names *names, const char *plain)
{
    char quoted[LEARNED_MAX + 3];
    int len = snprintf(quoted, sizeof(quoted), "\"%s\"", plain);
    return names->said.len > 0 &&
           memmem(names->said.data, names->said.len, quoted, (size_t)len) != NULL;
}

const char *lsig_real_names_add(struct lsig_real_names *names, const char *plain, size_t longest)
{
    const struct lsig_real_name *name = find(names, lsig_span_of(plain));
    if (name == NULL) {
        char real[LEARNED_MAX];
        int len = snprintf(real, sizeof(real), "%s%s", plain, names->ending);
        bool stays = (size_t)len > longest || len >= LEARNED_MAX || was_said(names, plain);
        name = learn(names, lsig_span_of(plain), lsig_span_of(stays ? plain : real));
    }
    return name->real;
}

// The inside of the next JSON string behind *cursor, which goes behind it; false: there is none.
// Text that is no JSON has strings, too, as far as it has quotes.
static bool next_string(struct lsig_span text, size_t *cursor, struct lsig_span *inside)
{
    const char *open = memchr(text.data + *cursor, '"', text.len - *cursor);
    if (open == NULL) {
        return false;
    }
    size_t start = (size_t)(open - text.data) + 1;
    size_t end = start;
    while (end < text.len && text.data[end] != '"') {
        end += text.data[end] == '\\' ? 2 : 1;
    }
    if (end >= text.len) {
        return false;
    }
    *inside = (struct lsig_span){text.data + start, end - start};
    *cursor = end + 1;
    return true;
}

static void note_said(struct lsig_real_names *names, struct lsig_span text)
{
    lsig_buf_append_span(&names->said, text);
    lsig_buf_append(&names->said, "\n", 1);
}

void lsig_real_names_put(struct lsig_real_names *names, struct lsig_span text, struct lsig_buf *out)
{
    size_t cursor = 0;
    size_t copied = 0;
    struct lsig_span inside;
    while (next_string(text, &cursor, &inside)) {
        const struct lsig_real_name *name = find(names, inside);
        if (name != NULL) {
            size_t start = (size_t)(inside.data - text.data);
            lsig_buf_append(out, text.data + copied, start - copied);
            lsig_buf_append_text(out, name->real);
            copied = start + inside.len;
        }
    }
    lsig_buf_append(out, text.data + copied, text.len - copied);
    note_said(names, text);
}

void lsig_real_names_put_path(struct lsig_real_names *names,
                              struct lsig_span path,
                              struct lsig_buf *out)
{
    const char *at = path.data;
    const char *end = path.data + path.len;
    while (at < end) {
        size_t len = 0;
        while (at + len < end && strchr("/?&=", at[len]) == NULL) {
            len++;
        }
        struct lsig_span part = {at, len};
        const struct lsig_real_name *name = find(names, part);
        if (name != NULL) {
            lsig_buf_append_text(out, name->real);
        } else {
            lsig_buf_append_span(out, part);
            lsig_buf_append_format(&names->said, "\"%.*s\"\n", LSIG_SPAN_ARG(part));
        }
        at += len;
        if (at < end) {
            lsig_buf_append(out, at++, 1);
        }
    }
}

// Without the endings.
static void
append_plain(const struct lsig_real_names *names, struct lsig_span text, struct lsig_buf *out)
{
    size_t ending_len = strlen(names->ending);
    const char *at = text.data;
    const char *end = text.data + text.len;
    const char *found;
    while ((found = memmem(at, (size_t)(end - at), names->ending, ending_len)) != NULL) {
        lsig_buf_append(out, at, (size_t)(found - at));
        at = found + ending_len;
    }
    lsig_buf_append(out, at, (size_t)(end - at));
}

// Names that the server has made of ours (a room that begins with the id of another) are learned,
// so that they go back as they came.
static void learn_made(struct lsig_real_names *names, struct lsig_span text)
{
    size_t cursor = 0;
    struct lsig_span inside;
    while (next_string(text, &cursor, &inside)) {
        struct lsig_buf plain;
        if (inside.len >= LEARNED_MAX ||
            memmem(inside.data, inside.len, names->ending, strlen(names->ending)) == NULL) {
            continue;
        }
        lsig_buf_init(&plain, LEARNED_MAX);
        append_plain(names, inside, &plain);
        if (plain.len > 0 && find(names, lsig_buf_span(&plain)) == NULL) {
            learn(names, lsig_buf_span(&plain), inside);
        }
        lsig_buf_clear(&plain);
    }
}

void lsig_real_names_take(struct lsig_real_names *names,
                          struct lsig_span text,
                          struct lsig_buf *out)
{
    size_t before = out->len;
    learn_made(names, text);
    append_plain(names, text, out);
    note_said(names, (struct lsig_span){lsig_buf_span(out).data + before, out->len - before});
}
