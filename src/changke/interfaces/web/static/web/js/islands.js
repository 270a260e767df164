// @ts-check
// Islands: the few places with a program of their own. Each is one module, started from a data attribute, loaded on demand.

/** @type {{ selector: string, load: () => Promise<{ start: (element: HTMLElement) => void }> }[]} */
const ISLANDS = [
  { selector: "[data-chart]", load: () => import("./islands/chart.js") },
  { selector: "[data-files]", load: () => import("./islands/files.js") },
  { selector: "[data-photo]", load: () => import("./islands/photos.js") },
  { selector: "[data-taps-wait]", load: () => import("./islands/taps.js") },
];

/**
 * Start every island below `root` that is not running yet; called again after each swap.
 * @param {ParentNode} root
 */
export function startIslands(root) {
  for (const island of ISLANDS) {
    const waiting = [...root.querySelectorAll(island.selector)].filter((element) => !("started" in /** @type {HTMLElement} */ (element).dataset));
    if (waiting.length === 0) continue;
    for (const element of waiting) /** @type {HTMLElement} */ (element).dataset.started = "";
    island.load().then((module) => waiting.forEach((element) => module.start(/** @type {HTMLElement} */ (element))));
  }
}
