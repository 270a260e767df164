"""What a fuzzer begins with: small files as shops send them."""

from pathlib import Path

from tests.fuzz.targets import PARTS, with_part

SAMPLES = Path(__file__).parents[1] / "interfaces" / "importers" / "samples"
TEXT = """花漾 收银导出,,,
单号,日期,手机号,金额
A-1,2026-02-01 14:05,13900000001,"1,288.00"
A-2,2025年1月3日,1.39E+10,免费
"""
VALUES = (
    "13800138000", "+86 138 0013 8000", "1.38E+10", "138****0001", "1,280.50", "(12.00)", "￥-3.5元", "2次",
    "2026-02-30",
    "2025年1月3日 下午2点5分", "45000.5", "5月1日", "1990|5|1", "a@b.cn", "女", "VIP、敏感肌/老客户", '="138"', "'=1+1",
    "２０２６－０１－０３", "2026-01-15 23:30:00 -0500",
)  # fmt: skip


def seeds_of(target: str) -> list[bytes]:
    samples = [path.read_bytes() for path in sorted(SAMPLES.glob("*/*.csv"))]
    match target:
        case "delimited":
            encodings = ("utf-8", "utf-8-sig", "gb18030", "utf-16")
            return [*samples, *(TEXT.encode(each) for each in encodings), TEXT.replace("\n", "\r\n").encode()]
        case "workbook":
            names = ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml")
            return [
                b"\x00" + with_part("", b""),
                *(bytes([n + 1]) + PARTS[name].encode() for n, name in enumerate(names)),
            ]
        case "sources":
            return [bytes([number % 6]) + sample.partition(b"\n")[2] for number, sample in enumerate(samples * 2)]
        case _:
            return [text.encode() for text in VALUES]
