"""Rebuild the vendored browser files: `python scripts/vendor.py`. For maintainers; users and CI never run it.

Needs npm. Fetches the pinned packages into a temporary folder, bundles ECharts, draws the icon sprite, copies htmx and
axe, and writes vendor.toml with the version, licence, source and sha256 of every file; a test compares them.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "src/changke/interfaces/web/static/web/vendor"
TEST_VENDOR = ROOT / "tests/browser/vendor"

PACKAGES = {
    "htmx.org": "4.0.1",
    "echarts": "6.1.0",
    "@tabler/icons": "3.51.0",
    "axe-core": "4.14.0",
    "esbuild": "0.28.2",
}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        install(work)
        modules = work / "node_modules"
        VENDOR.mkdir(parents=True, exist_ok=True)
        TEST_VENDOR.mkdir(parents=True, exist_ok=True)
        copy_without_source_map(modules / "htmx.org/dist/htmx.min.js", VENDOR / "htmx.min.js")
        bundle_echarts(work)
        (VENDOR / "icons.svg").write_text(icon_sprite(modules / "@tabler/icons/icons/outline"), encoding="utf-8")
        copy_without_source_map(modules / "axe-core/axe.min.js", TEST_VENDOR / "axe.min.js")
    write_record(
        VENDOR,
        [
            ("htmx.min.js", "htmx.org", "0BSD", "https://github.com/bigskysoftware/htmx"),
            ("echarts.min.js", "echarts", "Apache-2.0", "https://github.com/apache/echarts"),
            ("icons.svg", "@tabler/icons", "MIT", "https://github.com/tabler/tabler-icons"),
        ],
    )
    write_record(TEST_VENDOR, [("axe.min.js", "axe-core", "MPL-2.0", "https://github.com/dequelabs/axe-core")])
    return 0


def install(work: Path) -> None:
    pinned = [f"{name}@{version}" for name, version in PACKAGES.items()]
    (work / "package.json").write_text('{"private": true}', encoding="utf-8")
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *pinned], cwd=work, check=True)


def copy_without_source_map(source: Path, target: Path) -> None:
    """The map is not shipped, and the manifest storage would look for it."""
    text = source.read_text(encoding="utf-8")
    target.write_text(re.sub(r"\n?//# sourceMappingURL=.*\s*$", "\n", text), encoding="utf-8")


def bundle_echarts(work: Path) -> None:
    shutil.copy(VENDOR / "echarts.entry.js", work / "entry.js")
    subprocess.run(
        ["node_modules/.bin/esbuild", "entry.js", "--bundle", "--minify", "--format=esm", "--target=es2020",
         f"--outfile={VENDOR / 'echarts.min.js'}"],
        cwd=work, check=True,
    )  # fmt: skip


def icon_sprite(outline: Path) -> str:
    """One SVG with a symbol per line of icons.toml: 24 units wide, stroke 1.75, coloured by the text around it."""
    with (VENDOR / "icons.toml").open("rb") as file:
        names: dict[str, str] = tomllib.load(file)
    symbols = [symbol(ours, (outline / f"{tabler}.svg").read_text(encoding="utf-8")) for ours, tabler in names.items()]
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def symbol(name: str, drawing: str) -> str:
    body = drawing.partition(">")[2].rpartition("</svg>")[0]
    body = body.replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', "")
    body = re.sub(r"\s*\n\s*", "", body)
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round">{body}</symbol>'
    )


def write_record(folder: Path, files: list[tuple[str, str, str, str]]) -> None:
    lines = ["# Written by scripts/vendor.py. A test compares each sha256 with the file beside it."]
    for file, package, licence, source in files:
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        lines += [
            "",
            f'["{file}"]',
            f'name = "{package}"',
            f'version = "{PACKAGES[package]}"',
            f'licence = "{licence}"',
            f'source = "{source}"',
            f'sha256 = "{digest}"',
        ]
    (folder / "vendor.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
