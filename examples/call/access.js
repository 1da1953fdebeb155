// @ts-check
/** The access token: where it comes from, and when another one is needed. */

/** Thrown by a `token` function to say that trying again is of no use. */
export class FinalError extends Error {}

/**
 * @typedef {'connect' | 'refused' | 'expiring'} TokenReason
 * @typedef {(attempt: number, reason: TokenReason) => string | Promise<string>} TokenFunction
 * @typedef {string | TokenFunction} TokenSource
 */

export class Access {
  token = '';
  #source;
  /** @type {string | null} */ #refused = null;
  #renewedAt = -Infinity;

  /** @param {TokenSource} source */
  constructor(source) {
    this.#source = source;
  }

  /** Whether there is somebody to ask for another one. */
  get isRenewable() {
    return typeof this.#source === 'function';
  }

  forget() {
    this.token = '';
    this.#refused = null;
  }

  /**
   * One for the next attempt. One in hand serves again: to ask takes time, and a network that
   * works.
   * @param {number} attempt
   * @returns {Promise<string | null>} null: there is only the one that was refused
   */
  async get(attempt) {
    if (this.token && this.token !== this.#refused) return this.token;
    this.token = await this.#ask(attempt, this.#refused === null ? 'connect' : 'refused');
    return this.token === this.#refused ? null : this.token;
  }

  /** The server did not take it, or not any longer. @returns {boolean} another one may be tried */
  refuse() {
    const first = this.#refused === null;
    this.#refused = this.token;
    return first && this.isRenewable;
  }

  accept() {
    this.#refused = null;
  }

  /**
   * When `renew()` may be called: tokens that live for a minute are expiring from their first
   * second on.
   * @param {number} pauseMs between two calls
   */
  renewableInMs(pauseMs) {
    return Math.max(0, this.#renewedAt + pauseMs - performance.now());
  }

  /** One in place of a good one that ends soon. */
  renew() {
    this.#renewedAt = performance.now();
    return this.#ask(0, 'expiring');
  }

  /** @param {number} attempt @param {TokenReason} reason */
  async #ask(attempt, reason) {
    return typeof this.#source === 'function' ? this.#source(attempt, reason) : this.#source;
  }
}
