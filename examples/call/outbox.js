// @ts-check
/** Own messages until the server has answered for them. */

/** @import { Problem, SentFrame, UnsentMessage } from './types.js' */

const KEPT_MAX = 1000; // a newcomer to a room of 50 sends hundreds of offers and candidates
const KEPT_MAX_BYTES = 1 << 20;

/** The end of `sendAcked()` when the message was refused, or its fate is not known. */
export class SendError extends Error {
  /** @param {Pick<Problem, 'code' | 'message' | 'details'>} problem */
  constructor({ code, message, details }) {
    super(message);
    this.name = 'SendError';
    this.code = code;
    this.details = details;
  }
}

/**
 * @typedef {{accept: () => void, refuse: (error: SendError) => void}} Settle
 * @typedef {{
 *   frame: SentFrame & {id: number}, text: string, bytes: number, written: boolean,
 *   settle?: Settle,
 * }} Kept
 */

/** Messages in the order of their ids, which rise as long as the page lives. */
export class Outbox {
  /** @type {Map<number, Kept>} */ #kept = new Map();
  #bytes = 0;
  #nextId = 1;

  get nextId() {
    return this.#nextId;
  }

  /**
   * @param {SentFrame & {id: number}} frame with `nextId`
   * @param {string} text the same as JSON
   * @param {number} bytes of text
   * @param {Settle} [settle] told of the answer
   * @returns {Kept | null} null: too much waits already
   */
  push(frame, text, bytes, settle) {
    if (this.#kept.size >= KEPT_MAX || this.#bytes + bytes > KEPT_MAX_BYTES) return null;
    const kept = { frame, text, bytes, written: false, settle };
    this.#kept.set(frame.id, kept);
    this.#bytes += bytes;
    this.#nextId = frame.id + 1;
    return kept;
  }

  /** Oldest first; what is pushed meanwhile comes too. */
  waiting() {
    return this.#kept.values();
  }

  /**
   * The server has taken this one. It answers in order, but tells of a rate that is exceeded once a
   * second only: what is older and has no answer was refused.
   * @param {number} id
   */
  accept(id) {
    const error = { code: 'RATE_LIMIT_EXCEEDED', message: 'The server refused the message' };
    for (const kept of this.#kept.values()) {
      if (kept.frame.id >= id) break;
      if (kept.written) this.refuse(kept.frame.id, error);
    }
    this.#take(id)?.settle?.accept();
  }

  /** After frames were lost: all up to this id were taken. @param {number} lastId */
  acceptUpTo(lastId) {
    for (const id of this.#kept.keys()) {
      if (id <= lastId) this.#take(id)?.settle?.accept();
    }
  }

  /** @param {number} id @param {Pick<Problem, 'code' | 'message' | 'details'>} problem */
  refuse(id, problem) {
    this.#take(id)?.settle?.refuse(new SendError(problem));
  }

  /** Nothing of this will be answered any more. @returns {UnsentMessage[]} */
  clear() {
    const all = [...this.#kept.values()];
    const problem = { code: 'UNSENT', message: 'The server did not acknowledge the message' };
    for (const { frame } of all) this.refuse(frame.id, problem);
    return all.map(({ frame: { type, payload, target_id }, written }) => ({
      type,
      payload,
      ...(target_id !== undefined && { target: target_id }),
      written,
    }));
  }

  /** @param {number} id */
  #take(id) {
    const kept = this.#kept.get(id);
    if (!kept) return null;
    this.#kept.delete(id);
    this.#bytes -= kept.bytes;
    return kept;
  }
}
