// @ts-check
/** When to try again, and how long to wait for what. */

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
  quietFor: 20000, // nothing heard for so long: ask whether the server is there
  pongWithin: 10000, // and without an answer in this time it is not
  checkWithin: 3000, // the same, when there is a reason to doubt
  refreshAgain: 10000, // at least, between two renewals of the token, also after one that failed
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
