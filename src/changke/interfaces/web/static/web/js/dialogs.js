// @ts-check

/** `[data-open="key"]` opens the dialog with that id; `[data-close]` or a click beside it closes it. */
export function watchDialogs() {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const opener = event.target.closest("[data-open]");
    if (opener instanceof HTMLElement) {
      dialog(opener.dataset.open ?? "")?.showModal();
      return;
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    // The backdrop belongs to the dialog element itself; its content lies in children.
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
}

/**
 * @param {string} key
 * @returns {HTMLDialogElement | null}
 */
function dialog(key) {
  const found = document.getElementById(key);
  return found instanceof HTMLDialogElement ? found : null;
}
