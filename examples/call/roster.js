// @ts-check
/** Who is in the room. */

/**
 * @import { Emitter } from './emitter.js'
 * @import { LunasigEvents, PeerRef, RoomState } from './types.js'
 */

export class Roster {
  /** @type {Map<string, import('./types.js').Participant>} */ members = new Map();
  #signal;
  /** Up to which revision the frames that are sent again are history. */
  #history = 0;

  /** @param {Emitter<LunasigEvents>} signal */
  constructor(signal) {
    this.#signal = signal;
  }

  /**
   * @param {RoomState} state
   * @param {boolean} replay frames that led to it follow
   */
  replace(state, replay) {
    this.members = new Map(
      state.participants.map((p) => [p.user_id, { ...p, peers: [...(p.peers ?? [])] }]),
    );
    delete this.members.get(state.self.user_id)?.away; // the snapshot may be older than the return
    this.#history = replay ? (state.revision ?? 0) : 0;
  }

  /**
   * @param {string} type
   * @param {any} payload
   * @returns {boolean} whether it was about members
   */
  apply(type, payload) {
    const past = payload.revision <= this.#history;
    switch (type) {
      case 'user-joined':
        if (!past) this.members.set(payload.user_id, { ...payload, peers: [] });
        this.#signal.emit('joined', payload);
        if (past) break;
        for (const peer of payload.peers ?? []) this.#addPeer(payload.user_id, peer);
        break;
      case 'user-left':
        if (!past) {
          for (const peer of [...(this.members.get(payload.user_id)?.peers ?? [])])
            this.#removePeer(payload.user_id, peer);
          this.members.delete(payload.user_id);
        }
        this.#signal.emit('left', payload);
        break;
      case 'user-away':
      case 'user-back':
        this.#setAway(payload, type === 'user-away', past);
        break;
      case 'peer-joined':
        if (!past) this.#addPeer(payload.user_id, payload);
        break;
      case 'peer-left':
        if (!past) this.#removePeer(payload.user_id, payload);
        break;
      default:
        return false;
    }
    return true;
  }

  /** @param {any} payload @param {boolean} away @param {boolean} past */
  #setAway(payload, away, past) {
    const member = this.members.get(payload.user_id);
    if (member && !past) {
      if (away) member.away = true;
      else delete member.away;
    }
    this.#signal.emit(away ? 'away' : 'back', payload);
  }

  /** @param {string} userId @param {PeerRef} peer */
  #addPeer(userId, { peer_id, join_seq }) {
    const member = this.members.get(userId);
    if (!member?.peers || member.peers.some((known) => known.peer_id === peer_id)) return;
    member.peers.push({ peer_id, join_seq });
    const { username } = member;
    this.#signal.emit('peer-joined', { user_id: userId, username, peer_id, join_seq });
  }

  /** @param {string} userId @param {PeerRef} peer */
  #removePeer(userId, { peer_id, join_seq }) {
    const member = this.members.get(userId);
    if (!member?.peers?.some((known) => known.peer_id === peer_id)) return;
    member.peers = member.peers.filter((known) => known.peer_id !== peer_id);
    const { username } = member;
    this.#signal.emit('peer-left', { user_id: userId, username, peer_id, join_seq });
  }
}
