// @ts-check
/** One remote connection of the mesh. Import it from `lunasig.js`. */

/**
 * @import { Call } from './mesh.js'
 * @import { Frame, PeerInfo } from './types.js'
 */

const EARLY_CANDIDATES_MAX = 256;
const INBOX_MAX = 512;
const RESENDS_DOUBLING_MAX = 4;

/**
 * One remote connection: perfect negotiation as in the W3C specification (WebRTC 1.0, section
 * 10.7).
 */
export class Peer {
  /** What they send. */
  stream = new MediaStream();
  /** Null before the ICE servers are known, and in the end. @type {RTCPeerConnection | null} */
  pc = null;
  counters = { offers: 0, resent: 0, ignored: 0, yielded: 0, restarts: 0, dropped: 0 };
  #call;
  #makingOffer = false;
  #ignoreOffer = false;
  #sending = false;
  #busy = false;
  #resends = 0;
  /** @type {RTCConfiguration} */ #configuration = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #firstOfferTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #answerTimer;
  /** @type {Frame[]} */ #inbox = [];
  /** Ahead of their description. @type {(RTCIceCandidateInit | null)[]} */ #early = [];
  #closed = false;

  /**
   * @param {Call} call
   * @param {PeerInfo} info
   * @param {boolean} polite this side came later; it makes the first offer and gives way when two
   *   offers meet
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
    this.#configuration = configuration;
    const pc = this.#renew();
    // If both began at once, every pair would negotiate twice; a newcomer that waits is not waited
    // for long.
    const wait = this.polite ? 0 : this.#call.timing.firstOffer;
    if (wait) this.#firstOfferTimer = setTimeout(() => this.#sendMedia(pc, true), wait);
    else this.#sendMedia(pc, true);
    this.#work();
  }

  /** A new connection without any negotiation behind it. */
  #renew() {
    const pc = new RTCPeerConnection(this.#configuration);
    this.#end();
    this.pc = pc;
    this.#makingOffer = false;
    this.#sending = false;
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
    return pc;
  }

  /** A closed connection says nothing more. */
  #end() {
    const { pc } = this;
    this.pc = null;
    clearTimeout(this.#firstOfferTimer);
    clearTimeout(this.#answerTimer);
    if (!pc) return;
    pc.onnegotiationneeded = pc.onicecandidate = pc.ontrack = null;
    pc.onsignalingstatechange = pc.onconnectionstatechange = null;
    pc.close();
  }

  /**
   * Own tracks, once per connection; in an offer also a place for what is only received.
   * @param {RTCPeerConnection} pc
   * @param {boolean} offering
   */
  #sendMedia(pc, offering) {
    if (this.#sending || pc !== this.pc) return;
    this.#sending = true;
    const { stream } = this.#call;
    for (const track of stream?.getTracks() ?? []) {
      pc.addTrack(track, /** @type {MediaStream} */ (stream));
    }
    if (!offering) return;
    for (const kind of ['audio', 'video']) {
      const known = pc.getTransceivers().some(({ receiver }) => receiver.track.kind === kind);
      if (!known) pc.addTransceiver(kind, { direction: 'recvonly' });
    }
  }

  /** @param {MediaStreamTrack} track @param {MediaStream} stream */
  addTrack(track, stream) {
    if (this.#sending) this.pc?.addTrack(track, stream);
  }

  /**
   * ICE servers for candidates that are gathered from now on; a connection goes on with those that
   * it has.
   * @param {RTCConfiguration} configuration
   */
  configure(configuration) {
    if (!this.pc) return; // start() brings it
    this.#configuration = configuration;
    const { iceServers, iceTransportPolicy } = configuration;
    // The other policies of a connection cannot be changed.
    this.pc.setConfiguration({
      ...this.pc.getConfiguration(),
      iceServers,
      ...(iceTransportPolicy && { iceTransportPolicy }),
    });
  }

  /** New candidates for a connection that failed; new ICE servers if those at hand are old. */
  async restart() {
    const { pc } = this;
    this.counters.restarts += 1;
    const configuration = await this.#call.freshConfiguration();
    if (!pc || pc !== this.pc) return;
    this.configure(configuration);
    pc.restartIce();
  }

  /** Signaling messages were lost, and nobody knows which. */
  recover() {
    const { pc } = this;
    if (pc?.signalingState === 'have-local-offer') this.#sendDescription(pc);
    else if (pc?.currentRemoteDescription) this.restart();
  }

  /** An offer, answer or candidate of theirs. @param {Frame} frame */
  receive(frame) {
    if (this.#inbox.length >= INBOX_MAX) this.counters.dropped += 1;
    else this.#inbox.push(frame);
    this.#work();
  }

  close() {
    this.#closed = true;
    this.#inbox.length = this.#early.length = 0;
    this.#end();
  }

  /** One frame after the other: a candidate never overtakes its description. */
  async #work() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.pc && this.#inbox.length) {
      const { type, payload } = /** @type {Frame} */ (this.#inbox[0]);
      try {
        if (type === 'ice-candidate') await this.#onCandidate(this.pc, payload);
        else if (type === 'offer') await this.#onOffer(this.pc, payload.sdp);
        else await this.#onAnswer(this.pc, payload.sdp);
      } catch (error) {
        this.#report(error);
      }
      this.#inbox.shift();
    }
    this.#busy = false;
  }

  /** @param {unknown} error */
  #report(error) {
    if (!this.#closed) this.#call.emit('error', { peer: this, error });
  }

  /** @param {RTCPeerConnection} pc */
  async #offer(pc) {
    try {
      this.#makingOffer = true;
      await pc.setLocalDescription();
      this.#sendDescription(pc);
    } catch (error) {
      if (pc === this.pc) this.#report(error);
    } finally {
      if (pc === this.pc) this.#makingOffer = false;
    }
  }

  /** @param {RTCPeerConnection} current @param {string} sdp */
  async #onOffer(current, sdp) {
    let pc = current;
    const collision = this.#makingOffer || pc.signalingState !== 'stable';
    this.#ignoreOffer = collision && !this.polite;
    if (this.#ignoreOffer) {
      this.counters.ignored += 1;
      return;
    }
    if (collision) {
      this.counters.yielded += 1;
      // Chromium gathers no candidates after the rollback of a very first offer; a later one it
      // takes back well.
      if (!pc.currentRemoteDescription) pc = this.#renew();
    }
    this.#sendMedia(pc, false);
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await this.#addEarly(pc);
    await pc.setLocalDescription();
    this.#sendDescription(pc);
  }

  /** @param {RTCPeerConnection} pc @param {string} sdp */
  async #onAnswer(pc, sdp) {
    this.#ignoreOffer = false;
    if (pc.signalingState !== 'have-local-offer') return; // a second one, to an offer sent again
    await pc.setRemoteDescription({ type: 'answer', sdp });
    await this.#addEarly(pc);
  }

  /** @param {RTCPeerConnection} pc */
  async #addEarly(pc) {
    for (const candidate of this.#early.splice(0)) await this.#addCandidate(pc, candidate);
  }

  /** @param {RTCPeerConnection} pc @param {Record<string, any>} payload */
  async #onCandidate(pc, { candidate, sdpMid = null, sdpMLineIndex = null }) {
    const init =
      typeof candidate === 'string' ? { candidate, sdpMid, sdpMLineIndex } : (candidate ?? null);
    const full = this.#early.length >= EARLY_CANDIDATES_MAX;
    if (pc.remoteDescription) await this.#addCandidate(pc, init);
    else if (this.#ignoreOffer || full) this.counters.dropped += 1;
    else this.#early.push(init);
  }

  /**
   * @param {RTCPeerConnection} pc
   * @param {RTCIceCandidateInit | null} candidate null: there are no more
   */
  async #addCandidate(pc, candidate) {
    try {
      await (candidate ? pc.addIceCandidate(candidate) : pc.addIceCandidate());
    } catch (error) {
      // Those of an ignored offer fit nothing here.
      if (!this.#ignoreOffer) this.#report(error);
    }
  }

  /** @param {RTCPeerConnection} pc */
  #sendDescription(pc) {
    const description = pc.localDescription;
    if (pc !== this.pc || !description) return;
    const { type, sdp } = description;
    this.#call.signal.send(type, { type, sdp }, { target: this.peerId });
    if (type !== 'offer') return;
    this.counters.offers += 1;
    this.#awaitAnswer(pc);
  }

  /** @param {RTCPeerConnection} pc */
  #awaitAnswer(pc) {
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(
      () => this.#resendOffer(pc),
      this.#call.timing.answer * 2 ** Math.min(this.#resends, RESENDS_DOUBLING_MAX),
    );
  }

  /** A refused or lost offer must not block the pair for ever. @param {RTCPeerConnection} pc */
  #resendOffer(pc) {
    if (pc !== this.pc || pc.signalingState !== 'have-local-offer') return;
    this.#resends += 1;
    if (this.#call.signal.state !== 'joined') {
      this.#awaitAnswer(pc); // the first one is kept until the connection is back
      return;
    }
    this.counters.resent += 1;
    this.#sendDescription(pc);
  }

  /** @param {RTCIceCandidate | null} candidate */
  #sendCandidate(candidate) {
    if (candidate?.candidate === '') return; // the end of one m-line; null ends them all
    /** @type {Record<string, unknown>} */
    const payload = { candidate: candidate?.candidate ?? null };
    // What is not known is left out: the server takes a string or nothing.
    if (candidate?.sdpMid != null) payload.sdpMid = candidate.sdpMid;
    if (candidate?.sdpMLineIndex != null) payload.sdpMLineIndex = candidate.sdpMLineIndex;
    this.#call.signal.send('ice-candidate', payload, { target: this.peerId });
  }
}
