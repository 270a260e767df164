// @ts-check

/** A number that has just been unmasked is dialled at once where the hand holds a phone; a desktop only shows it. */
export function watchDial() {
  document.addEventListener("htmx:after:swap", () => {
    for (const link of document.querySelectorAll("a[data-dial]")) {
      if (!(link instanceof HTMLAnchorElement)) continue;
      link.removeAttribute("data-dial");
      link.focus();
      if (matchMedia("(pointer: coarse)").matches) location.assign(link.href);
    }
  });
}
