#include "flow/dispatch.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "flow/line.h"

static void message_free(struct lsig_message *message)
{
    free(message->bytes);
    free(message);
}

static struct lsig_message *message_keep(struct lsig_client *client,
                                         const struct lsig_envelope *envelope)
{
    struct lsig_message *message = lsig_alloc(sizeof(*message));
    message->client = client;
    message->bytes = lsig_strndup(envelope->frame.data, envelope->frame.len);
    struct lsig_refusal unused;
    // Scanned again rather than moved span by span: what was accepted once is accepted again.
    enum lsig_status status = lsig_envelope_parse(
        &message->envelope, (struct lsig_span){message->bytes, envelope->frame.len}, &unused);
    assert(status == LSIG_OK);
    return message;
}

static void on_hooks_done(void *arg, enum lsig_status status, const struct lsig_refusal *refusal)
{
    struct lsig_message *message = arg;
    struct lsig_client *client = message->client;
    assert(client->message == message);
    client->run = NULL;
    lsig_line_on_verdict(client, status, refusal);
    client->message = NULL;
    message_free(message);
    lsig_line_resume(client);
}

enum lsig_status lsig_dispatch(struct lsig_client *client,
                               const struct lsig_rule *rule,
                               const struct lsig_envelope *envelope,
                               struct lsig_refusal *refusal)
{
    if (!rule->has_hooks) {
        return LSIG_OK;
    }
    struct lsig_message *message = message_keep(client, envelope);
    struct lsig_hook_event event = {
        .kind = LSIG_HOOK_MESSAGE,
        .member = client->member,
        .rule = rule,
        .message = &message->envelope,
    };
    enum lsig_status status = lsig_script_call(client->flow->script, &event, refusal, on_hooks_done,
                                               message, &client->run);
    if (status == LSIG_WAITING) {
        client->message = message;
    } else {
        client->run = NULL;
        message_free(message);
    }
    return status;
}

void lsig_dispatch_drop(struct lsig_client *client)
{
    if (client->run != NULL) {
        lsig_script_drop(client->run);
        client->run = NULL;
    }
    if (client->message != NULL) {
        message_free(client->message);
        client->message = NULL;
    }
}
