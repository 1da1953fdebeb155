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

static struct lsig_message *message_keep(const struct lsig_envelope *envelope)
{
    struct lsig_message *message = lsig_alloc(sizeof(*message));
    message->bytes = lsig_strndup(envelope->frame.data, envelope->frame.len);
    struct lsig_refusal unused;
    // Scanned again rather than moved span by span: what was accepted once is accepted again.
    enum lsig_status status = lsig_envelope_parse(
        &message->envelope, (struct lsig_span){message->bytes, envelope->frame.len}, &unused);
    assert(status == LSIG_OK);
    return message;
}

static void on_hooks_done(void *arg, enum lsig_status status, struct lsig_hook_result *result)
{
    struct lsig_client *client = arg;
    struct lsig_message *message = client->message;
    client->run = NULL;
    lsig_line_on_verdict(client, status, result);
    client->message = NULL;
    message_free(message);
    lsig_line_resume(client);
}

enum lsig_status lsig_dispatch(struct lsig_client *client,
                               const struct lsig_rule *rule,
                               const struct lsig_envelope *envelope,
                               struct lsig_hook_result *result)
{
    if (!rule->has_hooks) {
        return LSIG_OK;
    }
    struct lsig_hook_event event = {
        .kind = LSIG_HOOK_MESSAGE,
        .member = client->member,
        .rule = rule,
        .message = envelope,
        .names_peers = client->connection.dialect == LSIG_V1,
    };
    client->message = NULL;
    enum lsig_status status =
        lsig_script_call(client->flow->script, &event, result, on_hooks_done, client, &client->run);
    if (status == LSIG_WAITING) {
        // The socket's buffer is used again meanwhile.
        client->message = message_keep(envelope);
        lsig_script_move_message(client->run, &client->message->envelope);
    } else {
        client->run = NULL;
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
