"""The complete suite: every message type and every endpoint of the protocol, as clients of the original service use them."""

import announced
import http_core
import http_rooms
import messages

SUITES = [messages.SUITE, announced.SUITE, http_core.SUITE, http_rooms.SUITE]
