// @ts-check
// What a picture needs to know of the page it is drawn in. A file of its own, because the collector of static files
// follows every import, those in comments too, and two files that name each other have no content hash.

/**
 * @typedef {object} Look
 * @property {(token: string) => string} colour  value of a token, e.g. `colour("ink")`
 * @property {(value: number) => string} short   a number in the short form of the page's language
 * @property {(value: number) => string} full    a number with every digit
 * @property {boolean} phone
 * @property {object} tooltip                    the tooltip in card style
 */
export {};
