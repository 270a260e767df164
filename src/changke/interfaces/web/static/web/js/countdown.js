// @ts-check

const EVERY_MS = 20_000;

/** `time[data-countdown]` shows the hours and minutes that are left until its moment: 3:07. */
export function watchCountdowns() {
  show();
  setInterval(show, EVERY_MS);
  document.addEventListener("htmx:after:swap", show);
}

function show() {
  for (const time of document.querySelectorAll("time[data-countdown]")) {
    if (!(time instanceof HTMLTimeElement)) continue;
    const minutes = Math.max(0, Math.floor((Date.parse(time.dateTime) - Date.now()) / 60_000));
    const words = time.querySelector("span");
    if (words) words.textContent = `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
  }
}
