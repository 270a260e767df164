"""What is fuzzed: bytes in; rows, or a refusal with its words, out. Anything else is a crash.

Each target is used three ways: by hypothesis in the suite, over the corpus of what was found before, and by atheris for
as long as one likes (`make fuzz`). No target needs a database or Django.
"""

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from changke.interfaces.importers import columns
from changke.interfaces.importers.normalise import dates, numbers, phones, texts
from changke.interfaces.importers.parts import Ground
from changke.interfaces.importers.problems import LANGUAGES, Problem, Refused, UnreadableFile, all_words
from changke.interfaces.importers.readers import open_sheets
from changke.interfaces.importers.scratch import fit, turned
from changke.interfaces.importers.sheets import RawRow
from changke.interfaces.importers.sources import understood

MOST_ROWS = 5_000
"""Rows looked at per input: a fuzzer is to find a crash, not to read a novel."""


def delimited(data: bytes) -> None:
    """Any bytes as a text file."""
    _read(data, "file.csv")


def workbook(data: bytes) -> None:
    """The first byte chooses: the rest is the whole file, or one part of a workbook that is right otherwise."""
    if not data:
        return
    parts = ("", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml")
    part = parts[data[0] % len(parts)]
    _read(with_part(part, data[1:]) if part else data[1:], "file.xlsx")


def sources(data: bytes) -> None:
    """Any bytes as an export of an old system that we know: the header is right, the rows are not."""
    headers = (
        "Name,Email,Financial Status,Paid at,Currency,Total,Lineitem quantity,Lineitem name,Lineitem price,"
        "Refunded Amount",
        "订单号,订单状态,买家付款时间,归属店铺,商品名称,商品数量,商品单价,商品实际成交金额,订单实付金额,订单已退款金额",
        "客户名称,跟进方式,跟进内容,跟进时间,跟进人",
        "姓名,客户名称,手机,职务,创建时间",
        "会员号,姓名,卡项名称,总次数,剩余次数",
        "客户名称,客户来源,手机,负责人,创建时间",
    )
    if data:
        _read(headers[data[0] % len(headers)].encode() + b"\n" + data[1:], "file.csv")


def values(data: bytes) -> None:
    """Any text as the content of a cell: every rule of values gives a value or refuses with its words."""
    text = data.decode("utf-8", "replace")
    rules: tuple[Callable[[str], object], ...] = (
        phones.phone, numbers.money, numbers.quantity, numbers.count, dates.moment, dates.time_of_day, dates.birthday,
        texts.email, texts.gender, texts.tags_of,
    )  # fmt: skip
    for rule in rules:
        try:
            rule(text)
        except Refused as refused:
            assert all(refused.problem.words(language) for language in LANGUAGES)  # noqa: PT017 each input may be good


TARGETS: dict[str, Callable[[bytes], None]] = {
    "delimited": delimited, "workbook": workbook, "sources": sources, "values": values,
}  # fmt: skip


def _read(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            for sheet in open_sheets(path, name=name):
                for line, cells, problem in _some(sheet.rows):
                    assert line >= 1
                    assert all(isinstance(cell, str) for cell in cells)
                    assert problem == "" or Problem(problem).code in all_words()
            for sheet in open_sheets(path, name=name):
                _understand(sheet.rows, strict=sheet.strict_width)
        except UnreadableFile as refused:
            assert all(refused.words(language) for language in LANGUAGES)  # noqa: PT017 each input may be good


def _understand(rows: Iterator[RawRow], *, strict: bool) -> None:
    """As the import does it: find the header, let a source turn the rows, fit them to the header's width."""
    first = [row for row, _ in zip(rows, range(columns.HEADER_WITHIN_ROWS), strict=False)]
    found = turned(first, rows, understood, Ground("CNY"), strict=strict)
    if found is not None:
        source, header, its_rows = found
        assert source.header == header.names
        for line, cells, problem in _some(its_rows):
            assert line >= 1
            assert len(cells) == len(header.names)
            assert all(isinstance(cell, str) for cell in cells)
            assert problem == "" or problem in all_words()
        return
    for kind in columns.KINDS:
        plain = columns.find_header([cells for _, cells, _ in first], kind)
        if plain is not None:
            columns.guess_kind(plain.names)
            for _, cells, problem in first[plain.index + 1 :]:
                assert len(fit(cells, problem, width=len(plain.names), strict=strict)[0]) == len(plain.names)


def _some(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    for row, _ in zip(rows, range(MOST_ROWS), strict=False):
        yield row


CONTENT_TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"""
RELATIONS = """<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>
</Relationships>"""
BOOK_RELATIONS = """<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="rId2" Target="sharedStrings.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/>
<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles"
 Target="styles.xml"/></Relationships>"""
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
PARTS = {
    "[Content_Types].xml": CONTENT_TYPES,
    "_rels/.rels": RELATIONS,
    "xl/_rels/workbook.xml.rels": BOOK_RELATIONS,
    "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="一" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/worksheets/sheet1.xml": f'<worksheet {MAIN}><dimension ref="A1:B2"/><sheetData><row r="1"><c r="A1" t="s">'
    '<v>0</v></c><c r="B1" t="inlineStr"><is><t>金额</t></is></c></row><row r="2"><c r="A2"><v>13800138000</v></c>'
    '<c r="B2" s="1"><v>45000.5</v></c></row></sheetData></worksheet>',
    "xl/sharedStrings.xml": f'<sst {MAIN} count="1" uniqueCount="1"><si><t>手机</t></si></sst>',
    "xl/styles.xml": f'<styleSheet {MAIN}><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/></numFmts>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>',
}


def with_part(name: str, content: bytes) -> bytes:
    """A small workbook that is right but for one part."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, text in PARTS.items():
            archive.writestr(part, content if part == name else text.encode())
    return file.getvalue()
