// @ts-check
/**
 * Lunasig in the browser. `Lunasig` keeps one WebSocket to a room, speaks `lunasig.v1` and takes up
 * its session again when the connection was lost; `Call` builds a mesh of peer connections over it.
 * No dependency; access, emitter, mesh, outbox, peer, pulse, roster, timing and types.js belong to
 * it.
 *
 *   const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
 *   const signal = new Lunasig({ room: 'tea', token: async () => (await login()).access_token });
 *   const call = new Call(signal, { stream });
 *   call.on('track', ({ peer }) => { video.srcObject = peer.stream; });
 *   signal.on('message', ({ type, payload }) => console.log(type, payload));
 *   signal.connect();
 */

/**
 * @import { Frame, LunasigEvents, RoomState, Self } from './types.js'
 * @import { SentFrame, State, UnsentMessage } from './types.js'
 * @import { Kept, Settle } from './outbox.js'
 */

import { Access, FinalError } from './access.js';
import { Emitter } from './emitter.js';
import { Outbox, SendError } from './outbox.js';
import { Pulse } from './pulse.js';
import { Roster } from './roster.js';
import { retryDelay, TIMING } from './timing.js';

export { FinalError } from './access.js';
export { Call } from './mesh.js';
export { SendError } from './outbox.js';
export { Peer } from './peer.js';
export { retryDelay, TIMING } from './timing.js';

const PROTOCOL = 'lunasig.v1';
const FRAME_MAX_BYTES = 65536; // the server closes with 1009 above it
const CLOSE_UNAUTHORIZED = 4401;
const SOCKET_OPEN = 1;
const ABANDONED_MAX = 4;
const HINT_MAX_MS = 60000;

/**
 * @typedef {{
 *   room: string,
 *   token: import('./access.js').TokenSource,
 *   origin?: string,
 *   timing?: Partial<typeof TIMING>,
 *   WebSocket?: typeof WebSocket,
 * }} LunasigOptions
 *   token: a function is asked by `connect()` and again until it gives one (attempt: how many
 *   failed in a row), when the one in use was refused or has ended, and shortly before its end
 *   origin: of the server, by default of the page
 */

/**
 * One connection to one room, kept up until `close()` or a final close code.
 * @extends {Emitter<LunasigEvents>}
 */
export class Lunasig extends Emitter {
  /** @type {State} */ state = 'idle';
  /** @type {Self | null} */ self = null;
  #options;
  #attempt = 0;
  #access;
  #turn = 0; // rises with each attempt and close; what belongs to an older turn is void
  /** Of the last frame of this session. @type {number | null} */ #seq = null;
  /** @type {{token: string, windowMs: number, lostAt: number | null} | null} */ #session = null;
  #replaying = false; // frames that were missed come; own messages wait until they are here
  /** When the server wants us back. @type {number | null} */ #hintMs = null;
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {WebSocket[]} */ #abandoned = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #deadline;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #stable;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #refreshing;
  #outbox = new Outbox();
  #roster = new Roster(this);
  #pulse;

  /** @param {LunasigOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#access = new Access(options.token);
    /** Changes hold from the next time on. */
    this.timing = { ...TIMING, ...options.timing };
    this.origin = options.origin ?? globalThis.location.origin;
    this.#pulse = new Pulse(
      this.timing,
      () => this.#write({ type: 'ping', payload: {} }),
      () => this.#lost(1006, 'no answer to a ping', 0),
    );
  }

  get room() {
    return this.#options.room;
  }

  /** Members of the room by user_id, oneself included; kept while the connection is lost. */
  get members() {
    return this.#roster.members;
  }

  connect() {
    if (this.state !== 'idle' && this.state !== 'closed') return;
    this.#attempt = 0;
    this.#access.forget();
    globalThis.addEventListener?.('online', this.#onOnline);
    globalThis.document?.addEventListener('visibilitychange', this.#onVisible);
    this.#open();
  }

  /** Leaves the room. The object can `connect()` again. */
  close() {
    if (this.state === 'idle' || this.state === 'closed') return;
    this.#end(1000, 'bye');
  }

  /**
   * @param {string} type
   * @param {Record<string, unknown>} [payload]
   * @param {{target?: string}} [to] a peer_id or a user_id; without it everybody
   * @returns {boolean} sent, or kept until the connection is back; `unsent` tells if it never was
   */
  send(type, payload = {}, { target } = {}) {
    const problem = this.#post(type, payload, target);
    if (problem && problem.code !== 'NOT_CONNECTED') this.#problem(problem.code, problem.message);
    return !problem;
  }

  /**
   * The same, and whether the server took it: it has then been queued to its receivers.
   * @param {string} type
   * @param {Record<string, unknown>} [payload]
   * @param {{target?: string}} [to]
   * @returns {Promise<void>} rejected with a SendError: by the code of the server's `error`, or
   *   NOT_CONNECTED, MESSAGE_TOO_LARGE, SEND_BUFFER_FULL, UNSENT
   */
  sendAcked(type, payload = {}, { target } = {}) {
    return new Promise((accept, refuse) => {
      const problem = this.#post(type, payload, target, { accept, refuse });
      if (problem) refuse(new SendError(problem));
    });
  }

  /**
   * Goes on with another token. Not needed where `token` is a function.
   * @param {string} token
   * @returns {boolean} handed to the socket; a message `token-refreshed` tells of success
   */
  refresh(token) {
    if (this.state !== 'joined') return false;
    this.#access.token = token;
    this.#write({ type: 'auth', payload: { token } });
    return true;
  }

  /**
   * A request to the server's HTTP interface with the token of this connection.
   * @param {string} path
   * @param {RequestInit} [init]
   */
  request(path, init = {}) {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${this.#access.token}`);
    return fetch(new URL(path, this.origin), { ...init, headers });
  }

  // --- own messages ---

  /**
   * @param {string} type
   * @param {Record<string, unknown>} payload
   * @param {string | undefined} target
   * @param {Settle} [settle]
   * @returns {{code: string, message: string} | null} why not
   */
  #post(type, payload, target, settle) {
    if (!this.#mayReturn()) return { code: 'NOT_CONNECTED', message: 'There is no connection' };
    const to = target === undefined ? {} : { target_id: target };
    const frame = { id: this.#outbox.nextId, type, payload, ...to };
    const text = JSON.stringify(frame);
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > FRAME_MAX_BYTES) {
      const message = `A ${type} message above ${FRAME_MAX_BYTES} bytes was not sent`;
      return { code: 'MESSAGE_TOO_LARGE', message };
    }
    const kept = this.#outbox.push(frame, text, bytes, settle);
    if (!kept) {
      const message = `The connection is too slow: a ${type} message was not sent`;
      return { code: 'SEND_BUFFER_FULL', message };
    }
    if (this.state === 'joined' && !this.#replaying) this.#writeKept(kept);
    return null;
  }

  /** Joined, or lost so lately that the server keeps the place. */
  #mayReturn() {
    if (this.state === 'joined') return true;
    if (this.state === 'closed' || !this.#session) return false;
    const { lostAt, windowMs } = this.#session;
    return lostAt === null || Date.now() < lostAt + windowMs;
  }

  /** @param {SentFrame} frame @param {string} [text] */
  #write(frame, text = JSON.stringify(frame)) {
    this.#socket?.send(text);
    this.emit('frame', { direction: 'out', at: new Date(), frame });
  }

  /** @param {Kept} kept */
  #writeKept(kept) {
    kept.written = true;
    this.#write(kept.frame, kept.text);
  }

  /** Ids have to rise: what is sent by a listener meanwhile joins the end. */
  #writeAllKept() {
    for (const kept of this.#outbox.waiting()) this.#writeKept(kept);
    this.#replaying = false;
  }

  // --- the socket ---

  async #open() {
    this.#abandon();
    const turn = this.#turn;
    this.#setState('connecting');
    const late = () => this.#lost(1006, 'no answer in time');
    this.#deadline = setTimeout(late, this.timing.joinWithin);
    try {
      const token = await this.#access.get(this.#attempt);
      if (turn !== this.#turn) return;
      if (token === null) {
        this.#end(CLOSE_UNAUTHORIZED, 'the token was refused');
        return;
      }
    } catch (error) {
      if (turn !== this.#turn) return;
      const message = this.#tokenProblem(error);
      if (error instanceof FinalError) this.#end(CLOSE_UNAUTHORIZED, message);
      else this.#lost(1006, message);
      return;
    }
    // The token is no part of the address: addresses are logged on the way.
    const url = new URL(`/webrtc/ws/${encodeURIComponent(this.room)}`, this.origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new (this.#options.WebSocket ?? WebSocket)(url.href, [PROTOCOL]);
    this.#socket = socket;
    socket.onopen = () => this.#onOpen(socket);
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#lost(event.code, event.reason);
  }

  /** @param {WebSocket} socket */
  #onOpen(socket) {
    if (socket.protocol !== PROTOCOL) {
      this.#end(1008, `the server does not speak ${PROTOCOL}`);
      return;
    }
    this.#setState('open');
    if (socket !== this.#socket) return;
    const resume = this.#session && { resume: this.#session.token, seq: this.#seq ?? 0 };
    this.#write({ type: 'auth', payload: { token: this.#access.token, ...resume } });
  }

  /**
   * @param {number} code
   * @param {string} reason
   * @param {number} [inMs] when to try again, if that is known
   */
  #lost(code, reason, inMs) {
    this.#abandon();
    if (this.#session) this.#session.lostAt ??= Date.now();
    const another = code === CLOSE_UNAUTHORIZED && this.#access.refuse();
    const usual = retryDelay(another ? 1006 : code, this.#attempt, this.timing);
    if (usual === null) {
      this.#end(code, reason);
      return;
    }
    const retryInMs = inMs ?? this.#hintMs ?? usual;
    this.#hintMs = null;
    this.#attempt += 1;
    this.#deadline = setTimeout(() => this.#open(), retryInMs);
    this.#setState('waiting', { code, reason, retryInMs });
  }

  /** @param {number} code @param {string} reason */
  #end(code, reason) {
    this.#abandon();
    for (const socket of this.#abandoned.splice(0)) socket.close(1000, 'bye');
    globalThis.removeEventListener?.('online', this.#onOnline);
    globalThis.document?.removeEventListener('visibilitychange', this.#onVisible);
    this.#session = this.#seq = this.#hintMs = null;
    this.#setState('closed', { code, reason });
    this.#emitUnsent('closed', this.#outbox.clear());
  }

  /**
   * Forgets the socket, so that no late event of it arrives. To close it would be to leave the
   * room if the server still hears it; the server closes it when another takes up the session.
   */
  #abandon() {
    this.#turn += 1;
    clearTimeout(this.#deadline);
    clearTimeout(this.#stable);
    clearTimeout(this.#refreshing);
    this.#pulse.stop();
    this.#replaying = false;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (this.#session && socket.readyState === SOCKET_OPEN) this.#abandoned.push(socket);
    else socket.close(1000, 'given up');
    if (this.#abandoned.length > ABANDONED_MAX) this.#abandoned.shift()?.close(1000, 'given up');
  }

  #onOnline = () => {
    if (this.state === 'joined') this.#pulse.check(this.timing.checkWithin);
    else this.#open();
  };

  #onVisible = () => {
    if (globalThis.document.visibilityState !== 'visible') return;
    if (this.state === 'joined') this.#pulse.check(this.timing.checkWithin);
    else if (this.state === 'waiting') this.#open();
  };

  // --- what the server says ---

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
    this.#pulse.heard();
    this.emit('frame', { direction: 'in', at: new Date(), frame });
    const payload = /** @type {any} */ (frame.payload ?? {});
    if (frame.type === 'room-state') {
      this.#onRoomState(payload, frame.seq);
    } else if (this.state !== 'joined' || this.#isNext(frame.seq)) {
      if (!this.#roster.apply(frame.type, payload)) this.#dispatch(frame, payload);
    }
  }

  /** @param {number | undefined} seq @returns {boolean} false: it was here before */
  #isNext(seq) {
    if (seq === undefined) return true;
    if (this.#seq !== null && seq <= this.#seq) return false;
    if (this.#seq !== null && seq !== this.#seq + 1)
      this.#problem('SEQUENCE_GAP', `Frame ${seq} came, ${this.#seq + 1} was due`);
    this.#seq = seq;
    return true;
  }

  /** @param {Frame} frame @param {any} payload */
  #dispatch(frame, payload) {
    switch (frame.type) {
      case 'ack':
        this.#outbox.accept(payload.id);
        break;
      case 'pong':
        if (payload.replayed === this.#turn) this.#onReplayed();
        break;
      case 'error':
        if (typeof payload.details?.id === 'number')
          this.#outbox.refuse(payload.details.id, payload);
        this.emit('error', { ...payload, source: 'server' });
        break;
      case 'role-updated': {
        const member = this.members.get(payload.user_id);
        if (member) member.role = payload.role;
        if (this.self && payload.user_id === this.self.user_id) this.self.role = payload.role;
        this.emit('message', frame);
        break;
      }
      case 'token-expiring':
        this.emit('message', frame);
        this.#renewToken(this.#turn);
        break;
      case 'draining':
        if (payload.retry_after_ms >= 0)
          this.#hintMs = Math.min(payload.retry_after_ms, HINT_MAX_MS);
        this.emit('message', frame);
        break;
      default:
        this.emit('message', frame);
    }
  }

  /** @param {RoomState} state @param {number | undefined} seq */
  #onRoomState(state, seq) {
    if (this.state === 'joined') {
      this.#isNext(seq);
      this.self = state.self;
      this.#roster.replace(state, false);
      this.emit('room-state', state);
      return;
    }
    const same = this.#session !== null && this.self?.peer_id === state.self.peer_id;
    const complete = same && state.resumed === true;
    const turn = this.#turn;
    if (!complete) this.#seq = seq ?? null;
    this.self = state.self;
    this.#keepSession(state);
    this.#roster.replace(state, complete);
    clearTimeout(this.#deadline);
    this.#access.accept();
    this.#stable = setTimeout(() => {
      this.#attempt = 0;
    }, this.timing.stableAfter);
    this.#pulse.start();
    const unsent = same ? [] : this.#outbox.clear();
    // What waits goes first, before the application can send anything: ids have to rise.
    if (complete) {
      this.#replaying = true;
      this.#askWhetherReplayed();
    } else if (same) {
      this.#outbox.acceptUpTo(state.session?.last_id ?? 0);
      this.#writeAllKept();
    }
    this.#setState('joined');
    if (turn === this.#turn) this.emit('room-state', state);
    if (turn === this.#turn && same) this.emit('resumed', { complete });
    this.#emitUnsent('new-session', unsent);
  }

  /** @param {'new-session' | 'closed'} reason @param {UnsentMessage[]} messages */
  #emitUnsent(reason, messages) {
    if (messages.length) this.emit('unsent', { reason, messages });
  }

  /** @param {RoomState} state */
  #keepSession({ session }) {
    this.#session = session
      ? { token: session.resume_token, windowMs: 1000 * session.expires_in, lostAt: null }
      : null;
    // The session is this socket's; what others say of it does not matter any more.
    for (const socket of this.#abandoned.splice(0)) socket.close(1000, 'given up');
  }

  /** The answer comes after the frames that were missed; the server may refuse a ping too many. */
  #askWhetherReplayed() {
    this.#write({ type: 'ping', payload: { replayed: this.#turn } });
    this.#deadline = setTimeout(() => this.#askWhetherReplayed(), this.timing.checkWithin);
  }

  /** All frames that were missed are here, answers to own messages among them. */
  #onReplayed() {
    if (!this.#replaying) return;
    clearTimeout(this.#deadline);
    this.#writeAllKept();
  }

  /** @param {number} turn */
  #renewToken(turn) {
    if (!this.#access.isRenewable) return;
    this.#refreshing = setTimeout(async () => {
      try {
        const token = await this.#access.renew();
        if (turn === this.#turn) this.refresh(token);
      } catch (error) {
        if (turn !== this.#turn) return;
        this.#tokenProblem(error);
        if (!(error instanceof FinalError)) this.#renewToken(turn);
      }
    }, this.#access.renewableInMs(this.timing.refreshAgain));
  }

  /** @param {unknown} error */
  #tokenProblem(error) {
    const message = error instanceof Error ? error.message : String(error);
    this.#problem('NO_TOKEN', message);
    return message;
  }

  /** @param {State} state @param {{code?: number, reason?: string, retryInMs?: number}} [why] */
  #setState(state, why = {}) {
    const previous = this.state;
    this.state = state;
    this.emit('state', { state, previous, attempt: this.#attempt, ...why });
  }

  /** @param {string} code @param {string} message */
  #problem(code, message) {
    this.emit('error', { code, message, source: 'client' });
  }
}
