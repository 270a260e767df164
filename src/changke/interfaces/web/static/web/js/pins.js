// @ts-check

/** A PIN is six digits: the sixth sends the form. */
export function watchPins() {
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || !field.matches("[data-pin]")) return;
    field.value = field.value.replace(/[^0-9]/g, "");
    if (field.value.length === 6 && field.form && !("sent" in field.form.dataset)) field.form.requestSubmit();
  });
}
