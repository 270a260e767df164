// @ts-check

/** `[data-theme-toggle]` switches between light and dark; the choice stays in this browser. */
export function watchTheme() {
  document.addEventListener("click", (event) => {
    if (!closest(event, "[data-theme-toggle]")) return;
    const root = document.documentElement;
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    root.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    document.dispatchEvent(new CustomEvent("theme:changed"));
  });
}

/**
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
function closest(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}
