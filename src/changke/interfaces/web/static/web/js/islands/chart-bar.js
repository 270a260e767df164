// @ts-check
// Bars from zero.
// data: { labels: string[], series: [{ name, colour, values: number[] }], unit?: string, stacked?: boolean }

/** @param {any} data @param {import("./look.js").Look} look */
export function drawn(data, look) {
  const { colour, short, full } = look;
  return {
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, ...look.tooltip, valueFormatter: (/** @type {number} */ value) => `${full(value)} ${data.unit ?? ""}` },
    grid: { left: 8, right: 8, top: 16, bottom: 4, containLabel: true },
    xAxis: {
      type: "category",
      data: data.labels,
      axisLine: { lineStyle: { color: colour("line-2") } },
      axisTick: { show: false },
      axisLabel: { color: colour("ink-3"), hideOverlap: true },
    },
    yAxis: {
      type: "value",
      axisLabel: { color: colour("ink-3"), formatter: short },
      splitLine: { lineStyle: { color: colour("line") } },
    },
    series: data.series.map((/** @type {any} */ one) => ({
      name: one.name,
      type: "bar",
      stack: data.stacked ? "all" : undefined,
      barMaxWidth: 28,
      itemStyle: { color: colour(one.colour), borderRadius: data.stacked ? 0 : [4, 4, 0, 0] },
      data: one.values,
    })),
  };
}
