// @ts-check

/** Small helps for forms: copy a text, reload after an error, the next field by key, and no form sent twice. */
export function watchForms() {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const copier = event.target.closest("[data-copy]");
    if (copier instanceof HTMLElement) copy(copier);
    if (event.target.closest("[data-reload]")) location.reload();
  });
  document.addEventListener("keydown", (event) => {
    // The key of a phone's keyboard that says "next", where sending would be too early. Not while a word is being spelled.
    const input = event.target;
    if (event.key !== "Enter" || event.isComposing || !(input instanceof HTMLInputElement) || !input.dataset.next) return;
    const next = input.form?.elements.namedItem(input.dataset.next);
    if (!(next instanceof HTMLElement)) return;
    event.preventDefault();
    next.focus();
  });
  document.addEventListener("submit", (event) => {
    // htmx disables and guards its own requests; a plain form would be sent twice by a double tap.
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.hasAttribute("hx-post") || form.method !== "post") return;
    if ("sent" in form.dataset) event.preventDefault();
    form.dataset.sent = "";
  });
  document.addEventListener("htmx:before:request", (event) => {
    // What waited its turn asks what the form says by now: its answer comes last, and must not be of a form that is gone.
    const { sourceElement, request } = /** @type {CustomEvent} */ (event).detail.ctx;
    if (!sourceElement.hasAttribute("data-asks-late") || !request.form?.isConnected) return;
    request.body = new URLSearchParams(/** @type {any} */ (new FormData(request.form)));
  });
  // Back from the next page, the browser may show this one again with its state.
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => form.removeAttribute("data-sent")));
}

/**
 * `data-copy` is the id of what to copy, `data-copied` what the button then says.
 * @param {HTMLElement} button
 */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy ?? "");
  if (!source) return;
  await navigator.clipboard?.writeText(source.textContent?.trim() ?? "");
  const words = button.querySelector("span");
  if (words && button.dataset.copied) words.textContent = button.dataset.copied;
}
