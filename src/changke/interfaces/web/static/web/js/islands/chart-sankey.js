// @ts-check
// Flows between stages at two or three dates.
// data: { columns: string[], unit: string,
//         nodes: [{ key, words, stage, column }],
//         links: [{ from, to, count, href?, worse?: boolean }] }
// The colour of a band is the stage it arrives at; flows to a worse stage are darker. A phone shows the last two dates.

/** @param {any} data @param {import("./look.js").Look} look */
export function drawn(data, look) {
  const { colour, short, full, phone } = look;
  const first = phone && data.columns.length > 2 ? data.columns.length - 2 : 0;
  const nodes = data.nodes.filter((/** @type {any} */ node) => node.column >= first);
  const kept = new Map(nodes.map((/** @type {any} */ node) => [node.key, node]));
  const links = data.links.filter((/** @type {any} */ link) => kept.has(link.from) && kept.has(link.to));
  const touched = new Set(links.flatMap((/** @type {any} */ link) => [link.from, link.to]));
  return {
    tooltip: {
      trigger: "item",
      ...look.tooltip,
      formatter: (/** @type {any} */ event) => {
        if (event.dataType !== "edge") return `${data.columns[event.data.column]} · ${event.data.words}<br><b>${full(event.value)} ${data.unit}</b>`;
        const [from, to] = [kept.get(event.data.source), kept.get(event.data.target)];
        return `${from.words} → ${to.words}<br><b>${full(event.value)} ${data.unit}</b>`;
      },
    },
    series: [{
      type: "sankey",
      left: 4,
      right: phone ? 84 : 108,
      top: 8,
      bottom: 8,
      nodeWidth: 14,
      nodeGap: 16,
      draggable: false,
      layoutIterations: 0, // keeps the order of the stages
      emphasis: { focus: "adjacency" },
      label: {
        color: colour("ink"),
        fontSize: 12,
        lineHeight: 16,
        formatter: (/** @type {any} */ event) => `{words|${event.data.words}}\n{count|${short(event.value)}}`,
        rich: { words: { fontWeight: 600, color: colour("ink") }, count: { color: colour("ink-2"), fontSize: 11 } },
      },
      data: nodes
        .filter((/** @type {any} */ node) => touched.has(node.key))
        .map((/** @type {any} */ node) => ({ ...node, name: node.key, depth: node.column - first, itemStyle: { color: colour(node.stage), borderWidth: 0 } })),
      links: links.map((/** @type {any} */ link) => ({
        ...link,
        source: link.from,
        target: link.to,
        value: link.count,
        lineStyle: { color: colour(kept.get(link.to).stage), opacity: link.worse ? 0.5 : 0.24, curveness: 0.5 },
      })),
    }],
  };
}
