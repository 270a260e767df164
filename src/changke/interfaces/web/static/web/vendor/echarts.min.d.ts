// What the chart island calls; the bundle itself carries no types.
export function init(element: HTMLElement, theme: null, options: { renderer: "svg" }): any;
