// @ts-check
// Stacked areas (or lines) over time.
// data: { labels: string[], series: [{ name, colour, values: number[] }], stacked?: boolean, unit?: string, hrefs?: string[] }

/** @param {any} data @param {import("./look.js").Look} look */
export function drawn(data, look) {
  const { colour, short, full } = look;
  return {
    tooltip: { trigger: "axis", ...look.tooltip, valueFormatter: (/** @type {number} */ value) => `${full(value)} ${data.unit ?? ""}` },
    grid: { left: 8, right: 14, top: 16, bottom: 4, containLabel: true },
    xAxis: {
      type: "category",
      data: data.labels,
      boundaryGap: false,
      axisLine: { lineStyle: { color: colour("line-2") } },
      axisTick: { show: false },
      axisLabel: { color: colour("ink-3"), hideOverlap: true },
    },
    yAxis: {
      type: "value",
      min: 0,
      axisLabel: { color: colour("ink-3"), formatter: short },
      splitLine: { lineStyle: { color: colour("line") } },
    },
    series: data.series.map((/** @type {any} */ one) => ({
      name: one.name,
      type: "line",
      stack: data.stacked === false ? undefined : "all",
      smooth: 0.3,
      symbol: "none",
      itemStyle: { color: colour(one.colour) },
      lineStyle: data.stacked === false ? { width: 2, color: colour(one.colour) } : { width: 1, color: colour("surface") },
      areaStyle: data.stacked === false ? undefined : { color: colour(one.colour), opacity: 0.85 },
      emphasis: { focus: "series" },
      triggerLineEvent: true,
      data: one.values,
    })),
  };
}
