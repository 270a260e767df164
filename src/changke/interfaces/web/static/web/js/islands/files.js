// @ts-check
// The field for files: says which were chosen and how large they are, and lights up while something is dragged over it.

/**
 * Start on the element with `data-files`; `data-limit` is in bytes, `data-too-large` the words for a file above it.
 * @param {HTMLElement} field
 */
export function start(field) {
  const input = field.querySelector("input");
  const list = field.querySelector("ul");
  if (!input || !list) return;
  const limit = Number(field.dataset.limit);

  function show() {
    const lines = [...(input?.files ?? [])].map((file) => {
      const line = document.createElement("li");
      const size = document.createElement("span");
      const large = file.size > limit;
      line.classList.toggle("bad", large);
      size.textContent = sizeOf(file.size) + (large ? ` · ${field.dataset.tooLarge}` : "");
      line.append(file.name, size);
      return line;
    });
    list?.replaceChildren(...lines);
  }

  input.addEventListener("change", show);
  for (const [name, over] of /** @type {[string, boolean][]} */ ([["dragenter", true], ["dragleave", false], ["drop", false]])) {
    field.addEventListener(name, () => field.classList.toggle("over", over));
  }
  show();
}

/** @param {number} bytes */
function sizeOf(bytes) {
  if (bytes < 1024 ** 2) return `${Math.max(1, Math.round(bytes / 1024))} KB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}
