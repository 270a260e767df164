// @ts-check

/** On a phone a long choice scrolls sideways: where one is comes into sight. */
export function showCurrentSegments() {
  for (const current of document.querySelectorAll(".segmented > [aria-current]")) {
    const strip = current.closest(".segmented-wrap");
    if (!(strip instanceof HTMLElement) || !(current instanceof HTMLElement)) continue;
    strip.scrollLeft = current.offsetLeft - (strip.clientWidth - current.offsetWidth) / 2;
  }
}
