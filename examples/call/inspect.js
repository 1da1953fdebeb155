// @ts-check
/** What a test or a curious person can ask the page; not an interface to build on. */

/** @import { Call, Lunasig } from './lunasig.js' */

/**
 *   session  null outside of a call, else {signal: Lunasig, call: Call, ...}
 *   peers()  per remote connection its states and the counters of its negotiation
 *   stats()  the same with what getStats() says of the media that comes in, and how
 *
 * @param {() => {signal: Lunasig, call: Call} | null} sessionNow
 */
export function inspector(sessionNow) {
  const peers = () => [...(sessionNow()?.call.peers.values() ?? [])];
  /** @param {ReturnType<typeof peers>[number]} peer */
  const summary = (peer) => ({
    peerId: peer.peerId,
    userId: peer.userId,
    joinSeq: peer.joinSeq,
    polite: peer.polite,
    connectionState: peer.pc?.connectionState ?? 'new',
    signalingState: peer.pc?.signalingState ?? 'stable',
    counters: { ...peer.counters },
  });
  /** @param {ReturnType<typeof peers>[number]} peer */
  const stats = async (peer) => {
    const report = await peer.pc?.getStats();
    const media = { framesDecoded: 0, audioPackets: 0, bytesReceived: 0, candidateType: '' };
    report?.forEach((entry) => {
      if (entry.type === 'transport') {
        const pair = report.get(entry.selectedCandidatePairId);
        media.candidateType = report.get(pair?.localCandidateId)?.candidateType ?? '';
      }
      if (entry.type !== 'inbound-rtp') return;
      media.bytesReceived += entry.bytesReceived;
      if (entry.kind === 'video') media.framesDecoded += entry.framesDecoded;
      else media.audioPackets += entry.packetsReceived;
    });
    return { ...summary(peer), ...media };
  };
  return {
    get session() {
      return sessionNow();
    },
    peers: () => peers().map(summary),
    stats: () => Promise.all(peers().map(stats)),
  };
}
