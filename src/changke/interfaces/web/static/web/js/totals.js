// @ts-check

/** While amounts are typed, their sum stands below them; the server reckons again when the form is sent. */
export function watchTotals() {
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || field.name !== "line_amount") return;
    const total = field.form?.querySelector("[data-total]");
    if (!(total instanceof HTMLElement)) return;
    const amounts = [...(field.form?.querySelectorAll("input[name=line_amount]") ?? [])];
    const sum = amounts.reduce((all, one) => all + (Number(one instanceof HTMLInputElement ? one.value.replace(/[,，]/g, "") : 0) || 0), 0);
    const format = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: total.dataset.total, currencyDisplay: "narrowSymbol", minimumFractionDigits: Number.isInteger(sum) ? 0 : 2 });
    total.textContent = format.format(sum);
  });
}
