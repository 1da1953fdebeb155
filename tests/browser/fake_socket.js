// A WebSocket whose other end is the test, and a client on it.

import { Lunasig } from '../../examples/call/lunasig.js';

export const FAST = {
  retryMin: 2,
  retryMax: 8,
  retryFlooding: 40,
  stableAfter: 20,
  joinWithin: 1000,
  refreshAgain: 5,
};
export const LIMIT = { timeout: 10_000 };
const EVENTS = [
  ...['state', 'room-state', 'resumed', 'joined', 'left', 'away', 'back'],
  ...['peer-joined', 'peer-left', 'message', 'unsent', 'error'],
];

export class FakeSocket {
  static opened = [];
  protocol = 'lunasig.v1';
  readyState = 0;
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
    this.readyState = 2;
    this.closedWith = code;
  }

  /** What the application sent. */
  get messages() {
    return this.sent.filter(({ id }) => id !== undefined);
  }

  get pings() {
    return this.sent.filter(({ type }) => type === 'ping');
  }

  opens() {
    this.readyState = 1;
    this.onopen();
  }

  /** The connection is lost, or the server closes it. */
  ends(code = 1006, reason = '') {
    this.readyState = 3;
    this.onclose({ code, reason });
  }

  says(type, payload, more = {}) {
    const envelope = { type, payload, sender_id: null, room_id: 'r', timestamp: 't', ...more };
    this.onmessage({ data: JSON.stringify(envelope) });
  }

  /** The first frame of the server; `peer` is the number of the own peer_id. */
  welcomes({ participants = [], peer = 9, seq, ...more } = {}) {
    this.opens();
    this.says(
      'room-state',
      {
        room_id: 'r',
        participants,
        participant_count: participants.length,
        self: { user_id: 'me', peer_id: `p${peer}`, join_seq: peer, role: 'participant' },
        revision: 1,
        ...more,
      },
      seq === undefined ? {} : { seq },
    );
  }

  /** Answers the last ping. */
  pongs() {
    this.says('pong', this.pings.at(-1).payload);
  }
}

const made = [];

/** An open connection has timers, and the test process would wait for them. */
export function closeAll() {
  for (const signal of made.splice(0)) signal.close();
}

export function client(options = {}) {
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
  made.push(signal);
  const events = [];
  for (const type of EVENTS) signal.on(type, (detail) => events.push([type, detail]));
  const seen = (type) => events.filter(([name]) => name === type).map(([, detail]) => detail);
  return { signal, seen, events };
}

export const nextSocket = () =>
  new Promise((resolve) => {
    FakeSocket.onNew = resolve;
  });

export const nextState = (signal, wanted) =>
  new Promise((resolve) => {
    const off = signal.on('state', (change) => {
      if (change.state === wanted) (resolve(change), off());
    });
  });

/** A client that has joined; `welcome` is what the room-state says. */
export async function connected(options, welcome) {
  const parts = client(options);
  const opening = nextSocket();
  parts.signal.connect();
  const socket = await opening;
  socket.welcomes(welcome);
  return { ...parts, socket };
}
