// @ts-check
/** Small helpers for the page. */

/**
 * The element of that id, which the page is sure to have.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`index.html has no ${kind.name} with the id "${id}"`);
}

/**
 * A new element; text is always text, never markup.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {{class?: string, text?: string}} [properties]
 * @param {(Node | string)[]} children
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  if (properties.class) element.className = properties.class;
  if (properties.text !== undefined) element.textContent = properties.text;
  element.append(...children);
  return element;
}

/**
 * Adds to a list that keeps its last `limit` entries and stays at its end if it was there.
 * @param {HTMLElement} list
 * @param {HTMLElement} entry
 * @param {number} limit
 */
export function appendBounded(list, entry, limit) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(entry);
  while (list.childElementCount > limit) list.firstElementChild?.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

/** @param {Date} date */
export function clockTime(date) {
  return date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

/**
 * Tabs by the keyboard pattern of the ARIA Authoring Practices: arrows, Home and End move, one tab
 * stop.
 * @param {HTMLElement[]} tabs each names its panel in aria-controls
 * @param {(tab: HTMLElement) => void} onShow
 */
export function wireTabs(tabs, onShow) {
  /** @param {HTMLElement} chosen */
  const show = (chosen) => {
    for (const tab of tabs) {
      const selected = tab === chosen;
      tab.setAttribute('aria-selected', String(selected));
      tab.tabIndex = selected ? 0 : -1;
      byId(tab.getAttribute('aria-controls') ?? '', HTMLElement).hidden = !selected;
    }
    onShow(chosen);
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener('click', () => show(tab));
    tab.addEventListener('keydown', (event) => {
      const last = tabs.length - 1;
      /** @type {Record<string, number>} */
      const moves = {
        ArrowRight: index === last ? 0 : index + 1,
        ArrowLeft: index === 0 ? last : index - 1,
        Home: 0,
        End: last,
      };
      const next = tabs[moves[event.key] ?? -1];
      if (!next) return;
      event.preventDefault();
      show(next);
      next.focus();
    });
  });
}
