// lunasig.js without a browser: what it does with sockets that come and go.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FinalError, Lunasig, retryDelay, TIMING } from '../../examples/call/lunasig.js';

const FAST = { retryMin: 2, retryMax: 8, retryFlooding: 40, stableAfter: 20, joinWithin: 1000 };
const LIMIT = { timeout: 10_000 };

/** A WebSocket whose other end is the test. */
class FakeSocket {
  static opened = [];
  protocol = 'lunasig.v1';
  bufferedAmount = 0;
  sent = [];
  closedWith = null;

  constructor(url, protocols) {
    this.url = new URL(url);
    this.protocols = protocols;
    FakeSocket.opened.push(this);
    FakeSocket.onNew?.(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closedWith = code;
  }

  says(type, payload, more = {}) {
    this.onmessage({
      data: JSON.stringify({
        type,
        payload,
        sender_id: null,
        room_id: 'r',
        timestamp: 't',
        ...more,
      }),
    });
  }

  welcomes(participants = []) {
    this.onopen();
    const self = { user_id: 'me', peer_id: 'p9', join_seq: 9, role: 'participant' };
    this.says('room-state', {
      room_id: 'r',
      participants,
      participant_count: participants.length,
      self,
      revision: 1,
    });
  }
}

function client(options = {}) {
  FakeSocket.opened = [];
  FakeSocket.onNew = null;
  const signal = new Lunasig({
    room: 'r',
    token: 'secret',
    origin: 'https://example.test',
    WebSocket: FakeSocket,
    timing: FAST,
    ...options,
  });
  const events = [];
  for (const type of ['state', 'joined', 'left', 'peer-joined', 'peer-left', 'message', 'error']) {
    signal.on(type, (detail) => events.push([type, detail]));
  }
  const seen = (type) => events.filter(([name]) => name === type).map(([, detail]) => detail);
  return { signal, seen };
}

const nextSocket = () =>
  new Promise((resolve) => {
    FakeSocket.onNew = resolve;
  });
const nextState = (signal, wanted) =>
  new Promise((resolve) => {
    const off = signal.on('state', (change) => {
      if (change.state === wanted) (resolve(change), off());
    });
  });

async function connected(options) {
  const made = client(options);
  const opening = nextSocket();
  made.signal.connect();
  const socket = await opening;
  socket.welcomes();
  return { ...made, socket };
}

test('delays double up to the bound, half of each is random', () => {
  const least = [0, 1, 2, 3, 4, 5, 20].map((attempt) => retryDelay(1006, attempt, TIMING, () => 0));
  const most = [0, 1, 2, 3, 4, 5, 20].map((attempt) => retryDelay(1006, attempt, TIMING, () => 1));
  assert.deepEqual(least, [250, 500, 1000, 2000, 4000, 7500, 7500]);
  assert.deepEqual(most, [500, 1000, 2000, 4000, 8000, 15000, 15000]);
  assert.equal(retryDelay(1006, TIMING.attemptsMax), null);
});

test('after 4429 the wait is longer, after final codes there is none', () => {
  assert.ok(retryDelay(4429, 0) >= TIMING.retryFlooding);
  for (const code of [1000, 1008, 4401, 4403, 4409])
    assert.equal(retryDelay(code, 0), null, `code ${code}`);
  for (const code of [1001, 1005, 1006, 1009, 1011, 1012, 4408])
    assert.notEqual(retryDelay(code, 0), null, `code ${code}`);
});

test('the address names room and token, the protocol is lunasig.v1', LIMIT, async () => {
  const { signal, socket } = await connected();
  assert.equal(socket.url.href, 'wss://example.test/webrtc/ws/r?token=secret');
  assert.deepEqual(socket.protocols, ['lunasig.v1']);
  assert.equal(signal.state, 'joined');
});

test(
  'a lost connection is tried again until it is back, and the count starts anew when it is stable',
  LIMIT,
  async () => {
    const { signal, socket } = await connected();
    let opening = nextSocket();
    socket.onclose({ code: 1006, reason: '' });
    assert.equal(signal.state, 'waiting');
    const second = await opening;
    opening = nextSocket();
    const failed = nextState(signal, 'waiting');
    second.onclose({ code: 1006, reason: '' });
    assert.equal((await failed).attempt, 2);
    const third = await opening;
    third.welcomes();
    assert.equal(signal.state, 'joined');

    // Lost before it was stable: the next attempt goes on counting.
    opening = nextSocket();
    let waiting = nextState(signal, 'waiting');
    third.onclose({ code: 1001, reason: 'draining' });
    assert.equal((await waiting).attempt, 3);
    const fourth = await opening;
    fourth.welcomes();
    await new Promise((resolve) => {
      setTimeout(resolve, 2 * FAST.stableAfter);
    });
    waiting = nextState(signal, 'waiting');
    fourth.onclose({ code: 1006, reason: '' });
    assert.equal((await waiting).attempt, 1);
    signal.close();
  },
);

for (const code of [1000, 1008, 4401, 4403, 4409]) {
  test(`after close ${code} it stays closed`, LIMIT, async () => {
    const { signal, seen, socket } = await connected();
    socket.onclose({ code, reason: 'why' });
    const last = seen('state').at(-1);
    assert.deepEqual([last.state, last.code, last.reason], ['closed', code, 'why']);
    assert.equal(FakeSocket.opened.length, 1);
    assert.equal(signal.send('chat-message', {}), false);
  });
}

test(
  'close() says goodbye with 1000, and what the old socket does later is not heard',
  LIMIT,
  async () => {
    const { signal, seen, socket } = await connected();
    signal.close();
    assert.equal(socket.closedWith, 1000);
    assert.equal(signal.state, 'closed');
    assert.deepEqual([socket.onmessage, socket.onclose, socket.onopen], [null, null, null]);
    const count = seen('state').length;
    signal.close();
    assert.equal(seen('state').length, count);
  },
);

test(
  'a token function is asked before each attempt; only its final error ends the matter',
  LIMIT,
  async () => {
    const asked = [];
    const { signal, seen } = client({
      token: async (attempt) => {
        asked.push(attempt);
        throw attempt < 2 ? new Error('busy') : new FinalError('no guests here');
      },
    });
    const closed = nextState(signal, 'closed');
    signal.connect();
    assert.equal((await closed).reason, 'no guests here');
    assert.deepEqual(asked, [0, 1, 2]);
    assert.deepEqual(
      seen('error').map(({ code }) => code),
      ['NO_TOKEN', 'NO_TOKEN', 'NO_TOKEN'],
    );
    assert.equal(FakeSocket.opened.length, 0);
  },
);

test('without a room-state in time the attempt is given up', LIMIT, async () => {
  const { signal } = client({ timing: { ...FAST, joinWithin: 10 } });
  const opening = nextSocket();
  const waiting = nextState(signal, 'waiting');
  signal.connect();
  const socket = await opening;
  socket.onopen();
  assert.match((await waiting).reason, /in time/);
  assert.equal(socket.closedWith, 1000);
  signal.close();
});

test('a server without lunasig.v1 is refused for good', LIMIT, async () => {
  const { signal } = client();
  const opening = nextSocket();
  signal.connect();
  const socket = await opening;
  socket.protocol = '';
  socket.onopen();
  assert.equal(signal.state, 'closed');
});

test('send puts the target at the top level and keeps nothing for later', LIMIT, async () => {
  const { signal, socket } = await connected();
  assert.equal(signal.send('chat-message', { content: 'hi' }), true);
  assert.equal(signal.send('offer', { sdp: 'v=0', type: 'offer' }, { target: 'p1' }), true);
  assert.deepEqual(socket.sent, [
    { type: 'chat-message', payload: { content: 'hi' } },
    { type: 'offer', payload: { sdp: 'v=0', type: 'offer' }, target_id: 'p1' },
  ]);
  socket.bufferedAmount = 2 << 20;
  assert.equal(signal.send('chat-message', {}), false);
  socket.bufferedAmount = 0;
  assert.equal(signal.send('chat-message', { content: 'ü'.repeat(40_000) }), false);
  assert.equal(socket.sent.length, 2);
});

test('members and their connections come and go', LIMIT, async () => {
  const { signal, seen, socket } = await connected();
  const peer = (n) => ({ peer_id: `p${n}`, join_seq: n });
  const bob = { user_id: 'bob', username: 'Bob' };
  socket.says('user-joined', { ...bob, role: 'participant', revision: 2, peers: [peer(10)] });
  socket.says('peer-joined', { user_id: 'bob', ...peer(11) });
  socket.says('peer-joined', { user_id: 'bob', ...peer(11) });
  socket.says('peer-left', { user_id: 'bob', ...peer(10) });
  socket.says('role-updated', { user_id: 'bob', role: 'host', updated_by: null, timestamp: 't' });
  assert.equal(signal.members.get('bob').role, 'host');
  socket.says('user-left', { ...bob, reason: 'bye', revision: 3 });
  assert.deepEqual(seen('peer-joined'), [
    { ...bob, ...peer(10) },
    { ...bob, ...peer(11) },
  ]);
  assert.deepEqual(seen('peer-left'), [
    { ...bob, ...peer(10) },
    { ...bob, ...peer(11) },
  ]);
  assert.deepEqual(
    [seen('joined').length, seen('left')[0].reason, signal.members.size],
    [1, 'bye', 0],
  );
});

test(
  'frames out of sequence and server errors are errors, unknown types are messages',
  LIMIT,
  async () => {
    const { seen, socket } = await connected();
    socket.says('chat-message', { content: '1' }, { seq: 7, sender_id: 'bob' });
    socket.says('something-new', {}, { seq: 8 });
    socket.says('chat-message', { content: '3' }, { seq: 10 });
    socket.says('error', { code: 'ROOM_FULL', message: 'full', details: null }, { seq: 11 });
    assert.deepEqual(
      seen('message').map(({ type }) => type),
      ['chat-message', 'something-new', 'chat-message'],
    );
    assert.deepEqual(
      seen('error').map(({ code, source }) => [code, source]),
      [
        ['SEQUENCE_GAP', 'client'],
        ['ROOM_FULL', 'server'],
      ],
    );
  },
);
