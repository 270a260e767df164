// @ts-check
// Forms that the server draws anew, line by line. A tap while an answer is under way waits and is made on the form that the
// answer brings, so that what is saved is what stands there. Fields wait too: what is typed into a form about to be replaced
// would be lost. Where the answer is a mistake or does not come, nothing that waited is done: there is something to look at.

/** @typedef {{ name: string, value: string }} Tap  Which button of a form was meant; the form may be another by then. */

/** @type {Tap | null} */
let underWay = null;
/** @type {Tap[]} */
let waiting = [];
let watching = false;

/** Start on a form with `data-taps-wait`; once is enough for all that follow it. */
export function start() {
  if (watching) return;
  watching = true;
  document.addEventListener("submit", takeOrWait, true); // before htmx, which drops what comes too early
  document.addEventListener("htmx:before:request", (event) => {
    const form = formOf(event);
    if (form) hold(form, true);
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const form = formOf(event);
    if (form) goOn(form, /** @type {CustomEvent} */ (event).detail.ctx);
  });
  // Back from the next page, the browser may show this one again as it was left.
  addEventListener("pageshow", () => document.querySelectorAll("form[data-taps-wait]").forEach((form) => form instanceof HTMLFormElement && hold(form, false)));
}

/** @param {SubmitEvent} event */
function takeOrWait(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches("[data-taps-wait]")) return;
  const button = event.submitter;
  const tap = { name: button?.getAttribute("name") ?? "", value: button?.getAttribute("value") ?? "" };
  if (form.ariaBusy !== "true") {
    underWay = tap;
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  // Twice the same is a double tap. After "save" comes another page, or a mistake to look at.
  const before = [underWay, ...waiting];
  if (before.some((one) => one?.name === "save" || (one?.name === tap.name && one.value === tap.value))) return;
  waiting.push(tap);
  show(form, tap);
}

/**
 * @param {HTMLFormElement} form  The one that asked or, where the answer brought another, that one.
 * @param {{ response?: { status: number }, keepIndicators?: boolean }} ctx
 */
function goOn(form, ctx) {
  if (ctx.keepIndicators) return; // it is written down, and the next page is on its way
  const rest = ctx.response && ctx.response.status < 400 && form.ariaBusy !== "true" ? waiting : [];
  hold(form, false);
  underWay = null;
  waiting = rest.slice(1);
  const button = rest[0] && buttons(form, rest[0]).at(-1);
  if (!button) return; // it may have gone with the line that it stood in
  form.requestSubmit(button);
  for (const tap of waiting) show(form, tap);
}

/**
 * Without taking the focus, which would take the keyboard of a phone away.
 * @param {HTMLFormElement} form
 * @param {boolean} busy
 */
function hold(form, busy) {
  form.ariaBusy = busy ? "true" : null;
  for (const field of form.querySelectorAll("input, textarea")) {
    if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.readOnly = busy;
  }
  if (!busy) for (const button of form.querySelectorAll("button[aria-busy]")) button.ariaBusy = null;
}

/**
 * @param {HTMLFormElement} form
 * @param {Tap} tap
 */
function buttons(form, tap) {
  const all = /** @type {NodeListOf<HTMLButtonElement>} */ (form.querySelectorAll("button[name]"));
  return [...all].filter((one) => one.name === tap.name && one.value === tap.value);
}

/**
 * @param {HTMLFormElement} form
 * @param {Tap} tap
 */
function show(form, tap) {
  for (const one of buttons(form, tap)) one.ariaBusy = "true";
}

/** @param {Event} event */
function formOf(event) {
  const source = /** @type {CustomEvent} */ (event).detail.ctx.sourceElement;
  return source instanceof HTMLFormElement && source.matches("[data-taps-wait]") ? source : null;
}
