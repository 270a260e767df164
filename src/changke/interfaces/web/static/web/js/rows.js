// @ts-check

/** A click on a table row with `data-href` follows it; links and controls inside keep their own meaning. */
export function watchRows() {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.target.closest("a, button, input, select, label, summary")) return;
    const row = event.target.closest("tr[data-href]");
    if (!(row instanceof HTMLElement) || !row.dataset.href || getSelection()?.toString()) return;
    if (event instanceof MouseEvent && (event.metaKey || event.ctrlKey)) open(row.dataset.href);
    else location.assign(row.dataset.href);
  });
}
