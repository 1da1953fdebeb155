"""One-time tickets: what stands in a URL in place of an access token."""

import json
import time

import pytest
from lunasig_client import V1, Refused, assert_unauthorized, handshake_headers, room_path, upgrade
from lunasig_secrets import confidential, make_token

BAD = {"detail": "Could not validate credentials"}


def ask(server, token, **body):
    return server.http("POST", "/webrtc/ticket", token=token, **({"json_body": body} if body else {}))


def ticket_of(server, user, **body):
    answer = ask(server, make_token(user), **body)
    assert answer.status == 200, answer
    return answer.json["ticket"]


def enter(server, room, ticket, headers=None, v1=False, **query):
    headers = headers or handshake_headers(**({"Sec_WebSocket_Protocol": V1} if v1 else {}))
    return upgrade(server.port, room_path(room, ticket=confidential(ticket), **query), headers)


def assert_refused(server, room, ticket, status=401, **how):
    with pytest.raises(Refused) as caught:
        enter(server, room, ticket, **how)
    assert caught.value.status == status
    if status == 401:
        assert_unauthorized(caught.value)
        assert caught.value.answer.json == BAD


def test_a_ticket_is_43_characters_for_30_seconds(server):
    answer = ask(server, make_token("ann"))
    assert answer.status == 200 and set(answer.json) == {"ticket", "expires_in"}
    assert len(answer.json["ticket"]) == 43 and answer.json["expires_in"] == 30
    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize("v1", [False, True])
def test_a_ticket_opens_one_websocket_as_its_user(server, room, v1):
    ticket = ticket_of(server, "ann")
    ann = enter(server, room, ticket, v1=v1)
    state = ann.expect("room-state")["payload"]
    assert [p["user_id"] for p in state["participants"]] == ["ann"]
    assert_refused(server, room, ticket)
    ann.leave()


def test_no_token_no_ticket(server):
    answer = server.http("POST", "/webrtc/ticket")
    assert (answer.status, answer.json) == (401, {"detail": "Not authenticated"})
    answer = ask(server, make_token("ann", exp=int(time.time()) - 120))
    assert (answer.status, answer.json) == (401, BAD)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert server.http("GET", "/webrtc/ticket").status == 405


@pytest.mark.parametrize("ticket", ["", "x", "A" * 43, "A" * 3000])
def test_an_unknown_ticket_is_401(server, room, ticket):
    assert_refused(server, room, ticket)
    assert_refused(server, room, ticket, v1=True)  # a ticket that is there is looked at, no auth message is waited for


def test_a_ticket_for_a_room_is_good_there_alone_and_used_up_elsewhere(server, room):
    enter(server, room, ticket_of(server, "ann", room_id=room)).expect("room-state")
    ticket = ticket_of(server, "ann", room_id=room)
    assert_refused(server, room + "x", ticket)
    assert_refused(server, room, ticket)


@pytest.mark.parametrize("body", [{"room_id": 7}, {"room_id": ""}, {"room_id": "a b"}, {"room_id": "x" * 101}, {"room_id": ["r"]}])
def test_a_room_of_a_wrong_shape_is_422(server, body):
    answer = ask(server, make_token("ann"), **body)
    assert answer.status == 422 and answer.json["detail"][0]["loc"] == ["body", "room_id"]


def test_the_body_is_optional(server, room):
    token = make_token("ann")
    for body in (b"", b"{}", b'{"room_id":null}', b'{"other":1}'):
        answer = server.http("POST", "/webrtc/ticket", token=token, body=body)
        assert answer.status == 200, (body, answer)
    for body in (b"[]", b"{", b"room_id=x"):
        assert server.http("POST", "/webrtc/ticket", token=token, body=body).status == 422


def test_a_ticket_that_is_not_looked_at_is_not_used_up(server, room):
    ticket = ticket_of(server, "ann")
    # The query's token and the header come first; the ticket is not asked for.
    upgrade(server.port, room_path(room, make_token("bob"), ticket=ticket)).expect("room-state")
    headers = handshake_headers(Authorization=f"Bearer {make_token('carl')}")
    enter(server, room, ticket, headers=headers).expect("room-state")
    # Refused before it comes to the token.
    assert_refused(server, room, ticket, status=426, headers=handshake_headers(Sec_WebSocket_Version="12"))
    assert_refused(server, "bad room", ticket, status=400)
    enter(server, room, ticket).expect("room-state")


def test_a_bad_token_in_an_earlier_place_is_not_replaced_by_a_ticket(server, room):
    ticket = ticket_of(server, "ann")
    for headers, query in (
        (handshake_headers(), {"token": "x"}),
        (handshake_headers(), {"token": ""}),
        (handshake_headers(Authorization="Bearer x"), {}),
    ):
        assert_refused(server, room, ticket, headers=headers, **query)
    enter(server, room, ticket).expect("room-state")


def test_a_ticket_is_used_up_also_when_the_handshake_is_refused_for_another_reason(start_server, room):
    server = start_server(WEBSOCKET_CONNECTION_LIMIT="1")
    ann = server.join(room, "ann")
    ticket = ticket_of(server, "ann")
    assert_refused(server, room, ticket, status=429)
    ann.leave()
    assert_refused(server, room, ticket)


def test_a_users_ninth_ticket_takes_the_place_of_his_oldest(server, room):
    others = ticket_of(server, "bob")
    tickets = [ticket_of(server, "ninth") for _ in range(9)]
    assert_refused(server, room, tickets[0])
    for ticket in tickets[1:]:
        enter(server, room, ticket).expect("room-state")
    enter(server, room, others).expect("room-state")


def test_a_ticket_carries_its_tokens_end_to_the_socket(start_server, room):
    server = start_server(JWT_LEEWAY_S="0")
    ticket = ask(server, make_token("ann", exp=int(time.time()) + 2)).json["ticket"]
    ann = enter(server, room, ticket, v1=True)
    ann.expect("room-state")
    assert ann.close_code() == 4401
    assert [m["payload"]["code"] for m in ann.last_words if m["type"] == "error"] == ["TOKEN_EXPIRED"]


def test_a_logout_kills_the_tickets_of_the_token_and_the_sockets_that_they_opened(server, room):
    token = make_token("dora")
    used, unused = (ask(server, token).json["ticket"] for _ in range(2))
    dora = enter(server, room, used)
    dora.expect("room-state")
    assert server.http("POST", "/auth/logout", token=token).status == 200
    assert dora.close_code(timeout=1) == 4401
    assert_refused(server, room, unused)
    assert ask(server, token).status == 401


def test_a_ticket_does_not_outlive_the_server(start_server, room):
    ticket = ticket_of(start_server(), "ann")
    assert_refused(start_server(), room, ticket)


def test_a_client_that_has_only_a_ticket_can_resume_with_its_next_one(server, room):
    ann = enter(server, room, ticket_of(server, "ann"), v1=True)
    session = ann.expect("room-state")["payload"]["session"]
    ann.vanish()
    again = enter(server, room, ticket_of(server, "ann"), v1=True, resume=session["resume_token"], seq=1)
    assert json.loads(again.recv_text())["payload"]["resumed"] is True
