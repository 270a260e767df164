"""Phone numbers to E.164. A number that a spreadsheet has rounded is refused: its last digits are gone."""

import re
import unicodedata

import phonenumbers

from changke.interfaces.importers.normalise.texts import text
from changke.interfaces.importers.problems import Refused

ROUNDED = re.compile(r"^\d(\.\d+)?e\+?\d+$", re.IGNORECASE)
FRACTION = re.compile(r"\.0+$")
CHINESE_MOBILE = re.compile(r"^(?:\+?86|0086)?(1[3-9]\d{9})$")


def phone(value: str, *, region: str = "CN") -> str:
    """`138 0013 8000`, `+86-13800138000`, `１３８００１３８０００`, `13800138000.0` -> `+8613800138000`."""
    found = unicodedata.normalize("NFKC", text(value)).strip()
    if ROUNDED.match(found):
        raise Refused("phone_rounded")
    found = FRACTION.sub("", found)
    if "*" in found:
        raise Refused("phone_masked")
    # Prefixes are opened faster than libraries learn them, so a mobile number of China needs only its form.
    if region == "CN" and (mobile := CHINESE_MOBILE.match(re.sub(r"[\s()-]", "", found))):
        return f"+86{mobile[1]}"
    try:
        number = phonenumbers.parse(found, region)
    except phonenumbers.NumberParseException as error:
        raise Refused("phone_wrong") from error
    if not phonenumbers.is_valid_number(number):
        raise Refused("phone_wrong")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
