// @ts-check
/** The mesh of peer connections over a `Lunasig`. Import it from `lunasig.js`. */

import { Emitter } from './emitter.js';
import { Peer } from './peer.js';

/**
 * @import { Lunasig } from './lunasig.js'
 * @import { Frame, IceSettings, Participant, PeerInfo, RoomState, Self } from './types.js'
 */

/** Times in milliseconds. */
export const CALL_TIMING = Object.freeze({
  firstOffer: 2000, // the one who was there first waits this long for the offer of the newcomer
  answer: 8000, // an offer without answer is sent again, each time after twice as long
});
const CONFIGURATION_FRESH_MS = 30 * 60 * 1000; // TURN credentials live for an hour at most
const SIGNAL_TYPES = new Set(['offer', 'answer', 'ice-candidate']);

/**
 * @typedef {{
 *   peer: Peer,
 *   'peer-removed': Peer,
 *   track: {peer: Peer, track: MediaStreamTrack},
 *   'peer-state': Peer,
 *   error: {peer: Peer, error: unknown},
 * }} CallEvents
 */

/**
 * Everybody with everybody: one `Peer` per remote peer_id. A member who returns has a new peer_id
 * and gets a new one.
 * While the signaling connection is lost, on this side or the other, the media go on, and a resumed
 * session finds them as they were. After a new join with another peer_id all is built anew.
 * @extends {Emitter<CallEvents>}
 */
export class Call extends Emitter {
  /** By peer_id. @type {Map<string, Peer>} */ peers = new Map();
  /** @type {MediaStream | null} */ stream;
  /** @type {Self | null} */ #self = null;
  /** @type {RTCConfiguration | null} */ #configuration = null;
  #configurationAt = 0;
  /** @type {Promise<RTCConfiguration> | null} */ #fetching = null;
  /** @type {(() => void)[]} */ #listeners;

  /**
   * @param {Lunasig} signal
   * @param {{stream?: MediaStream | null, timing?: Partial<typeof CALL_TIMING>}} [options] stream:
   *   what is sent; null: receive only
   */
  constructor(signal, { stream = null, timing = {} } = {}) {
    super();
    this.signal = signal;
    this.stream = stream;
    this.timing = { ...CALL_TIMING, ...timing };
    this.#listeners = [
      signal.on('room-state', (state) => this.#onRoomState(state)),
      signal.on('resumed', ({ complete }) => {
        if (!complete) for (const peer of this.peers.values()) peer.recover();
      }),
      signal.on('peer-joined', (info) => this.#add(info)),
      signal.on('peer-left', ({ peer_id }) => this.#remove(peer_id)),
      signal.on('message', (frame) => this.#onMessage(frame)),
      signal.on('state', ({ state }) => {
        if (state === 'closed') this.#clear();
      }),
    ];
    if (signal.self && signal.state === 'joined') {
      this.#sync(signal.self, [...signal.members.values()]);
    }
  }

  /** Sends one more track to everybody, now and later. @param {MediaStreamTrack} track */
  addTrack(track) {
    const stream = (this.stream ??= new MediaStream());
    stream.addTrack(track);
    for (const peer of this.peers.values()) peer.addTrack(track, stream);
  }

  /** Ends the peer connections; the signaling connection is left as it is. */
  close() {
    for (const off of this.#listeners.splice(0)) off();
    this.#clear();
  }

  /**
   * What `RTCPeerConnection` needs, fetched again when old.
   * @returns {Promise<RTCConfiguration>}
   */
  freshConfiguration() {
    const old = Date.now() - this.#configurationAt > CONFIGURATION_FRESH_MS;
    if (this.#configuration && !old) return Promise.resolve(this.#configuration);
    this.#fetching ??= this.#fetchConfiguration().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetchConfiguration() {
    try {
      const limit = AbortSignal.timeout(5000);
      const answer = await this.signal.request('/webrtc/config', { signal: limit });
      if (answer.ok) this.#configure(await answer.json());
    } catch {
      // The old ones are tried then; on a local network none are needed.
    }
    return this.#configuration ?? { iceServers: [] };
  }

  /** @param {IceSettings} settings */
  #configure({ ice_servers, ice_transport_policy, bundle_policy, rtcp_mux_policy }) {
    this.#configuration = {
      ...this.#configuration,
      iceServers: ice_servers ?? [],
      ...(ice_transport_policy && { iceTransportPolicy: ice_transport_policy }),
      ...(bundle_policy && { bundlePolicy: bundle_policy }),
      ...(rtcp_mux_policy && { rtcpMuxPolicy: rtcp_mux_policy }),
    };
    this.#configurationAt = Date.now();
    for (const peer of this.peers.values()) peer.configure(this.#configuration);
  }

  /** @param {RoomState} state */
  #onRoomState(state) {
    if (this.#self?.peer_id !== state.self.peer_id) this.#clear();
    if (state.ice_servers) this.#configure(state);
    else this.#configuration = null;
    this.#sync(state.self, state.participants);
  }

  /** @param {Self} self @param {Participant[]} participants */
  #sync(self, participants) {
    this.#self = self;
    /** @type {Map<string, PeerInfo>} */
    const present = new Map();
    for (const { user_id, username, peers = [] } of participants) {
      for (const peer of peers) present.set(peer.peer_id, { user_id, username, ...peer });
    }
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
    if (frame.type === 'ice-servers') this.#configure(frame.payload);
    if (!SIGNAL_TYPES.has(frame.type) || !frame.sender_peer_id) return;
    this.peers.get(frame.sender_peer_id)?.receive(frame);
  }
}
