"""What every page is held to: no findings of axe, nothing wider than the screen, few bytes on a phone."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.waiting import settled

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BESIDES = {"label-content-name-mismatch": {"enabled": True}}
"""Off unless asked for: who steers by voice says what she reads, so a name holds the words that are shown."""


COLOURS = ["color-contrast", "link-in-text-block"]


def findings(page: Page, *, only: list[str] | None = None) -> list[str]:
    """What axe finds, one line per element: rule, element, reason.

    `only`: these rules. A dark page differs from its bright twin, which is asked everything, in nothing but `COLOURS`.
    """
    settled(page)  # half a page lacks its heading
    page.evaluate(AXE)
    # Whatever passed is left in the browser: to tell of every element takes three times as long as to look at it.
    violations: list[dict[str, Any]] = page.evaluate(
        "async (asked) => (await axe.run(document, { ...asked, resultTypes: ['violations'] })).violations",
        {"runOnly": {"type": "rule", "values": only}} if only else {"runOnly": RULES, "rules": BESIDES},
    )
    return [
        f"{violation['id']}: {node['target']}: {node.get('failureSummary', '')[:200]}"
        for violation in violations
        for node in violation["nodes"]
    ]


def sideways(page: Page) -> int:
    """Pixels by which the page is wider than the screen it was opened on."""
    size = page.viewport_size
    assert size is not None
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return max(0, width - size["width"])


CUT = """() => {
  const seen = [];
  const scrolls = (one) => {
    for (let above = one.parentElement; above && above !== document.body; above = above.parentElement) {
      if (['auto', 'scroll'].includes(getComputedStyle(above).overflowX)) return true;
    }
    return false;
  };
  const wider = document.documentElement.scrollWidth - innerWidth;
  if (wider > 0) seen.push(`wider by ${wider}`);
  const asked = 'a, button, input, select, textarea, td, th, p, h1, h2, h3, dd, dt, label';
  for (const one of document.querySelectorAll(`main :is(${asked})`)) {
    const box = one.getBoundingClientRect();
    const over = box.width > 1 && box.height > 1 && (box.right > innerWidth + 1 || box.left < -1);
    if (over && one.checkVisibility() && !scrolls(one)) {
      seen.push(`${one.tagName.toLowerCase()} ${one.textContent.trim().slice(0, 30)} ends at ${Math.round(box.right)}`);
    }
  }
  return seen.slice(0, 5);
}"""


def cut_off(page: Page) -> list[str]:
    """What reaches over the edge of the screen and cannot be scrolled to in a box of its own."""
    told: list[str] = page.evaluate(CUT)
    return told
