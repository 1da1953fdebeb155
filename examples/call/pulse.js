// @ts-check
/** Notices that a socket is dead: scripts cannot see the pings of the WebSocket protocol. */

/** @import { TIMING } from './timing.js' */

export class Pulse {
  #timing;
  #ping;
  #dead;
  #heardAt = 0;
  #asked = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /**
   * @param {typeof TIMING} timing read anew each time
   * @param {() => void} ping asks the server for an answer
   * @param {() => void} dead there was none
   */
  constructor(timing, ping, dead) {
    this.#timing = timing;
    this.#ping = ping;
    this.#dead = dead;
  }

  start() {
    this.stop();
    this.#heardAt = performance.now();
    this.#timer = setTimeout(() => this.#look(), this.#timing.quietFor);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#asked = false;
  }

  /** Something came from the server. One timer for a quiet time costs nothing per frame. */
  heard() {
    if (this.#asked) this.start();
    else this.#heardAt = performance.now();
  }

  /** @param {number} within milliseconds for the answer */
  check(within) {
    if (this.#asked) return;
    clearTimeout(this.#timer);
    this.#asked = true;
    this.#timer = setTimeout(() => this.#dead(), within);
    this.#ping();
  }

  #look() {
    const left = this.#timing.quietFor - (performance.now() - this.#heardAt);
    if (left > 0) this.#timer = setTimeout(() => this.#look(), left);
    else this.check(this.#timing.pongWithin);
  }
}
