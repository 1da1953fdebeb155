// lunasig.js without a browser: what it does with sockets that come and go.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { FinalError, retryDelay, TIMING } from '../../examples/call/lunasig.js';
import {
  client,
  closeAll,
  connected,
  FakeSocket,
  FAST,
  LIMIT,
  nextSocket,
  nextState,
} from './fake_socket.js';

afterEach(closeAll);

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

test('the address names the room only, the token goes in the first message', LIMIT, async () => {
  const { signal, socket } = await connected();
  assert.equal(socket.url.href, 'wss://example.test/webrtc/ws/r');
  assert.deepEqual(socket.protocols, ['lunasig.v1']);
  assert.deepEqual(socket.sent, [{ type: 'auth', payload: { token: 'secret' } }]);
  assert.equal(signal.state, 'joined');
});

test(
  'a lost connection is tried again until it is back, and the count starts anew when it is stable',
  LIMIT,
  async () => {
    const { signal, socket } = await connected();
    let opening = nextSocket();
    socket.ends();
    assert.equal(signal.state, 'waiting');
    const second = await opening;
    opening = nextSocket();
    const failed = nextState(signal, 'waiting');
    second.ends();
    assert.equal((await failed).attempt, 2);
    const third = await opening;
    third.welcomes();
    assert.equal(signal.state, 'joined');

    // Lost before it was stable: the next attempt goes on counting.
    opening = nextSocket();
    let waiting = nextState(signal, 'waiting');
    third.ends(1001, 'draining');
    assert.equal((await waiting).attempt, 3);
    const fourth = await opening;
    fourth.welcomes();
    await new Promise((resolve) => {
      setTimeout(resolve, 2 * FAST.stableAfter);
    });
    waiting = nextState(signal, 'waiting');
    fourth.ends();
    assert.equal((await waiting).attempt, 1);
    signal.close();
  },
);

for (const code of [1000, 1008, 4401, 4403, 4409]) {
  test(`after close ${code} it stays closed`, LIMIT, async () => {
    const { signal, seen, socket } = await connected();
    socket.ends(code, 'why');
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
  'a token function that fails is asked again; only its final error ends the matter',
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
  socket.opens();
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
  socket.opens();
  assert.equal(signal.state, 'closed');
});

test('send gives each message an id and puts the target at the top level', LIMIT, async () => {
  const { signal, seen, socket } = await connected();
  assert.equal(signal.send('chat-message', { content: 'hi' }), true);
  assert.equal(signal.send('offer', { sdp: 'v=0', type: 'offer' }, { target: 'p1' }), true);
  assert.equal(signal.send('chat-message', { content: 'ü'.repeat(40_000) }), false);
  assert.deepEqual(socket.messages, [
    { id: 1, type: 'chat-message', payload: { content: 'hi' } },
    { id: 2, type: 'offer', payload: { sdp: 'v=0', type: 'offer' }, target_id: 'p1' },
  ]);
  assert.equal(seen('error').at(-1).code, 'MESSAGE_TOO_LARGE');
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
