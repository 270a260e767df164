"""The readers under random, mutated and hostile bytes: rows or a refusal, never a crash. `make fuzz` goes on longer."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import seeds_of
from tests.fuzz.targets import PARTS, TARGETS, delimited, workbook

CORPUS = Path(__file__).parent / "corpus"
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


KEPT = sorted(path for target in TARGETS for path in CORPUS.glob(f"{target}/*"))
"""The letters of web shops have a test of their own: `tests/interfaces/webhooks/test_letters.py`."""


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name} {path.name[:24]}")
def test_what_crashed_once_does_not_again(path: Path) -> None:
    if path.is_file():
        TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_the_seeds_are_read(target: str) -> None:
    for seed in seeds_of(target):
        TARGETS[target](seed)


@pytest.mark.parametrize("target", sorted(TARGETS))
@FEW
@given(data=st.binary(max_size=400))
@example(b"")
@example(b"\x00")
@example(b"PK\x03\x04")
@example(b"\xff\xfe\x00\xd8,")
def test_any_bytes(target: str, data: bytes) -> None:
    TARGETS[target](data)


@st.composite
def mutated(draw: st.DrawFn, target: str) -> bytes:
    """A good file with some bytes changed, cut out or doubled."""
    content = bytearray(draw(st.sampled_from(seeds_of(target))))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.sampled_from(["change", "cut", "double", "put"])):
            case "change" if content:
                content[place] = draw(st.integers(0, 255))
            case "cut":
                del content[place : place + draw(st.integers(1, 40))]
            case "double":
                content[place:place] = content[place : place + draw(st.integers(1, 200))]
            case _:
                content[place:place] = draw(
                    st.sampled_from([b'"', b",", b"\n", b"\r", b"\x00", "，".encode(), b"\xa3"])
                )
    return bytes(content)


@pytest.mark.parametrize("target", sorted(TARGETS))
@FEW
@given(data=st.data())
def test_a_good_file_that_was_damaged(target: str, data: st.DataObject) -> None:
    TARGETS[target](data.draw(mutated(target)))


@FEW
@given(
    rows=st.lists(
        st.lists(st.sampled_from(["", "a", '"', "1,2", "张三", "=1+1", "\t", "x" * 70_000]), max_size=7), max_size=7
    ),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16", "latin-1"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_ragged_rows_in_any_encoding(rows: list[list[str]], encoding: str, ending: str) -> None:
    delimited(ending.join(",".join(row) for row in rows).encode(encoding, "replace"))


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="XFD1048576"><v>1</v></c>',  # one far cell: an area of seventeen billion
        '<c r="ZZZZZZZZZZ9"><v>1</v></c>',
        '<c r="A0"><v>1</v></c>',
        '<c r=""><v>1</v></c>',
        '<c r="A1" t="s"><v>99999999999</v></c>',
        '<c r="A1" t="s"><v>-1</v></c>',
        '<c r="A1" t="d"><v>not a day</v></c>',
        '<c r="A1" s="4294967295"><v>1e308</v></c>',
        '<c r="A1" s="1"><v>-99999999999999</v></c>',
        '<c r="A1" t="e"><v>#REF!</v></c>',
        '<c r="A1"><f>HYPERLINK("http://x","y")</f><v>1</v></c>',
        "<c>" * 3_000,
    ],
)
def test_cells_that_no_program_writes(cell: str) -> None:
    sheet = PARTS["xl/worksheets/sheet1.xml"]
    start, _, _ = sheet.partition("<row ")
    workbook(b"\x01" + f'{start}<row r="1">{cell}</row></sheetData></worksheet>'.encode())


def test_entities_of_a_sheet_are_not_opened() -> None:
    """A billion laughs: each entity ten of the one before."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    cell = '<row r="1"><c r="A1" t="str"><v>&l9;</v></c></row>'
    sheet = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><worksheet><sheetData>{cell}</sheetData></worksheet>'
    workbook(b"\x01" + sheet.encode())
