// @ts-check
// The small behaviours of every page. Each works on the document, so that swapped-in fragments need no start of their own.
// Imports end with a semicolon: the static files storage finds and renames them by pattern.
import { watchCountdowns } from "./countdown.js";
import { watchDial } from "./dial.js";
import { watchDialogs } from "./dialogs.js";
import { watchForms } from "./forms.js";
import { watchMenus } from "./menus.js";
import { watchPicks } from "./picks.js";
import { watchPins } from "./pins.js";
import { watchRows } from "./rows.js";
import { showCurrentSegments } from "./segments.js";
import { watchShortcuts } from "./shortcuts.js";
import { watchTheme } from "./theme.js";
import { watchToasts } from "./toasts.js";
import { watchTotals } from "./totals.js";
import { startIslands } from "./islands.js";

watchTheme();
watchMenus();
watchDialogs();
watchRows();
watchShortcuts();
watchForms();
watchPins();
watchToasts();
watchDial();
watchCountdowns();
watchTotals();
watchPicks();
showCurrentSegments();

startIslands(document);
document.addEventListener("htmx:after:swap", () => startIslands(document));
