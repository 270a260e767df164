// @ts-check
// The chart island: draws `[data-chart]` with ECharts from the JSON block named by `data-source`.
// Colours are read from the tokens, so both themes are free; the numbers' table stands beside the chart in the page.

import { drawn as area } from "./chart-area.js";
import { drawn as bar } from "./chart-bar.js";
import { drawn as sankey } from "./chart-sankey.js";

/** @type {Record<string, (data: any, look: import("./look.js").Look) => object>} */
const KINDS = { sankey, area, line: area, bar };

/** @param {HTMLElement} element */
export async function start(element) {
  const echarts = await import("../../vendor/echarts.min.js");
  const source = document.getElementById(element.dataset.source ?? "");
  const kind = KINDS[element.dataset.chart ?? ""];
  if (!source || !kind) return;
  const data = JSON.parse(source.textContent ?? "null");
  const chart = echarts.init(element, null, { renderer: "svg" });
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  const draw = () => {
    const theLook = look();
    chart.setOption({
      animation: !calm,
      animationDuration: 400,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      ...kind(data, theLook),
    }, true);
  };

  draw();
  document.addEventListener("theme:changed", draw);
  const sizes = new ResizeObserver(() => {
    // A fragment may have replaced the element; then the chart is let go.
    if (element.isConnected) chart.resize();
    else {
      sizes.disconnect();
      document.removeEventListener("theme:changed", draw);
      chart.dispose();
    }
  });
  sizes.observe(element);
  chart.on("click", (/** @type {any} */ event) => {
    const href = event.data?.href ?? data.hrefs?.[event.seriesIndex];
    if (href) location.assign(href);
  });
}

/** @returns {import("./look.js").Look} */
function look() {
  const style = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ token) => style.getPropertyValue(`--${token}`).trim();
  const language = document.documentElement.lang || "zh-Hans";
  const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  const plain = new Intl.NumberFormat(language);
  return {
    colour,
    short: (value) => (Math.abs(value) < 10_000 ? plain.format(value) : compact.format(value).replace(/([万萬亿億])/, " $1")),
    full: (value) => plain.format(value),
    phone: matchMedia("(max-width: 820px)").matches,
    tooltip: {
      backgroundColor: colour("surface"),
      borderColor: colour("line"),
      textStyle: { color: colour("ink"), fontSize: 13 },
      confine: true,
      extraCssText: "box-shadow: 0 8px 24px #0002; border-radius: 10px;",
    },
  };
}
