// @ts-check
/**
 * Lunasig in the browser. `Lunasig` keeps one WebSocket to a room and speaks `lunasig.v1`; `Call`
 * builds a mesh of peer connections over it. No dependency; emitter.js and mesh.js belong to it.
 *
 *   const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
 *   const signal = new Lunasig({ room: 'tea', token: accessToken });
 *   const call = new Call(signal, { stream });
 *   call.on('track', ({ peer }) => { video.srcObject = peer.stream; });
 *   signal.on('message', ({ type, payload }) => console.log(type, payload));
 *   signal.connect();
 */

/**
 * One connection of a member.
 * @typedef {{peer_id: string, join_seq: number}} PeerRef
 *
 * @typedef {{
 *   user_id: string, username: string, role?: string, joined_at?: string, peers?: PeerRef[],
 * }} Participant
 *
 * @typedef {{user_id: string, peer_id: string, join_seq: number, role: string}} Self
 *
 * As GET /webrtc/config answers it; a room-state may have some of it.
 * @typedef {{
 *   ice_servers?: RTCIceServer[], ice_transport_policy?: RTCIceTransportPolicy,
 *   bundle_policy?: RTCBundlePolicy, rtcp_mux_policy?: RTCRtcpMuxPolicy,
 * }} IceSettings
 *
 * @typedef {{
 *   room_id: string, participants: Participant[], participant_count: number, self: Self,
 *   revision?: number,
 * } & IceSettings} RoomState
 *
 * @typedef {{
 *   type: string, payload: Record<string, any>, sender_id: string | null, room_id: string | null,
 *   timestamp: string | null, seq?: number, sender_peer_id?: string | null,
 * }} Frame
 *
 * @typedef {{type: string, payload: Record<string, any>, target_id?: string}} SentFrame
 *
 * @typedef {{user_id: string, username: string, peer_id: string, join_seq: number}} PeerInfo
 *
 * @typedef {{code: string, message: string, details?: any, source: 'server' | 'client'}} Problem
 *
 * open: the socket is up, the room-state is not here yet; waiting: for the next attempt; closed:
 * for good, or until `connect()`.
 * @typedef {'idle' | 'connecting' | 'open' | 'joined' | 'waiting' | 'closed'} State
 *
 * @typedef {{
 *   state: State, previous: State, attempt: number, code?: number, reason?: string,
 *   retryInMs?: number,
 * }} StateChange
 *
 * `joined` and `left` are of users, `peer-…` of each of their connections, the first and the last
 * included; `message` is every frame that has no event of its own; `frame` every frame, both ways.
 * @typedef {{
 *   state: StateChange,
 *   'room-state': RoomState,
 *   joined: Participant,
 *   left: {user_id: string, username: string, reason?: string},
 *   'peer-joined': PeerInfo,
 *   'peer-left': PeerInfo,
 *   message: Frame,
 *   frame: {direction: 'in', at: Date, frame: Frame}
 *     | {direction: 'out', at: Date, frame: SentFrame},
 *   error: Problem,
 * }} LunasigEvents
 */

import { Emitter } from './emitter.js';

export { Call, Peer } from './mesh.js';

const PROTOCOL = 'lunasig.v1';
const FRAME_MAX_BYTES = 65536; // the server closes with 1009 above it
const BUFFERED_MAX_BYTES = 1 << 20;
const CLOSE_FLOODING = 4429;
/** After these a new attempt would end the same way, or is not wanted. */
const FINAL_CLOSE_CODES = new Set([1000, 1008, 4401, 4403, 4409]);

/** Times in milliseconds. */
export const TIMING = Object.freeze({
  retryMin: 500,
  retryMax: 15000,
  retryFlooding: 30000, // after close 4429, at least
  attemptsMax: 40, // about ten minutes, then closed
  stableAfter: 10000, // joined this long: the next loss starts again at retryMin
  joinWithin: 15000, // from the start of an attempt to its room-state
});

/**
 * Half of the exponential delay is fixed, half is random: a restarted server is not met by all
 * clients at once.
 *
 * @param {number} code close code of the socket
 * @param {number} attempt failed attempts in a row before this one, from 0
 * @param {typeof TIMING} [timing]
 * @param {() => number} [random]
 * @returns {number | null} milliseconds to wait, or null: do not connect again
 */
export function retryDelay(code, attempt, timing = TIMING, random = Math.random) {
  if (FINAL_CLOSE_CODES.has(code) || attempt >= timing.attemptsMax) return null;
  const ceiling = Math.min(timing.retryMax, timing.retryMin * 2 ** Math.min(attempt, 30));
  const delay = ceiling / 2 + random() * (ceiling / 2);
  return code === CLOSE_FLOODING ? timing.retryFlooding + delay : delay;
}

/** Thrown by a `token` function to say that trying again is of no use. */
export class FinalError extends Error {}

/**
 * @typedef {{
 *   room: string,
 *   token: string | ((attempt: number) => string | Promise<string>),
 *   origin?: string,
 *   timing?: Partial<typeof TIMING>,
 *   WebSocket?: typeof WebSocket,
 * }} LunasigOptions
 *   token: a function is asked before each attempt (0 the first time, then how many failed in a
 *   row)
 *   origin: of the server, by default of the page
 */

/**
 * One connection to one room, kept up until `close()` or a final close code.
 * @extends {Emitter<LunasigEvents>}
 */
export class Lunasig extends Emitter {
  /** @type {State} */ state = 'idle';
  /** @type {Self | null} */ self = null;
  /**
   * Members of the room, oneself included; kept while the connection is lost.
   * @type {Map<string, Participant>}
   */
  members = new Map();
  #options;
  #timing;
  #attempt = 0;
  #token = '';
  #turn = 0; // rises with each attempt and close; what belongs to an older turn is void
  /** @type {number | null} */ #seq = null;
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #deadline;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #stable;

  /** @param {LunasigOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.origin = options.origin ?? globalThis.location.origin;
  }

  get room() {
    return this.#options.room;
  }

  connect() {
    if (this.state !== 'idle' && this.state !== 'closed') return;
    this.#attempt = 0;
    this.#open();
  }

  /** Leaves the room. The object can `connect()` again. */
  close() {
    if (this.state === 'idle' || this.state === 'closed') return;
    this.#drop(1000, 'bye');
    this.#setState('closed', { code: 1000, reason: 'bye' });
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} [payload]
   * @param {{target?: string}} [to] a peer_id or a user_id; without it everybody
   * @returns {boolean} handed to the socket; nothing is kept for later
   */
  send(type, payload = {}, { target } = {}) {
    if (this.state !== 'joined' || !this.#socket) return false;
    /** @type {SentFrame} */
    const frame = { type, payload };
    if (target !== undefined) frame.target_id = target;
    const text = JSON.stringify(frame);
    if (new TextEncoder().encode(text).length > FRAME_MAX_BYTES) {
      return this.#problem(
        'MESSAGE_TOO_LARGE',
        `A ${type} message above ${FRAME_MAX_BYTES} bytes was not sent`,
      );
    }
    if (this.#socket.bufferedAmount > BUFFERED_MAX_BYTES) {
      return this.#problem(
        'SEND_BUFFER_FULL',
        `The connection is too slow: a ${type} message was not sent`,
      );
    }
    this.#socket.send(text);
    this.emit('frame', { direction: 'out', at: new Date(), frame });
    return true;
  }

  /**
   * A request to the server's HTTP interface with the token of this connection.
   * @param {string} path
   * @param {RequestInit} [init]
   */
  request(path, init = {}) {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${this.#token}`);
    return fetch(new URL(path, this.origin), { ...init, headers });
  }

  async #open() {
    const turn = ++this.#turn;
    this.#setState('connecting');
    this.#deadline = setTimeout(
      () => this.#lost(1006, 'no answer in time'),
      this.#timing.joinWithin,
    );
    try {
      const { token } = this.#options;
      const fresh = typeof token === 'function' ? await token(this.#attempt) : token;
      if (turn !== this.#turn) return;
      this.#token = fresh;
    } catch (error) {
      if (turn !== this.#turn) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#problem('NO_TOKEN', message);
      this.#lost(error instanceof FinalError ? 4401 : 1006, message);
      return;
    }
    const url = new URL(`/webrtc/ws/${encodeURIComponent(this.room)}`, this.origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.searchParams.set('token', this.#token);
    const socket = new (this.#options.WebSocket ?? WebSocket)(url.href, [PROTOCOL]);
    this.#socket = socket;
    this.#seq = null;
    socket.onopen = () => {
      if (socket.protocol === PROTOCOL) this.#setState('open');
      else this.#lost(1008, `the server does not speak ${PROTOCOL}`);
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#lost(event.code, event.reason);
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    this.#drop(1000, 'given up');
    const retryInMs = retryDelay(code, this.#attempt, this.#timing);
    if (retryInMs === null) {
      this.#setState('closed', { code, reason });
      return;
    }
    this.#attempt += 1;
    this.#deadline = setTimeout(() => this.#open(), retryInMs);
    this.#setState('waiting', { code, reason, retryInMs });
  }

  /**
   * Forgets the socket, so that no late event of it arrives.
   * @param {number} code
   * @param {string} reason
   */
  #drop(code, reason) {
    this.#turn += 1;
    clearTimeout(this.#deadline);
    clearTimeout(this.#stable);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code, reason);
  }

  /** @param {unknown} data */
  #receive(data) {
    /** @type {Frame} */
    let frame;
    try {
      frame = JSON.parse(String(data));
    } catch {
      this.#problem('INVALID_JSON', 'The server sent a frame that is not JSON');
      return;
    }
    this.emit('frame', { direction: 'in', at: new Date(), frame });
    if (typeof frame.seq === 'number') {
      const expected = this.#seq === null ? frame.seq : this.#seq + 1;
      if (frame.seq !== expected)
        this.#problem('SEQUENCE_GAP', `Frame ${frame.seq} came, ${expected} was due`);
      this.#seq = frame.seq;
    }
    this.#dispatch(frame);
  }

  /** @param {Frame} frame */
  #dispatch(frame) {
    const payload = /** @type {any} */ (frame.payload ?? {});
    switch (frame.type) {
      case 'room-state':
        this.#onRoomState(payload);
        break;
      case 'user-joined':
        this.members.set(payload.user_id, { ...payload, peers: [] });
        this.emit('joined', payload);
        for (const peer of payload.peers ?? []) this.#addPeer(payload.user_id, peer);
        break;
      case 'user-left':
        for (const peer of [...(this.members.get(payload.user_id)?.peers ?? [])])
          this.#removePeer(payload.user_id, peer);
        this.members.delete(payload.user_id);
        this.emit('left', payload);
        break;
      case 'peer-joined':
        this.#addPeer(payload.user_id, payload);
        break;
      case 'peer-left':
        this.#removePeer(payload.user_id, payload);
        break;
      case 'error':
        this.emit('error', { ...payload, source: 'server' });
        break;
      case 'role-updated': {
        const member = this.members.get(payload.user_id);
        if (member) member.role = payload.role;
        if (this.self && payload.user_id === this.self.user_id) this.self.role = payload.role;
        this.emit('message', frame);
        break;
      }
      default:
        this.emit('message', frame);
    }
  }

  /** @param {RoomState} state */
  #onRoomState(state) {
    this.self = state.self;
    this.members = new Map(
      state.participants.map((p) => [p.user_id, { ...p, peers: [...(p.peers ?? [])] }]),
    );
    if (this.state !== 'joined') {
      clearTimeout(this.#deadline);
      this.#stable = setTimeout(() => {
        this.#attempt = 0;
      }, this.#timing.stableAfter);
      this.#setState('joined');
    }
    this.emit('room-state', state);
  }

  /** @param {string} userId @param {PeerRef} peer */
  #addPeer(userId, { peer_id, join_seq }) {
    const member = this.members.get(userId);
    if (!member?.peers || member.peers.some((known) => known.peer_id === peer_id)) return;
    member.peers.push({ peer_id, join_seq });
    this.emit('peer-joined', { user_id: userId, username: member.username, peer_id, join_seq });
  }

  /** @param {string} userId @param {PeerRef} peer */
  #removePeer(userId, { peer_id, join_seq }) {
    const member = this.members.get(userId);
    if (!member?.peers?.some((known) => known.peer_id === peer_id)) return;
    member.peers = member.peers.filter((known) => known.peer_id !== peer_id);
    this.emit('peer-left', { user_id: userId, username: member.username, peer_id, join_seq });
  }

  /** @param {State} state @param {{code?: number, reason?: string, retryInMs?: number}} [why] */
  #setState(state, why = {}) {
    const previous = this.state;
    this.state = state;
    this.emit('state', { state, previous, attempt: this.#attempt, ...why });
  }

  /** @param {string} code @param {string} message @returns {false} */
  #problem(code, message) {
    this.emit('error', { code, message, source: 'client' });
    return false;
  }
}
