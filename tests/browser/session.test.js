// lunasig.js without a browser: sessions that are taken up again, acknowledged messages, silence,
// tokens that end.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { FinalError, SendError } from '../../examples/call/lunasig.js';
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

const SESSION = { id: 's', resume_token: 'one', expires_in: 30, last_id: 0 };
const WELCOME = { seq: 1, session: SESSION };
const words = (content) => ({ content });
const spoken = (socket) => socket.messages.map(({ id, payload }) => [id, payload.content]);

afterEach(closeAll);

/** A client in a room whose server keeps sessions. */
const joined = (options) => connected(options, WELCOME);

/** Its connection is lost, and the next socket is there. */
async function lost(socket, code = 1006) {
  const opening = nextSocket();
  socket.ends(code);
  return await opening;
}

const back = (lastId, more = {}) => ({
  session: { ...SESSION, resume_token: 'two', last_id: lastId },
  resumed: true,
  ...more,
});

for (const code of [1001, 1006, 1011, 1012, 4408]) {
  test(`after ${code} the session is taken up where it was`, LIMIT, async () => {
    const { seen, socket } = await joined();
    socket.says('chat-message', words('1'), { seq: 2 });
    const second = await lost(socket, code);
    second.opens();
    assert.deepEqual(second.sent, [
      { type: 'auth', payload: { token: 'secret', resume: 'one', seq: 2 } },
    ]);
    second.welcomes(back(0));
    second.says('chat-message', words('2'), { seq: 3 });
    second.says('chat-message', words('3'), { seq: 4 });
    assert.deepEqual(seen('resumed'), [{ complete: true }]);
    assert.deepEqual(
      seen('message').map(({ payload }) => payload.content),
      ['1', '2', '3'],
    );
    assert.deepEqual(seen('error'), []);

    const third = await lost(second);
    third.opens();
    assert.deepEqual(third.sent[0].payload, { token: 'secret', resume: 'two', seq: 4 });
  });
}

test('a frame that was here before is not heard again', LIMIT, async () => {
  const { seen, socket } = await joined();
  socket.says('chat-message', words('1'), { seq: 2 });
  const second = await lost(socket);
  second.welcomes(back(0));
  second.says('chat-message', words('1'), { seq: 2 });
  second.says('chat-message', words('2'), { seq: 3 });
  assert.deepEqual(
    seen('message').map(({ payload }) => payload.content),
    ['1', '2'],
  );
});

test('the application hears of the resumption before what it missed', LIMIT, async () => {
  const { events, socket } = await joined();
  const second = await lost(socket);
  events.length = 0;
  second.welcomes(back(0));
  second.says('chat-message', words('1'), { seq: 2 });
  assert.deepEqual(
    events.map(([type, detail]) => detail.state ?? type),
    ['open', 'joined', 'room-state', 'resumed', 'message'],
  );
});

test('messages without answer go again, in order, after what was missed', LIMIT, async () => {
  const { signal, seen, socket } = await joined();
  for (const text of ['a', 'b', 'c', 'd']) assert.ok(signal.send('chat-message', words(text)));
  socket.says('ack', { id: 1 }, { seq: 2 });
  const second = await lost(socket);
  assert.ok(signal.send('chat-message', words('e')), 'kept while there is no connection');
  second.welcomes(back(2));
  assert.ok(signal.send('chat-message', words('f')));
  assert.deepEqual(spoken(second), [], 'answers to them may be among the missed frames');
  second.says('ack', { id: 2 }, { seq: 3 });
  second.says('error', { code: 'X', message: 'no', details: { id: 3 } }, { seq: 4 });
  second.pongs();
  assert.deepEqual(spoken(second), [
    [4, 'd'],
    [5, 'e'],
    [6, 'f'],
  ]);
  signal.send('chat-message', words('g'));
  assert.deepEqual(spoken(second).at(-1), [7, 'g']);
  assert.deepEqual(seen('unsent'), []);
});

test('ids rise also when a listener sends while the waiting messages go out', LIMIT, async () => {
  const { signal, socket } = await joined();
  const second = await lost(socket);
  signal.send('chat-message', words('a'));
  signal.send('chat-message', words('b'));
  let sent = false;
  signal.on('frame', ({ direction, frame }) => {
    if (direction === 'in' || frame.id === undefined || sent) return;
    sent = true;
    signal.send('chat-message', words('c'));
  });
  second.welcomes(back(0));
  second.pongs();
  assert.deepEqual(spoken(second), [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ]);
});

test('where frames were lost it goes on from the number of the room-state', LIMIT, async () => {
  const { signal, seen, socket } = await joined();
  const first = signal.sendAcked('chat-message', words('a'));
  signal.send('chat-message', words('b'));
  const second = await lost(socket);
  second.welcomes(back(1, { resumed: false, seq: 40 }));
  second.says('chat-message', words('later'), { seq: 41 });
  await first;
  assert.deepEqual(seen('resumed'), [{ complete: false }]);
  assert.deepEqual(spoken(second), [[2, 'b']]);
  assert.deepEqual(seen('error'), []);
});

test('in a new session nothing is sent again, and the application learns what', LIMIT, async () => {
  const { signal, seen, socket } = await joined();
  signal.send('chat-message', words('a'));
  signal.send('offer', { sdp: 'v=0', type: 'offer' }, { target: 'p1' });
  const second = await lost(socket);
  const promise = signal.sendAcked('chat-message', words('b'));
  second.welcomes({ peer: 12, seq: 1, session: SESSION, resumed: false });
  await assert.rejects(promise, (error) => error instanceof SendError && error.code === 'UNSENT');
  assert.deepEqual(second.messages, []);
  assert.deepEqual(seen('resumed'), []);
  const offer = { type: 'offer', payload: { sdp: 'v=0', type: 'offer' }, target: 'p1' };
  assert.deepEqual(seen('unsent'), [
    {
      reason: 'new-session',
      messages: [
        { type: 'chat-message', payload: words('a'), written: true },
        { ...offer, written: true },
        { type: 'chat-message', payload: words('b'), written: false },
      ],
    },
  ]);
  signal.send('chat-message', words('c'));
  assert.deepEqual(spoken(second), [[4, 'c']]);
});

test('a message may be sent again when it is told to be unsent', LIMIT, async () => {
  const { signal, socket } = await joined();
  signal.send('chat-message', words('a'));
  signal.on('unsent', ({ messages }) => {
    for (const { type, payload, target } of messages) signal.send(type, payload, { target });
  });
  const second = await lost(socket);
  second.welcomes({ peer: 12, seq: 1, session: SESSION, resumed: false });
  assert.deepEqual(spoken(second), [[2, 'a']]);
});

test('sendAcked() ends with the answer of the server', LIMIT, async () => {
  const { signal, socket } = await joined();
  const first = signal.sendAcked('chat-message', words('a'));
  const second = signal.sendAcked('chat-message', words('b'));
  const third = signal.sendAcked('chat-message', words('c'));
  const fourth = signal.sendAcked('chat-message', words('d'));
  socket.says('ack', { id: 1 }, { seq: 2 });
  const details = { id: 2, field: 'content' };
  socket.says('error', { code: 'INVALID_MESSAGE', message: 'no', details }, { seq: 3 });
  await first;
  await assert.rejects(second, { code: 'INVALID_MESSAGE', message: 'no', details });
  // Of a rate that is exceeded the server tells once a second: the third was refused in silence.
  socket.says('ack', { id: 4 }, { seq: 4 });
  await assert.rejects(third, { code: 'RATE_LIMIT_EXCEEDED' });
  await fourth;
  await assert.rejects(signal.sendAcked('chat-message', words('ü'.repeat(40_000))), {
    code: 'MESSAGE_TOO_LARGE',
  });
  const last = signal.sendAcked('chat-message', words('e'));
  signal.close();
  await assert.rejects(last, { code: 'UNSENT' });
  await assert.rejects(signal.sendAcked('chat-message', words('f')), { code: 'NOT_CONNECTED' });
});

test('what waits is bounded', LIMIT, async () => {
  const { signal, seen, socket } = await joined();
  for (let i = 0; i < 1000; i += 1) assert.ok(signal.send('chat-message', {}));
  assert.equal(signal.send('chat-message', {}), false);
  assert.equal(seen('error').at(-1).code, 'SEND_BUFFER_FULL');
  socket.says('ack', { id: 1000 }, { seq: 2 });
  const large = words('x'.repeat(60_000));
  for (let i = 0; i < 17; i += 1) assert.ok(signal.send('chat-message', large));
  assert.equal(signal.send('chat-message', large), false);
});

test('nothing is kept before the first join, nor after the window', LIMIT, async (t) => {
  const { signal } = client();
  const opening = nextSocket();
  signal.connect();
  assert.equal(signal.send('chat-message', {}), false);
  (await opening).welcomes(WELCOME);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const second = await lost(FakeSocket.opened.at(-1));
  t.mock.timers.tick(29_000);
  assert.equal(signal.send('chat-message', {}), true);
  t.mock.timers.tick(2_000);
  assert.equal(signal.send('chat-message', {}), false);
  second.ends();
});

test('while missed frames come, the members are as the room-state says', LIMIT, async () => {
  const { signal, seen, socket } = await joined();
  const peer = (n) => ({ peer_id: `p${n}`, join_seq: n });
  const bob = { user_id: 'bob', username: 'Bob' };
  const cid = { user_id: 'cid', username: 'Cid' };
  const dan = { user_id: 'dan', username: 'Dan' };
  socket.says('user-joined', { ...bob, revision: 2, peers: [peer(10)] }, { seq: 2 });
  const second = await lost(socket);
  const participants = [
    { user_id: 'me', username: 'Me', peers: [peer(9)], away: true }, // older than the return
    { ...bob, peers: [peer(10)] },
    { ...dan, peers: [peer(12)], away: true },
  ];
  second.welcomes(back(0, { participants, revision: 7 }));
  assert.deepEqual([...signal.members.keys()], ['me', 'bob', 'dan']);
  assert.equal(signal.members.get('me').away, undefined);
  second.says('user-away', { user_id: 'bob', revision: 3, timestamp: 't' }, { seq: 3 });
  second.says('user-joined', { ...cid, revision: 4, peers: [peer(11)] }, { seq: 4 });
  second.says('user-left', { ...cid, reason: 'bye', revision: 5 }, { seq: 5 });
  second.says('user-back', { user_id: 'bob', revision: 6, timestamp: 't' }, { seq: 6 });
  assert.deepEqual([...signal.members.keys()], ['me', 'bob', 'dan']);
  assert.equal(signal.members.get('bob').away, undefined);
  assert.equal(signal.members.get('dan').away, true);
  second.says('user-back', { user_id: 'dan', revision: 8, timestamp: 't' }, { seq: 7 });
  assert.equal(signal.members.get('dan').away, undefined);
  second.pongs();
  second.says('user-left', { ...dan, reason: 'bye', revision: 9 }, { seq: 8 });
  assert.deepEqual([...signal.members.keys()], ['me', 'bob']);
  assert.deepEqual(
    ['joined', 'left', 'away', 'back'].map((type) => seen(type).map(({ user_id }) => user_id)),
    [['bob', 'cid'], ['cid', 'dan'], ['bob'], ['bob', 'dan']],
  );
  assert.deepEqual(
    seen('peer-joined').map(({ peer_id }) => peer_id),
    ['p10'],
    'no connection that is gone already is announced',
  );
});

test('a lost socket is not closed before another one has its session', LIMIT, async () => {
  const { socket } = await joined({ timing: { ...FAST, quietFor: 5, pongWithin: 5 } });
  const second = await nextSocket();
  assert.deepEqual(socket.pings, [{ type: 'ping', payload: {} }]);
  assert.equal(socket.closedWith, null, 'a close would say good-bye');
  assert.deepEqual([socket.onmessage, socket.onclose], [null, null], '4409 is not heard');
  second.welcomes(back(0));
  assert.equal(socket.closedWith, 1000);
});

test('close() while the connection is lost says good-bye on the old socket', LIMIT, async () => {
  const { signal, socket } = await joined({ timing: { ...FAST, quietFor: 5, pongWithin: 5 } });
  const second = await nextSocket();
  signal.close();
  assert.deepEqual([socket.closedWith, second.closedWith], [1000, 1000]);
});

test('any frame is a sign of life', LIMIT, async () => {
  const timing = { ...FAST, quietFor: 20, pongWithin: 400 };
  const { signal, seen, socket } = await joined({ timing });
  for (let i = 0; i < 3; i += 1) {
    const already = socket.pings.length;
    await new Promise((resolve) => {
      const off = signal.on('frame', ({ direction, frame }) => {
        if (direction === 'out' && frame.type === 'ping') (resolve(), off());
      });
    });
    assert.equal(socket.pings.length, already + 1);
    if (i % 2) socket.pongs();
    else socket.says('chat-message', words('x'), { seq: 2 + i / 2 });
  }
  assert.equal(signal.state, 'joined');
  assert.equal(seen('state').length, 3, 'connecting, open, joined');
});

test('online and visible again: the socket is checked, or opened at once', LIMIT, async (t) => {
  const windows = new EventTarget();
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const before = [globalThis.addEventListener, globalThis.removeEventListener];
  globalThis.addEventListener = windows.addEventListener.bind(windows);
  globalThis.removeEventListener = windows.removeEventListener.bind(windows);
  globalThis.document = page;
  t.after(() => {
    [globalThis.addEventListener, globalThis.removeEventListener] = before;
    delete globalThis.document;
  });
  const timing = { ...FAST, retryMin: 60_000, retryMax: 60_000, checkWithin: 5 };
  const { signal, socket } = await joined({ timing });
  page.visibilityState = 'hidden';
  page.dispatchEvent(new Event('visibilitychange'));
  assert.equal(socket.pings.length, 0);
  page.visibilityState = 'visible';
  page.dispatchEvent(new Event('visibilitychange'));
  assert.equal(socket.pings.length, 1);
  socket.pongs();
  windows.dispatchEvent(new Event('online'));
  assert.equal(socket.pings.length, 2);
  const second = await nextSocket(); // without an answer, and without the wait of a minute
  second.ends();
  assert.equal(signal.state, 'waiting');
  let opening = nextSocket();
  windows.dispatchEvent(new Event('online'));
  (await opening).ends();
  opening = nextSocket();
  page.dispatchEvent(new Event('visibilitychange'));
  (await opening).welcomes(back(0));
  assert.equal(signal.state, 'joined');
  signal.close();
  windows.dispatchEvent(new Event('online'));
  assert.equal(signal.state, 'closed');
});

test('a draining server says when to come back', LIMIT, async () => {
  const { seen, socket } = await joined();
  socket.says('draining', { retry_after_ms: 17 }, { seq: 2 });
  const second = await lost(socket, 1001);
  assert.equal(seen('state').find(({ state }) => state === 'waiting').retryInMs, 17);
  second.ends();
  assert.ok(seen('state').at(-1).retryInMs <= FAST.retryMax, 'the hint holds once');
});

test('before its end the token is renewed on the open connection', LIMIT, async () => {
  const asked = [];
  const { signal, seen, socket } = await joined({
    token: (attempt, reason) => {
      asked.push(reason);
      if (asked.length === 2) throw new Error('busy');
      return `token ${asked.length}`;
    },
  });
  const renewed = new Promise((resolve) => {
    signal.on('frame', ({ direction, frame }) => {
      if (direction === 'out' && frame.type === 'auth') resolve(frame);
    });
  });
  socket.says('token-expiring', { expires_at: 1 }, { seq: 2 });
  assert.deepEqual(await renewed, { type: 'auth', payload: { token: 'token 3' } });
  socket.says('token-refreshed', { expires_at: 2 }, { seq: 3 });
  assert.deepEqual(asked, ['connect', 'expiring', 'expiring']);
  assert.deepEqual(
    seen('message').map(({ type }) => type),
    ['token-expiring', 'token-refreshed'],
  );
  assert.equal(signal.state, 'joined');
});

test('the token in hand serves to come back', LIMIT, async () => {
  let asked = 0;
  const { socket } = await joined({ token: async () => `token ${(asked += 1)}` });
  const second = await lost(socket);
  second.opens();
  assert.equal(second.sent[0].payload.token, 'token 1');
  assert.equal(asked, 1);
});

test('an application with its own tokens renews by refresh()', LIMIT, async () => {
  const { signal, socket } = await joined();
  socket.says('token-expiring', { expires_at: 1 }, { seq: 2 });
  assert.equal(signal.refresh('next'), true);
  assert.deepEqual(socket.sent.at(-1), { type: 'auth', payload: { token: 'next' } });
});

test('after 4401 another token gets one more try, the same one none', LIMIT, async () => {
  const tokens = ['a', 'b', 'c', 'c'];
  const reasons = [];
  const { signal, seen, socket } = await joined({
    token: (attempt, reason) => (reasons.push(reason), tokens.shift()),
  });
  const second = await lost(socket, 4401);
  second.opens();
  assert.equal(second.sent[0].payload.token, 'b');
  second.welcomes({ peer: 12, seq: 1, session: SESSION, resumed: false });

  const third = await lost(second, 4401);
  const closed = nextState(signal, 'closed');
  third.ends(4401);
  assert.equal((await closed).code, 4401);
  assert.deepEqual(reasons, ['connect', 'refused', 'refused']);
  assert.equal(seen('state').at(-1).state, 'closed');
});

test('another token is kept until the server has judged it', LIMIT, async () => {
  const tokens = ['a', 'b', 'c'];
  const { socket } = await joined({ token: () => tokens.shift() });
  const second = await lost(socket, 4401);
  const third = await lost(second, 1006);
  third.opens();
  assert.equal(third.sent[0].payload.token, 'b');
});

test('after 4401 a token function may end the matter', LIMIT, async () => {
  const { signal, socket } = await joined({
    token: (attempt, reason) => {
      if (reason === 'connect') return 'a';
      throw new FinalError('logged out');
    },
  });
  const closed = nextState(signal, 'closed');
  socket.ends(4401);
  assert.equal((await closed).reason, 'logged out');
});

test('after 4401 the same token again ends the matter', LIMIT, async () => {
  const { signal, socket } = await joined({ token: () => 'always the same' });
  const closed = nextState(signal, 'closed');
  socket.ends(4401);
  assert.deepEqual([(await closed).code, FakeSocket.opened.length], [4401, 1]);
});
