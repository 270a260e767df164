// @ts-check

/** A chosen photo is shown before it is sent; of the two ways to choose one, the last counts. */
export function watchPhotos() {
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement) || !("photo" in input.dataset)) return;
    const form = input.form;
    const shown = form?.querySelector("[data-photo-shown]");
    const file = input.files?.[0];
    if (!form || !(shown instanceof HTMLImageElement) || !file) return;
    for (const other of form.querySelectorAll("[data-photo]")) {
      if (other instanceof HTMLInputElement && other !== input) other.value = "";
    }
    if (shown.src.startsWith("blob:")) URL.revokeObjectURL(shown.src);
    shown.src = URL.createObjectURL(file);
    shown.hidden = false;
  });
}
