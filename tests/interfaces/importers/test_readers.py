"""Any bytes become rows or a clear error. What a
shop's old system writes is read; what is broken is named by its line."""

import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from changke.interfaces.importers.problems import UnreadableFile
from changke.interfaces.importers.readers import delimited, open_sheets, workbook
from tests.examples import few

Write = Callable[..., Path]


def rows(path: Path) -> list[tuple[int, list[str], str]]:
    return [row for sheet in open_sheets(path, name=path.name) for row in sheet.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_chinese_is_read_in_every_usual_encoding(write: Write, encoding: str) -> None:
    path = write("姓名,手机\n张三,13800138000\n李四,13900139000\n", encoding=encoding)
    assert rows(path) == [(1, ["姓名", "手机"], ""), (2, ["张三", "13800138000"], ""), (3, ["李四", "13900139000"], "")]


def test_the_first_chinese_name_may_come_late(write: Write) -> None:
    content = "a,b\n" + "1,2\n" * 400_000 + "张三,3\n"
    assert rows(write(content, encoding="gbk"))[-1] == (400_002, ["张三", "3"], "")


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(write: Write, delimiter: str) -> None:
    content = "\n".join(delimiter.join(row) for row in (["单号", "备注"], ["1", "a, b"], ["2", "c"])) + "\n"
    if delimiter == ",":
        content = content.replace("a, b", '"a, b"')
    assert [cells for _, cells, _ in rows(write(content))] == [["单号", "备注"], ["1", "a, b"], ["2", "c"]]


def test_a_note_with_a_line_break_is_one_row(write: Write) -> None:
    path = write('a,b\n1,"two\nlines"\n2,x\n')
    assert rows(path)[1:] == [(2, ["1", "two\nlines"], ""), (4, ["2", "x"], "")]


def test_an_open_quote_costs_its_own_row_only(write: Write) -> None:
    path = write('a,b\n1,"open\n2,x\n3,y\n')
    found = rows(path)
    assert [(line, problem) for line, _, problem in found] == [(1, ""), (2, "quote_open"), (3, ""), (4, "")]
    assert [cells for _, cells, _ in found[2:]] == [["2", "x"], ["3", "y"]]


def test_an_open_quote_in_a_long_file_costs_its_own_row_only(write: Write) -> None:
    lines = [f"{number},x" for number in range(50_000)]
    lines[100] = '100,"open'
    found = rows(write("a,b\n" + "\n".join(lines) + "\n"))
    assert len(found) == 50_001
    assert [line for line, _, problem in found if problem] == [102]


def test_a_row_in_another_encoding_is_named_and_the_rest_is_read(write: Write) -> None:
    content = "姓名,手机\n张三,1\n".encode() * 3 + "李四,2\n".encode("gbk") + "王五,3\n".encode()
    found = rows(write(content))
    assert [line for line, _, problem in found if problem == "bytes_damaged"] == [7]
    assert found[-1] == (8, ["王五", "3"], "")


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "empty.csv", "file_empty"),
        (b"\xef\xbb\xbf\r\n", "bom.csv", "file_empty"),
        (b"<html><table></table></html>", "old.xls", "file_is_web_page"),
        (b"PK\x03\x04 cut off", "cut.xlsx", "file_cut_off"),
        (b"PAR1 cut off", "cut.parquet", "file_cut_off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 cut", "cut.xls", "file_cut_off"),
        (bytes(range(128, 256)) * 50 + b"\n", "noise.csv", "encoding_undetected"),
    ],
)
def test_what_is_no_table_is_refused_with_the_remedy(write: Write, content: bytes, name: str, code: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        rows(write(content, name))
    assert refused.value.problem.code == code
    assert refused.value.words("zh-hans").startswith(name)


def book(path: Path, *sheets: list[list[object]]) -> Path:
    workbook_out = Workbook()
    workbook_out.remove(workbook_out.active)
    for number, content in enumerate(sheets, 1):
        sheet = workbook_out.create_sheet(f"表{number}")
        for row in content:
            sheet.append(row)
    workbook_out.save(path)
    return path


def test_every_sheet_of_a_workbook_is_read(tmp_path: Path) -> None:
    path = book(tmp_path / "two.xlsx", [["a", "b"], [1, 2.5]], [["a", "b"], ["x", None]])
    found = [(sheet.name, list(sheet.rows)) for sheet in open_sheets(path, name="two.xlsx")]
    assert found == [
        ("表1", [(1, ["a", "b"], ""), (2, ["1", "2.5"], "")]),
        ("表2", [(1, ["a", "b"], ""), (2, ["x", ""], "")]),
    ]


def test_a_phone_typed_as_a_number_keeps_its_digits(tmp_path: Path) -> None:
    path = book(tmp_path / "phone.xlsx", [["手机"], [13800138000], [1.38e10]])
    assert [cells for _, cells, _ in rows(path)] == [["手机"], ["13800138000"], ["13800000000"]]


def test_a_formula_is_never_run(tmp_path: Path) -> None:
    """Written without a computed value, it is an empty cell, and never its own text."""
    path = book(tmp_path / "formula.xlsx", [["金额", "单号"], ["=1+1", "1"], ["=cmd|' /C calc'!A0", "2"]])
    assert [cells for _, cells, _ in rows(path)] == [["金额", "单号"], ["", "1"], ["", "2"]]


def bomb(path: Path, *, declared: int | None = None) -> Path:
    """A sheet that unpacks to 300 MB from 300 KB; with `declared`, one that lies about it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(300):
                part.write(b"0" * 1_000_000)
    if declared is not None:
        content = path.read_bytes()
        for size in (300_000_000,):
            content = content.replace(struct.pack("<I", size), struct.pack("<I", declared))
        path.write_bytes(content)
    return path


def test_a_zip_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        rows(bomb(tmp_path / "bomb.xlsx"))
    assert refused.value.problem.code == "workbook_bomb"


def test_a_zip_bomb_that_lies_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        rows(bomb(tmp_path / "liar.xlsx", declared=1_000))
    assert refused.value.problem.code == "workbook_bomb"


def test_one_far_cell_does_not_take_all_memory(tmp_path: Path) -> None:
    out = Workbook()
    sheet = out.active
    sheet["A1"], sheet["XFD1048576"] = "手机", "x"
    out.save(tmp_path / "far.xlsx")
    with pytest.raises(UnreadableFile) as refused:
        rows(tmp_path / "far.xlsx")
    assert refused.value.problem.code == "workbook_too_wide"


def test_a_workbook_cut_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "half.xlsx", [["a"], *([number] for number in range(1000))])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableFile) as refused:
        rows(path)
    assert refused.value.problem.code == "file_cut_off"


def test_parquet_is_read_as_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    row = "SELECT 1 AS id, 6.95 AS price, TIMESTAMP '2025-01-03 14:05:00' AS at, NULL AS x"
    duckdb.execute(f"COPY ({row}) TO '{path}' (FORMAT parquet)")
    assert rows(path) == [(1, ["id", "price", "at", "x"], ""), (2, ["1", "6.95", "2025-01-03 14:05:00", ""], "")]


@settings(max_examples=few(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=600))
@example(content=b'"')
@example(content=b"\xff\xfe\x00")
@example(content=b"\xff\xfe\x00\xd8")
@example(content=b"a,b\r1,2\r")
@example(content=b"\x00" * 50)
def test_any_bytes_become_rows_or_a_clear_error(tmp_path: Path, content: bytes) -> None:
    for start in (
        b"",
        b"PK\x03\x04",
        b"PAR1",
        b"a,b\n1,",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ):
        path = tmp_path / "any"
        path.write_bytes(start + content)
        try:
            for line, cells, problem in rows(path):
                assert line >= 1
                assert all(isinstance(cell, str) for cell in cells)
                assert isinstance(problem, str)
        except UnreadableFile as refused:
            assert refused.words("zh-hans")  # noqa: PT017


@settings(max_examples=few(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 4000), byte=st.integers(0, 255))
def test_a_damaged_workbook_is_rows_or_a_clear_error(tmp_path: Path, position: int, byte: int) -> None:
    good = tmp_path / "good.xlsx"
    if not good.exists():
        book(good, [["手机", "金额"], ["13800138000", 12.5]])
    content = bytearray(good.read_bytes())
    content[position % len(content)] = byte
    path = tmp_path / "damaged.xlsx"
    path.write_bytes(content)
    try:
        rows(path)
    except UnreadableFile as refused:
        assert refused.words("en")  # noqa: PT017


@settings(max_examples=few(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_written_with_quotes_is_read_back(tmp_path: Path, table: list[list[str]]) -> None:
    path = tmp_path / "quoted.csv"
    head = ["甲", "乙", "丙"]
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [head, *table]]
    path.write_bytes(("\n".join(lines) + "\n").encode())
    assert [cells for _, cells, problem in rows(path) if not problem] == [head, *table]


def test_the_ratio_is_judged_only_where_it_matters() -> None:
    """A small sheet of equal rows shrinks a thousandfold and is no bomb."""
    assert len(zlib.compress(b"0" * 1_000_000)) * workbook.LARGEST_RATIO < 1_000_000
    assert workbook.RATIO_MATTERS_BYTES > 1_000_000


READ_AND_WEIGH = """
import resource, sys
from pathlib import Path
from changke.interfaces.importers.readers import open_sheets
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(1 for sheet in open_sheets(Path(sys.argv[1]), name="big") for row in sheet.rows)
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def weighed(path: Path) -> tuple[int, int]:
    """How many rows the file has, and by how many megabytes a process of its own grew while it read them."""
    command = [sys.executable, "-c", READ_AND_WEIGH, str(path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    count, megabytes = map(int, done.stdout.split())
    return count, megabytes


def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    """What holds for 60 MB holds for two gigabytes: rows pass through, nothing is kept."""
    path = tmp_path / "big.csv"
    line = "R00000001,2026-01-03 10:00,13800138000,张三,补水护理,1,100.00,100.00,微信,静安店\n".encode("gbk")
    with path.open("wb") as stream:
        for _ in range(75):
            stream.write(line * 10_000)
    count, megabytes = weighed(path)
    assert count == 750_000
    assert megabytes < 40


def test_neither_does_one_without_a_line_end(tmp_path: Path) -> None:
    """A dump, a program's JSON: 60 MB in one line, in the middle of a table or alone."""
    path = tmp_path / "dump.csv"
    with path.open("wb") as stream:
        stream.write(b"a,b\n1,2\n")
        for _ in range(60):
            stream.write(b'{"key":"value"},' * 65_536)
        stream.write(b"\n3,4\n")
    assert weighed(path) == (4, pytest.approx(0, abs=40))


def test_a_line_that_is_too_long_is_refused_by_its_number_and_the_others_go_in(write: Write) -> None:
    found = rows(write("a,b\n1,2\n" + "x," * delimited.LONGEST_LINE + "\n3,4\n" + "y" * 300_000 + "\n5,6\n"))
    assert [(line, problem) for line, _, problem in found] == [
        (1, ""), (2, ""), (3, "line_unreadable"), (4, ""), (5, "line_unreadable"), (6, ""),
    ]  # fmt: skip
    assert [cells for _, cells, problem in found if not problem] == [["a", "b"], ["1", "2"], ["3", "4"], ["5", "6"]]
    assert max(len(cells[0]) for _, cells, _ in found) <= delimited.LONGEST_FIELD


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("more", [-2, -1, 0])
def test_lines_about_as_long_as_may_be_keep_their_neighbours_whole(write: Write, end: str, more: int) -> None:
    fields = ["z" * 60_000] * 4
    fields.append("z" * (delimited.LONGEST_LINE - len(",".join(fields)) - 1 - len(end) + more))
    found = rows(write(end.join(["a,b,c,d,e", ",".join(fields), "1,2,3,4,5", ""])))
    assert found[1:] == [(2, fields, ""), (3, ["1", "2", "3", "4", "5"], "")]
