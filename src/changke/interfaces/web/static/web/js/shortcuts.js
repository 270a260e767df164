// @ts-check

/** Ctrl/⌘ + letter moves to the field with that `data-shortcut`; `/` goes to the search, as in many tools. */
export function watchShortcuts() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
    const letter = event.ctrlKey || event.metaKey ? event.key.toLowerCase() : event.key === "/" && !typing ? "k" : "";
    if (!/^[a-z]$/.test(letter)) return;
    const field = document.querySelector(`[data-shortcut="${letter}"]`);
    if (!(field instanceof HTMLElement)) return;
    event.preventDefault();
    field.focus();
    if (field instanceof HTMLInputElement) field.select();
  });
}
