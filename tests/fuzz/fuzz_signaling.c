// Session descriptions and candidates: any bytes are read without a fault; the verdict stays the
// same with other line ends, and when the text comes as a string of a payload.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "codec/candidate.h"
#include "codec/json.h"
#include "codec/schema.h"
#include "codec/sdp.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(struct lsig_span text)
{
    size_t lines = text.len > 0 ? 1 : 0;
    for (size_t i = 0; i + 1 < text.len; i++) {
        lines += text.data[i] == '\n' ? 1 : 0;
    }
    return lines;
}

static enum lsig_status check_sdp(struct lsig_span text)
{
    struct lsig_sdp_error error = {0, NULL};
    enum lsig_status status = lsig_sdp_check(text, &error);
    if (status != LSIG_OK) {
        EXPECT(status == LSIG_INVALID_MESSAGE && error.expected != NULL);
        EXPECT(error.line >= 1 && error.line <= count_lines(text) + 1);
    } else {
        EXPECT(text.len == 0 || (text.len > 5 && memcmp(text.data, "v=0", 3) == 0));
        EXPECT(text.len == 0 || memchr(text.data, '\0', text.len) == NULL);
    }
    return status;
}

static enum lsig_status check_candidate(struct lsig_span text)
{
    struct lsig_candidate_error error = {0, NULL};
    enum lsig_status status = lsig_candidate_check(text, &error);
    if (status != LSIG_OK) {
        EXPECT(status == LSIG_INVALID_MESSAGE && error.expected != NULL && error.at <= text.len);
    }
    return status;
}

// Every line of an accepted description that is a candidate passes as one.
static void check_lines(struct lsig_span text)
{
    while (text.len > 0) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.data) : text.len;
        struct lsig_span line = {text.data, len};
        line.len -= line.len > 0 && line.data[line.len - 1] == '\r' ? 1 : 0;
        if (line.len > 12 && memcmp(line.data, "a=candidate:", 12) == 0) {
            EXPECT(check_candidate(line) == LSIG_OK);
        }
        len += end != NULL ? 1 : 0;
        text = (struct lsig_span){text.data + len, text.len - len};
    }
}

// With LF in place of CRLF.
static void check_line_ends(struct lsig_span text, enum lsig_status wanted)
{
    char *plain = malloc(text.len + 1);
    EXPECT(plain != NULL);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool crlf = text.data[i] == '\r' && i + 1 < text.len && text.data[i + 1] == '\n';
        // A second CR in front of it would get its place.
        bool before = i > 0 && text.data[i - 1] == '\r';
        if (!crlf || before) {
            plain[len++] = text.data[i];
        }
    }
    bool doubled = false;
    for (size_t i = 0; i + 1 < text.len; i++) {
        doubled = doubled || (text.data[i] == '\r' && text.data[i + 1] == '\r');
    }
    EXPECT(doubled || check_sdp((struct lsig_span){plain, len}) == wanted);
    free(plain);
}

static void
check_payload(struct lsig_span text, enum lsig_schema_format format, enum lsig_status wanted)
{
    struct lsig_refusal refusal;
    struct lsig_buf json;
    lsig_buf_init(&json, 1 << 20);
    lsig_json_text(&json, NULL, text);
    struct lsig_schema *schema = lsig_schema_new(LSIG_JSON_STRING);
    schema->format = format;
    enum lsig_status strict = lsig_schema_check(schema, lsig_buf_span(&json), true, &refusal);
    EXPECT(strict == wanted);
    EXPECT(lsig_schema_check(schema, lsig_buf_span(&json), false, &refusal) == LSIG_OK);
    lsig_schema_free(schema);
    lsig_buf_clear(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = oracle_copy(data, size);
    struct lsig_span text = {copy, size};
    enum lsig_status sdp = check_sdp(text);
    enum lsig_status candidate = check_candidate(text);
    check_line_ends(text, sdp);
    if (sdp == LSIG_OK) {
        check_lines(text);
    }
    // The scanner lets neither of these through to a schema.
    if (oracle_is_utf8(text) && (size == 0 || memchr(copy, '\0', size) == NULL)) {
        check_payload(text, LSIG_FORMAT_SDP, sdp);
        check_payload(text, LSIG_FORMAT_CANDIDATE, candidate);
    }
    free(copy);
    return 0;
}
