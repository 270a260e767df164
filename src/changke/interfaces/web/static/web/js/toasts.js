// @ts-check

/** How long a toast stays. Ten seconds are enough to read a line and to reach for "Undo". */
const SHOWN_MS = 10_000;

/** Toasts leave by themselves, wait while one points at them or has the focus in them, and say it when the network fails. */
export function watchToasts() {
  document.querySelectorAll("[data-toast]").forEach(schedule);
  document.addEventListener("htmx:after:swap", () => document.querySelectorAll("[data-toast]").forEach(schedule));
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element) event.target.closest("[data-toast-close]")?.closest("[data-toast]")?.remove();
  });
  // "Undo" leaves once it is answered, however slow the line: what is gone from the page by then is answered to nobody.
  document.addEventListener("htmx:finally:request", (event) => {
    if (event.target instanceof Element) event.target.closest("[data-toast]")?.remove();
  });
  document.addEventListener("htmx:error", () => showOffline());
}

/** @param {Element} toast */
function schedule(toast) {
  if (!(toast instanceof HTMLElement) || "leaving" in toast.dataset) return;
  toast.dataset.leaving = "";
  const leave = () => (toast.matches(":hover, :focus-within, :has(.htmx-request)") ? setTimeout(leave, 1500) : toast.remove());
  setTimeout(leave, SHOWN_MS);
}

/** The words come from the page, so that they are translated. */
function showOffline() {
  const template = document.getElementById("offline-toast");
  const shelf = document.getElementById("toasts");
  if (!(template instanceof HTMLTemplateElement) || !shelf || shelf.querySelector("[data-offline]")) return;
  shelf.append(template.content.cloneNode(true));
  shelf.querySelectorAll("[data-toast]").forEach(schedule);
}
