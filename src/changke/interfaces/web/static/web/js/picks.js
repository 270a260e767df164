// @ts-check

/**
 * Ticks of a list: how many there are stands on the button that acts on them, which sleeps while there are none. A tick is
 * no filter: it must not reach the form around the list, which would ask for the rows again.
 */
export function watchPicks() {
  document.addEventListener(
    "change",
    (event) => {
      const box = event.target;
      if (!(box instanceof HTMLInputElement) || !box.matches("[data-pick], [data-pick-all]")) return;
      event.stopPropagation();
      if (box.matches("[data-pick-all]")) for (const one of picks()) one.checked = box.checked;
      show();
    },
    true,
  );
  document.addEventListener("htmx:after:swap", show);
  window.addEventListener("pageshow", show);
}

function picks() {
  return /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[data-pick]"));
}

function show() {
  const picked = [...picks()].filter((one) => one.checked).length;
  for (const button of document.querySelectorAll("button[data-picked]")) {
    if (button instanceof HTMLButtonElement) button.disabled = picked === 0;
    const count = button.querySelector("[data-picked-count]");
    if (count) count.textContent = picked ? String(picked) : "";
  }
}
