import phonenumbers
import pytest

from changke.facts.customers import rules


@pytest.mark.parametrize(
    ("name", "pinyin", "initials"),
    [
        ("张三丰", "zhangsanfeng", "zsf"),
        ("欧阳娜娜", "ouyangnana", "oynn"),
        ("Mary Ann Lee", "maryannlee", "mal"),
        ("王Amy", "wangamy", "wa"),
        ("𠮷野", "𠮷ye", "𠮷y"),  # a rare character without a known sound stays itself
        ("", "", ""),
    ],
)
def test_a_name_is_found_by_its_sound(name: str, pinyin: str, initials: str) -> None:
    assert rules.pinyin(name) == pinyin
    assert rules.initials(name) == initials


def test_a_name_is_found_by_any_one_or_two_of_its_characters() -> None:
    assert rules.grams("张三丰") == ["张", "三", "丰", "张三", "三丰"]
    assert rules.grams("哈哈") == ["哈", "哈哈"]


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("13812345678", "+8613812345678"),
        ("138 1234 5678", "+8613812345678"),
        ("+86 138-1234-5678", "+8613812345678"),
        ("１３８１２３４５６７８", "+8613812345678"),  # full-width digits
        ("0086 13812345678", "+8613812345678"),
        ("+852 9123 4567", "+85291234567"),
        ("021-62345678", "+862162345678"),
    ],
)
def test_a_phone_is_one_number_however_it_is_written(written: str, e164: str) -> None:
    assert rules.normal_phone(written) == e164


def test_the_short_way_for_chinese_mobiles_says_what_the_library_says() -> None:
    for prefix in range(100, 200):
        for written in (f"{prefix}51234567", f"{prefix}00000000", f"+86{prefix}98765432"):
            number = phonenumbers.parse(written, "CN")
            said = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert rules.normal_phone(written) == said


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1.38E+10", "format the column as text"),
        ("abc", "not a phone number"),
        ("12", "not a phone number"),
        ("", "not"),
    ],
)
def test_what_is_no_phone_is_refused_with_the_remedy(written: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        rules.normal_phone(written)


@pytest.mark.parametrize(
    ("e164", "shown"),
    [("+8613812345678", "138****5678"), ("+85291234567", "+852****4567"), ("+861234567", "*****67")],
)
def test_a_phone_is_shown_so_that_it_cannot_be_called(e164: str, shown: str) -> None:
    assert rules.masked_phone(e164) == shown


@pytest.mark.parametrize(
    ("written", "kept"),
    [("  李  雷 ", "李 雷"), ("Ｌｉｎａ", "Lina"), ("小美\u0000\u0007", "小美"), ("🌸花花", "🌸花花")],
)
def test_a_name_is_cleaned_but_never_simplified(written: str, kept: str) -> None:
    assert rules.clean_name(written) == kept
