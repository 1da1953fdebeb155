"""Many clients whose sockets break at random moments, by every kind of break: nothing is lost, doubled or reordered."""

import os
import random
import time

import lunasig_client as wire
import pytest
from lunasig_figures import show

# LUNASIG_CHAOS_S=600 for a long one.
SECONDS = float(os.environ.get("LUNASIG_CHAOS_S", "6"))
SETTINGS = {"RESUME_WINDOW_S": "60", "WEBSOCKET_MESSAGE_RATE_LIMIT": "0", "WEBSOCKET_BYTE_RATE_LIMIT": "0"}
ROOMS, MEMBERS = 4, 5


class Person:
    """Numbers its messages, remembers what was not acknowledged, and what it has heard of each other one."""

    def __init__(self, server, room, name):
        self.client = server.join(room, name, v1=True)
        self.name = name
        self.next_id = 1
        self.waiting = []
        self.heard = {}

    def say(self):
        self.transmit(self.next_id)
        self.waiting.append(self.next_id)
        self.next_id += 1

    def transmit(self, number):
        try:
            self.client.send("analytics-event", {"event_type": str(number)}, id=number)
        except OSError:
            pass  # it is sent again after the resume

    def take(self, message):
        if message["type"] == "ack":
            self.waiting.remove(message["payload"]["id"])
        elif message["type"] == "analytics-event":
            sender, number = message["sender_id"], int(message["payload"]["event_type"])
            assert number == self.heard.get(sender, 0) + 1, (self.name, sender, number, self.heard)
            self.heard[sender] = number

    def read(self, seconds):
        for message in self.client.listen(seconds):
            self.take(message)

    def come_back(self):
        self.client = wire.resume(self.client)
        assert self.client.room_state["resumed"] is True
        last = self.client.room_state["session"]["last_id"]
        for number in [n for n in self.waiting if n > last]:
            self.transmit(number)


def shatter(person, how):
    if how == "reset":
        person.client.wire.reset()
    elif how == "vanish":
        person.client.vanish()
    elif how == "half a frame":
        person.client.send_bytes(wire.encode_frame(wire.TEXT, b'{"type":"chat-message"')[:-3])
        person.client.vanish()
    # "take over": the old socket stays open


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_doubled_or_reordered(server, seed):
    dice = random.Random(seed)
    people = [Person(server, f"chaos{seed}-{room}", f"u{seed}-{room}-{n}") for room in range(ROOMS) for n in range(MEMBERS)]
    until = time.monotonic() + SECONDS
    breaks = 0
    while time.monotonic() < until:
        person = dice.choice(people)
        roll = dice.random()
        if roll < 0.6:
            for _ in range(dice.randrange(1, 6)):
                person.say()
        elif roll < 0.8:
            person.read(0.005)
        else:
            shatter(person, dice.choice(["reset", "vanish", "half a frame", "take over"]))
            person.come_back()
            breaks += 1
    assert breaks > 20
    deadline = time.monotonic() + wire.DEADLINE
    while any(p.waiting for p in people):
        assert time.monotonic() < deadline, [(p.name, p.waiting) for p in people if p.waiting]
        for person in people:
            person.read(0.02)
    for person in people:
        person.read(0.05)
    show(f"{breaks} breaks, {sum(p.next_id - 1 for p in people)} messages to {MEMBERS - 1} receivers each: none lost, doubled or out of order")
    for person in people:
        said = {p.name: p.next_id - 1 for p in people if p.client.room_state["room_id"] == person.client.room_state["room_id"]}
        del said[person.name]
        assert person.heard == {name: count for name, count in said.items() if count > 0}, person.name
