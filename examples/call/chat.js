// @ts-check
/** The chat: what was said, and by whom. */

import { appendBounded, clockTime, make } from './dom.js';

const LINES_MAX = 300;

export class Chat {
  #ui;
  #unread = 0;

  /**
   * @param {{
   *   list: HTMLElement, form: HTMLFormElement, text: HTMLInputElement, tab: HTMLElement,
   * }} ui
   * @param {(content: string) => Promise<void>} send rejected with the reason in words
   */
  constructor(ui, send) {
    this.#ui = ui;
    ui.form.addEventListener('submit', (event) => {
      event.preventDefault();
      const content = ui.text.value.trim();
      if (!content) return;
      ui.text.value = '';
      this.#say(content, send(content));
    });
  }

  /**
   * @param {string | null} author null: the page itself
   * @param {string} text
   * @param {Date} [at]
   */
  add(author, text, at = new Date()) {
    const time = make('time', { text: clockTime(at) });
    const words = make('span', { class: 'words', text });
    const line =
      author === null
        ? make('li', { class: 'line event' }, words, time)
        : make(
            'li',
            { class: author === 'You' ? 'line mine' : 'line' },
            make('span', { class: 'author', text: author }),
            time,
            words,
          );
    appendBounded(this.#ui.list, line, LINES_MAX);
    return line;
  }

  /** The words of somebody else. @param {string} author @param {string} text @param {Date} at */
  hear(author, text, at) {
    this.add(author, text, at);
    if (this.#ui.tab.getAttribute('aria-selected') !== 'true') this.#unread += 1;
    this.#showUnread();
  }

  markRead() {
    this.#unread = 0;
    this.#showUnread();
  }

  clear() {
    this.#ui.list.replaceChildren();
    this.markRead();
  }

  /** @param {string} content @param {Promise<void>} sent */
  async #say(content, sent) {
    const line = this.add('You', content);
    line.classList.add('pending');
    try {
      await sent;
    } catch (error) {
      line.classList.add('failed');
      const why = error instanceof Error ? error.message : '';
      line.append(make('span', { class: 'fate', text: `Not delivered. ${why}` }));
    }
    line.classList.remove('pending');
  }

  #showUnread() {
    this.#ui.tab.textContent = this.#unread ? `Chat (${this.#unread})` : 'Chat';
  }
}
