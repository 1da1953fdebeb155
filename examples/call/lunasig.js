// @ts-check
/**
 * Lunasig in the browser. `Lunasig` keeps one WebSocket to a room and speaks `lunasig.v1`; `Call` builds a mesh of peer
 * connections over it. No dependency. `tsc --checkJs --strict` passes.
 *
 *   const signal = new Lunasig({ room: 'tea', token: accessToken });
 *   const call = new Call(signal, { stream: await navigator.mediaDevices.getUserMedia({ video: true, audio: true }) });
 *   call.on('track', ({ peer }) => { video.srcObject = peer.stream; });
 *   signal.on('message', (frame) => console.log(frame.type, frame.payload));
 *   signal.connect();
 */

/**
 * @typedef {{peer_id: string, join_seq: number}} PeerRef  one connection of a member
 * @typedef {{user_id: string, username: string, role?: string, joined_at?: string, peers?: PeerRef[]}} Participant
 * @typedef {{user_id: string, peer_id: string, join_seq: number, role: string}} Self
 * @typedef {{room_id: string, participants: Participant[], participant_count: number, self: Self, revision?: number,
 *   ice_servers?: RTCIceServer[], resumed?: boolean}} RoomState
 * @typedef {{type: string, payload: Record<string, any>, sender_id: string | null, room_id: string | null,
 *   timestamp: string | null, seq?: number, sender_peer_id?: string | null, target_id?: string}} Frame
 * @typedef {{user_id: string, username: string, peer_id: string, join_seq: number}} PeerInfo
 * @typedef {{code: string, message: string, details?: any, source: 'server' | 'client'}} Problem
 * @typedef {'idle' | 'connecting' | 'open' | 'joined' | 'waiting' | 'closed'} State
 *   open: the socket is up, the room-state is not here yet; waiting: for the next attempt; closed: for good
 * @typedef {{state: State, previous: State, code?: number, reason?: string, retryInMs?: number, attempt: number}} StateChange
 * @typedef {{
 *   state: StateChange,
 *   'room-state': RoomState,
 *   joined: Participant,
 *   left: {user_id: string, username: string, reason?: string},
 *   'peer-joined': PeerInfo,
 *   'peer-left': PeerInfo,
 *   message: Frame,
 *   frame: {direction: 'in' | 'out', at: Date, frame: Frame | {type: string, payload: any, target_id?: string}},
 *   error: Problem,
 * }} LunasigEvents  `joined` and `left` are of users, `peer-…` of each of their connections, the first and last included
 */

const PROTOCOL = 'lunasig.v1';
const FRAME_MAX_BYTES = 65536; // the server closes with 1009 above it
const BUFFERED_MAX_BYTES = 1 << 20;
const EARLY_CANDIDATES_MAX = 256;
const INBOX_MAX = 512;
const CLOSE_FLOODING = 4429;
/** After these a new attempt would end the same way, or is not wanted. */
const FINAL_CLOSE_CODES = new Set([1000, 1008, 4401, 4403, 4409]);
const SIGNAL_TYPES = new Set(['offer', 'answer', 'ice-candidate']);

/** Times in milliseconds. */
export const TIMING = Object.freeze({
  retryMin: 500,
  retryMax: 15000,
  retryFlooding: 30000, // after close 4429, at least
  attemptsMax: 40, // about ten minutes, then closed
  stableAfter: 10000, // joined this long: the next loss starts again at retryMin
  joinWithin: 15000, // from the start of an attempt to its room-state
  answerWithin: 8000, // an offer without answer is sent again
});

/**
 * Half of the exponential delay is fixed, half is random: a restarted server is not met by all clients at once.
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

/** @template T */
class DetailEvent extends Event {
  /** @param {string} type @param {T} detail */
  constructor(type, detail) {
    super(type);
    this.detail = detail;
  }
}

/**
 * An EventTarget whose events carry a typed `detail`.
 * @template {Record<string, any>} Events
 */
class Emitter extends EventTarget {
  /**
   * @template {keyof Events & string} K
   * @param {K} type
   * @param {(detail: Events[K]) => void} listener
   * @param {{once?: boolean, signal?: AbortSignal}} [options]
   * @returns {() => void} takes the listener off again
   */
  on(type, listener, options) {
    /** @param {Event} event */
    const wrapped = (event) => listener(/** @type {DetailEvent<Events[K]>} */ (event).detail);
    this.addEventListener(type, wrapped, options);
    return () => this.removeEventListener(type, wrapped);
  }

  /**
   * @template {keyof Events & string} K
   * @param {K} type
   * @param {Events[K]} detail
   */
  emit(type, detail) {
    this.dispatchEvent(new DetailEvent(type, detail));
  }
}

/**
 * @typedef {{
 *   room: string,
 *   token: string | ((attempt: number) => string | Promise<string>),
 *   origin?: string,
 *   timing?: Partial<typeof TIMING>,
 *   WebSocket?: typeof WebSocket,
 * }} LunasigOptions
 *   token: a function is asked before each attempt (0 the first time, then how many failed in a row)
 *   origin: of the server, by default of the page
 */

/**
 * One connection to one room, kept up until `close()` or a final close code.
 * @extends {Emitter<LunasigEvents>}
 */
export class Lunasig extends Emitter {
  /** @type {State} */ state = 'idle';
  /** @type {Self | null} */ self = null;
  /** Members of the room, oneself included; kept while the connection is lost. @type {Map<string, Participant>} */
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
    const frame = target === undefined ? { type, payload } : { type, payload, target_id: target };
    const text = JSON.stringify(frame);
    if (new TextEncoder().encode(text).length > FRAME_MAX_BYTES) {
      return this.#problem('MESSAGE_TOO_LARGE', `A ${type} message above ${FRAME_MAX_BYTES} bytes was not sent`);
    }
    if (this.#socket.bufferedAmount > BUFFERED_MAX_BYTES) {
      return this.#problem('SEND_BUFFER_FULL', `The connection is too slow: a ${type} message was not sent`);
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
    this.#deadline = setTimeout(() => this.#lost(1006, 'no answer in time'), this.#timing.joinWithin);
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

  /** Forgets the socket, so that no late event of it arrives. @param {number} code @param {string} reason */
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
      if (frame.seq !== expected) this.#problem('SEQUENCE_GAP', `Frame ${frame.seq} came, ${expected} was due`);
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
        for (const peer of [...(this.members.get(payload.user_id)?.peers ?? [])]) this.#removePeer(payload.user_id, peer);
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
    this.members = new Map(state.participants.map((p) => [p.user_id, { ...p, peers: [...(p.peers ?? [])] }]));
    if (this.state !== 'joined') {
      clearTimeout(this.#deadline);
      this.#stable = setTimeout(() => { this.#attempt = 0; }, this.#timing.stableAfter);
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

/**
 * @typedef {{
 *   peer: Peer,
 *   'peer-removed': Peer,
 *   track: {peer: Peer, track: MediaStreamTrack},
 *   'peer-state': Peer,
 *   error: {peer: Peer, error: unknown},
 * }} CallEvents
 */

/** One remote connection: perfect negotiation as in the W3C specification (WebRTC 1.0, section 10.7). */
export class Peer {
  /** What they send. @type {MediaStream} */ stream = new MediaStream();
  /** The connection; null until the ICE servers are known. @type {RTCPeerConnection | null} */ pc = null;
  counters = { offers: 0, resent: 0, ignored: 0, yielded: 0, restarts: 0, dropped: 0 };
  #call;
  #makingOffer = false;
  #ignoreOffer = false;
  #busy = false;
  #closed = false;
  #resends = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #answerTimer;
  /** @type {Frame[]} */ #inbox = [];
  /** @type {(RTCIceCandidateInit | null)[]} */ #early = []; // candidates ahead of their description

  /**
   * @param {Call} call
   * @param {PeerInfo} info
   * @param {boolean} polite this side gives way when two offers meet
   */
  constructor(call, info, polite) {
    this.#call = call;
    this.peerId = info.peer_id;
    this.userId = info.user_id;
    this.username = info.username;
    this.joinSeq = info.join_seq;
    this.polite = polite;
  }

  /** @param {RTCConfiguration} configuration */
  start(configuration) {
    if (this.#closed || this.pc) return;
    const pc = new RTCPeerConnection(configuration);
    this.pc = pc;
    pc.onnegotiationneeded = () => this.#offer(pc);
    pc.onicecandidate = ({ candidate }) => this.#sendCandidate(candidate);
    pc.ontrack = ({ track }) => {
      this.stream.addTrack(track);
      this.#call.emit('track', { peer: this, track });
    };
    pc.onsignalingstatechange = () => {
      if (pc.signalingState === 'stable') this.#resends = 0;
    };
    pc.onconnectionstatechange = () => {
      this.#call.emit('peer-state', this);
      if (pc.connectionState === 'failed') this.restart();
    };
    const { stream } = this.#call;
    for (const track of stream?.getTracks() ?? []) pc.addTrack(track, /** @type {MediaStream} */ (stream));
    this.#work(pc);
  }

  /** New candidates for a connection that failed; new ICE servers if those at hand are old. */
  async restart() {
    this.counters.restarts += 1;
    const configuration = await this.#call.freshConfiguration();
    if (this.#closed || !this.pc) return;
    this.pc.setConfiguration({ ...this.pc.getConfiguration(), ...configuration });
    this.pc.restartIce();
  }

  /** An offer, answer or candidate of theirs. @param {Frame} frame */
  receive(frame) {
    if (this.#inbox.length >= INBOX_MAX) this.counters.dropped += 1;
    else this.#inbox.push(frame);
    if (this.pc) this.#work(this.pc);
  }

  close() {
    this.#closed = true;
    this.#inbox.length = this.#early.length = 0;
    clearTimeout(this.#answerTimer);
    this.pc?.close();
  }

  /** One frame after the other: a candidate never overtakes the description that it belongs to. @param {RTCPeerConnection} pc */
  async #work(pc) {
    if (this.#busy) return;
    this.#busy = true;
    for (let frame = this.#inbox.shift(); frame && !this.#closed; frame = this.#inbox.shift()) {
      try {
        if (frame.type === 'ice-candidate') await this.#onCandidate(pc, frame.payload);
        else await this.#onDescription(pc, /** @type {'offer' | 'answer'} */ (frame.type), frame.payload.sdp);
      } catch (error) {
        if (!this.#closed) this.#call.emit('error', { peer: this, error });
      }
    }
    this.#busy = false;
  }

  /** @param {RTCPeerConnection} pc */
  async #offer(pc) {
    try {
      this.#makingOffer = true;
      await pc.setLocalDescription();
      if (this.#closed) return;
      this.#sendDescription(pc);
    } catch (error) {
      if (!this.#closed) this.#call.emit('error', { peer: this, error });
    } finally {
      this.#makingOffer = false;
    }
  }

  /** @param {RTCPeerConnection} pc @param {'offer' | 'answer'} type @param {string} sdp */
  async #onDescription(pc, type, sdp) {
    const collision = type === 'offer' && (this.#makingOffer || pc.signalingState !== 'stable');
    this.#ignoreOffer = collision && !this.polite;
    if (this.#ignoreOffer) {
      this.counters.ignored += 1;
      return;
    }
    // A second answer, to an offer that was sent again.
    if (type === 'answer' && pc.signalingState !== 'have-local-offer') return;
    if (collision) this.counters.yielded += 1;
    await pc.setRemoteDescription({ type, sdp });
    for (const candidate of this.#early.splice(0)) await this.#addCandidate(pc, candidate);
    if (type === 'offer' && !this.#closed) {
      await pc.setLocalDescription();
      this.#sendDescription(pc);
    }
  }

  /** @param {RTCPeerConnection} pc @param {Record<string, any>} payload */
  async #onCandidate(pc, { candidate, sdpMid = null, sdpMLineIndex = null }) {
    const init = typeof candidate === 'string' ? { candidate, sdpMid, sdpMLineIndex } : candidate ?? null;
    if (pc.remoteDescription) await this.#addCandidate(pc, init);
    else if (this.#ignoreOffer || this.#early.length >= EARLY_CANDIDATES_MAX) this.counters.dropped += 1;
    else this.#early.push(init);
  }

  /** @param {RTCPeerConnection} pc @param {RTCIceCandidateInit | null} candidate null: there are no more */
  async #addCandidate(pc, candidate) {
    try {
      await (candidate ? pc.addIceCandidate(candidate) : pc.addIceCandidate());
    } catch (error) {
      if (!this.#ignoreOffer) throw error; // those of an ignored offer fit nothing here
    }
  }

  /** @param {RTCPeerConnection} pc */
  #sendDescription(pc) {
    const description = pc.localDescription;
    if (!description) return;
    const { type, sdp } = description;
    this.#call.signal.send(type, { type, sdp }, { target: this.peerId });
    if (type !== 'offer') return;
    this.counters.offers += 1;
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => this.#resendOffer(pc), this.#call.answerWithin * 2 ** Math.min(this.#resends, 4));
  }

  /** A refused or lost offer must not block the pair for ever. @param {RTCPeerConnection} pc */
  #resendOffer(pc) {
    if (this.#closed || pc.signalingState !== 'have-local-offer') return;
    this.#resends += 1;
    this.counters.resent += 1;
    this.#sendDescription(pc);
  }

  /** @param {RTCIceCandidate | null} candidate */
  #sendCandidate(candidate) {
    if (candidate?.candidate === '') return; // the end of one m-line; null ends them all
    this.#call.signal.send('ice-candidate', {
      candidate: candidate?.candidate ?? null,
      sdpMid: candidate?.sdpMid ?? null,
      sdpMLineIndex: candidate?.sdpMLineIndex ?? null,
    }, { target: this.peerId });
  }
}

/**
 * Everybody with everybody: one `Peer` per remote peer_id. A member who returns has a new peer_id and gets a new one.
 * While the signaling connection is lost the media goes on; after a new join with another peer_id all is built anew.
 * @extends {Emitter<CallEvents>}
 */
export class Call extends Emitter {
  /** By peer_id. @type {Map<string, Peer>} */ peers = new Map();
  /** @type {MediaStream | null} */ stream;
  /** @type {Self | null} */ #self = null;
  /** @type {RTCConfiguration | null} */ #configuration = null;
  #configurationAt = 0;
  /** @type {(() => void)[]} */ #listeners;

  /**
   * @param {Lunasig} signal
   * @param {{stream?: MediaStream | null, answerWithin?: number}} [options] stream: what is sent; null: receive only
   */
  constructor(signal, { stream = null, answerWithin = TIMING.answerWithin } = {}) {
    super();
    this.signal = signal;
    this.stream = stream;
    this.answerWithin = answerWithin;
    this.#listeners = [
      signal.on('room-state', (state) => this.#onRoomState(state)),
      signal.on('peer-joined', (info) => this.#add(info)),
      signal.on('peer-left', ({ peer_id }) => this.#remove(peer_id)),
      signal.on('message', (frame) => this.#onMessage(frame)),
      signal.on('state', ({ state }) => { if (state === 'closed') this.#clear(); }),
    ];
  }

  /** Sends one more track to everybody, now and later. @param {MediaStreamTrack} track */
  addTrack(track) {
    const stream = this.stream ??= new MediaStream();
    stream.addTrack(track);
    for (const peer of this.peers.values()) peer.pc?.addTrack(track, stream);
  }

  /** Ends the peer connections; the signaling connection is left as it is. */
  close() {
    for (const off of this.#listeners.splice(0)) off();
    this.#clear();
  }

  /** Credentials of TURN servers end after an hour at most: fetched again when half of that is over. */
  async freshConfiguration() {
    if (!this.#configuration || Date.now() - this.#configurationAt > 30 * 60 * 1000) {
      try {
        const answer = await this.signal.request('/webrtc/config', { signal: AbortSignal.timeout(5000) });
        if (answer.ok) this.#configure((await answer.json()).ice_servers);
      } catch {
        // Without a server's answer the old ones are tried; on a local network none are needed.
      }
    }
    return this.#configuration ?? { iceServers: [] };
  }

  /** @param {RTCIceServer[] | undefined} iceServers */
  #configure(iceServers) {
    this.#configuration = { iceServers: iceServers ?? [] };
    this.#configurationAt = Date.now();
  }

  /** @param {RoomState} state */
  #onRoomState(state) {
    if (this.#self?.peer_id !== state.self.peer_id) this.#clear();
    this.#self = state.self;
    this.#configuration = null;
    if (state.ice_servers) this.#configure(state.ice_servers);
    const present = new Map(state.participants.flatMap(({ user_id, username, peers = [] }) =>
      peers.map((peer) => [peer.peer_id, { user_id, username, ...peer }])));
    for (const peerId of this.peers.keys()) if (!present.has(peerId)) this.#remove(peerId);
    for (const info of present.values()) this.#add(info);
  }

  /** @param {PeerInfo} info */
  #add(info) {
    if (!this.#self || info.peer_id === this.#self.peer_id || this.peers.has(info.peer_id)) return;
    const peer = new Peer(this, info, this.#self.join_seq > info.join_seq);
    this.peers.set(info.peer_id, peer);
    this.emit('peer', peer);
    if (this.#configuration) peer.start(this.#configuration);
    else this.freshConfiguration().then((configuration) => peer.start(configuration));
  }

  /** @param {string} peerId */
  #remove(peerId) {
    const peer = this.peers.get(peerId);
    if (!peer) return;
    this.peers.delete(peerId);
    peer.close();
    this.emit('peer-removed', peer);
  }

  #clear() {
    for (const peerId of [...this.peers.keys()]) this.#remove(peerId);
  }

  /** @param {Frame} frame */
  #onMessage(frame) {
    if (frame.type === 'ice-servers') this.#configure(frame.payload.ice_servers);
    if (!SIGNAL_TYPES.has(frame.type) || !frame.sender_peer_id) return;
    this.peers.get(frame.sender_peer_id)?.receive(frame);
  }
}
