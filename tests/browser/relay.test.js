// A call that is forced over a TURN relay: with credentials that the server makes, and renews.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { startCoturn } from './coturn.js';
import { DEADLINE_MS, startServer } from './harness.js';
import { call, keep, morePictures, stopAll, undisturbed, until, watched } from './live_call.js';

const TIMEOUT = { timeout: 4 * DEADLINE_MS };
const LIFETIME_S = 10;

afterEach(stopAll);

/** The user name of the relay, which begins with the second in which it ends. */
const userName = (guest) =>
  guest.page.evaluate(() => window.watch.pc.getConfiguration().iceServers.at(-1).username);

test('a call goes over the relay, and on when its credentials have ended', TIMEOUT, async (t) => {
  const coturn = keep(await startCoturn());
  const server = keep(
    await startServer({
      WEBRTC_TURN_URLS: coturn.url,
      WEBRTC_TURN_SECRET: coturn.secret,
      WEBRTC_TURN_LIFETIME_S: String(LIFETIME_S),
      WEBRTC_ICE_TRANSPORT_POLICY: 'relay',
    }),
  );
  const { ann, bob } = await call(server);
  for (const guest of [ann, bob]) {
    const stats = await guest.page.evaluate(() => window.lunasigCall.stats());
    assert.deepEqual(
      stats.map(({ candidateType }) => candidateType),
      ['relay'],
    );
  }

  const first = await userName(ann);
  assert.match(first, /^\d+:guest_ann$/);
  const end = 1000 * Number.parseInt(first, 10);
  await until(ann, (wanted) => Date.now() > wanted, end + 1000);
  const fresh = Number.parseInt(await userName(ann), 10);
  assert.ok(1000 * fresh > Date.now(), 'fresh ones came before the old ones ended');
  await undisturbed(t, ann, bob);

  // New candidates need an allocation, and that needs credentials that are good now.
  const before = await ann.page.evaluate(() => window.watch.pc.localDescription.sdp);
  await ann.page.evaluate(() => {
    const [peer] = window.lunasigCall.session.call.peers.values();
    peer.restart();
  });
  const ufrag = (sdp) => /a=ice-ufrag:(\S+)/.exec(sdp)[1];
  await until(
    ann,
    (old) => {
      const { pc } = window.watch;
      const sdp = pc.localDescription?.sdp ?? '';
      return (
        pc.signalingState === 'stable' &&
        !sdp.includes(`a=ice-ufrag:${old}`) &&
        / typ relay /.test(sdp) &&
        pc.iceGatheringState === 'complete'
      );
    },
    ufrag(before),
  );
  await Promise.all([morePictures(ann, 30), morePictures(bob, 30)]);
  const { states, same } = await watched(ann);
  assert.deepEqual([states, same], [[], true]);
});
