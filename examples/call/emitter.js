// @ts-check
/** Typed events, for `Lunasig` and `Call`. */

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
export class Emitter extends EventTarget {
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
