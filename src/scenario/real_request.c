// HTTP requests to a running server.
#include "scenario/ask.h"
#include "scenario/real.h"

enum { PATH_SIZE = 16 * 1024, BODY_MAX = 4 * 1024 * 1024 };

static void take_plain(struct lsig_real_stage *stage, struct lsig_buf *text)
{
    struct lsig_buf plain;
    lsig_buf_init(&plain, text->max);
    lsig_real_names_take(&stage->names, lsig_buf_span(text), &plain);
    lsig_buf_clear(text);
    *text = plain;
}

bool lsig_real_fetch(struct lsig_asking *asking,
                     const struct lsig_real_request *request,
                     struct lsig_real_answer *answer)
{
    struct lsig_real_stage *stage = asking->world->stage;
    struct lsig_real_request real = *request;
    struct lsig_buf path;
    struct lsig_buf body;
    if (!lsig_real_take_turn(asking)) {
        return false;
    }
    lsig_buf_init(&path, PATH_SIZE);
    lsig_buf_init(&body, BODY_MAX);
    lsig_real_names_put_path(&stage->names, lsig_span_of(request->path), &path);
    real.path = lsig_buf_span(&path).data;
    if (request->body.data != NULL) {
        lsig_real_names_put(&stage->names, request->body, &body);
        real.body = lsig_buf_span(&body);
    }
    stage->port->request(stage->port->self, &real, answer);
    lsig_buf_clear(&path);
    lsig_buf_clear(&body);
    take_plain(stage, &answer->head);
    take_plain(stage, &answer->body);
    return answer->status != 0 || lsig_ask_fail(asking, "no answer: %s", answer->fault);
}
