"""A stranger's workbook is parsed in a process that may do little, and whose death is a refusal (SECURITY.md)."""

import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import Workbook

from changke.interfaces.importers import apart
from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.readers import open_sheets as open_here
from tests.interfaces.importers.conftest import Load, counts

BEGIN = "import resource, sys\nfrom changke.interfaces.importers import apart\n"


def book(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    out = Workbook()
    out.remove(out.active)
    for title, rows in sheets.items():
        sheet = out.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out.save(path)
    return path


def read(path: Path) -> list[tuple[str, list[list[str]]]]:
    return [(sheet.name, [cells for _, cells, _ in sheet.rows]) for sheet in apart.open_sheets(path, name=path.name)]


def run(code: str, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    command = [sys.executable, "-c", BEGIN + code, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def _the_same_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(part for part in sys.path if part))


def test_it_reads_what_is_read_here_sheet_by_sheet(tmp_path: Path) -> None:
    path = book(tmp_path / "two.xlsx", {
        "静安店": [["手机", "金额"], *([f"1380013{number:04d}", number / 4] for number in range(1_200))],
        "浦东店": [["手机"], ["13900000001"]],
    })  # fmt: skip
    here = [(sheet.name, [cells for _, cells, _ in sheet.rows]) for sheet in open_here(path, name="two.xlsx")]
    assert read(path) == here
    assert [(name, len(rows)) for name, rows in here] == [("静安店", 1_201), ("浦东店", 2)]
    # Who looks at the first rows only, pays for no more.
    assert [next(sheet.rows)[1][0] for sheet in apart.open_sheets(path, name="two.xlsx")] == ["手机", "手机"]


def test_parquet_and_text_come_through_the_same_door(tmp_path: Path) -> None:
    duckdb.sql("SELECT '张三' AS 姓名, 12 AS 次数").write_parquet(str(tmp_path / "a.parquet"))
    assert read(tmp_path / "a.parquet") == [("", [["姓名", "次数"], ["张三", "12"]])]
    (tmp_path / "a.csv").write_text("姓名,次数\n张三,12\n")
    assert read(tmp_path / "a.csv") == [("", [["姓名", "次数"], ["张三", "12"]])]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04" + b"\x00" * 200, "file_cut_off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "file_cut_off"),
        (b"PAR1" + b"\x00" * 60, "file_cut_off"),
        (b"", "file_empty"),
    ],
)
def test_a_refusal_comes_back_with_its_words(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(UnreadableFile) as refused:
        read(tmp_path / "x.xlsx")
    assert refused.value.problem.code == code
    assert refused.value.words("zh-hans").startswith("x.xlsx")


ENTITIES = """<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY x SYSTEM "file:///etc/passwd">]>"""


def test_no_entity_is_expanded_and_no_file_fetched(tmp_path: Path) -> None:
    good = book(tmp_path / "good.xlsx", {"a": [["手机", "备注"], ["1", "x"]]})
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(tmp_path / "laughs.xlsx", "w") as new:
        for part in old.namelist():
            text = old.read(part)
            if part.endswith(("sheet1.xml", "sharedStrings.xml")):
                text = ENTITIES.encode() + text.replace(b">x<", b">&c;&x;<")
            new.writestr(part, text)
    try:
        found = str(read(tmp_path / "laughs.xlsx"))
    except UnreadableFile:
        return
    assert "root:" not in found
    assert "haha" not in found


def test_it_may_take_so_much_and_no_more() -> None:
    done = run(
        "apart.hold_back()\n"
        "kinds = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)\n"
        "print([resource.getrlimit(each)[0] for each in kinds])\n"
        "try:\n    bytearray(4 * 1024**3)\nexcept MemoryError:\n    print('no memory')\n"
        "try:\n    open(sys.argv[1], 'w').write('x' * 10_000)\nexcept OSError:\n    print('no file')\n",
        "/tmp/changke-nothing-is-written-here",
    )
    limits = [apart.MOST_MEMORY_BYTES, apart.MOST_SECONDS, 0, apart.MOST_OPEN_FILES]
    assert done.stdout.splitlines()[:2] == [str(limits), "no memory"]
    assert Path("/tmp/changke-nothing-is-written-here").stat().st_size == 0
    Path("/tmp/changke-nothing-is-written-here").unlink()


GREEDY = "apart.MOST_MEMORY_BYTES = 64 * 1024**2\napart.main(*sys.argv[1:5])\n"
ENDLESS = "apart.MOST_SECONDS = 1\napart.hold_back()\nwhile True: pass\n"


@pytest.mark.parametrize("code", [GREEDY, ENDLESS])
def test_its_death_is_a_refusal_and_the_load_lives_on(
    tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book(tmp_path / "heavy.xlsx", {"a": [["手机", "备注"], *([f"{n}", "x" * 200] for n in range(5_000))]})

    def started(reader: Any, path: Path, name: str, encoding: str | None) -> "subprocess.Popen[bytes]":
        words = [sys.executable, "-c", BEGIN + code, reader.KEY, str(path), name, ""]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    monkeypatch.setattr(apart, "_started", started)
    with pytest.raises(UnreadableFile) as refused:
        read(path)
    assert refused.value.problem.code == "file_too_heavy"
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY  # of the load itself nothing is taken


def test_it_knows_no_secret_and_is_gone_with_whoever_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[..., Path]
) -> None:
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    path = book(tmp_path / "a.xlsx", {"a": [["手机"], ["1"]]})
    begun: list[subprocess.Popen[bytes]] = []
    original = apart._started

    def started(*words: Any) -> "subprocess.Popen[bytes]":
        begun.append(original(*words))
        return begun[0]

    monkeypatch.setattr(apart, "_started", started)
    sheets = apart.open_sheets(path, name="a.xlsx")
    next(sheets)
    environment = Path(f"/proc/{begun[0].pid}/environ").read_bytes()
    assert b"SECRET_KEY" not in environment
    sheets.close()  # type: ignore[attr-defined]
    assert begun[0].returncode is not None


def test_a_load_reads_its_workbook_so(load: Load, tmp_path: Path) -> None:
    path = book(
        tmp_path / "sales.xlsx", {"a": [["单号", "日期", "手机号", "金额"], ["1", "2026-02-01", "13900000001", 12.5]]}
    )
    assert counts(load([path])) == (1, 0, 0, 0)
