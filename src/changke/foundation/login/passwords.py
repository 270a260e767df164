"""Passwords that anybody would try first, however they are dressed up. Offline: the lists are Django's and our own."""

import re
from itertools import pairwise

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from changke.foundation.access.models import Staff

FEWEST_KINDS = 5
"""Different characters that a password has at least."""
FEWEST_LETTERS = 4
"""Letters that it has beside the log-in name."""

# What the list of the world lacks and Chinese shops use: pinyin of love and luck, and keys that lie side by side.
OURS = frozenset({
    "woaini", "woaiwojia", "woaizhongguo", "iloveyou", "woshishui", "nihao", "nihaoma", "mima", "wodemima", "denglu",
    "guanliyuan", "admin", "administrator", "changke", "dianzhang", "laoban", "meirong", "meifa",
    "qwertyuiop", "asdfghjkl", "zxcvbnm", "qazwsx", "qazwsxedc", "qweasdzxc",
})  # fmt: skip
DRESS = re.compile(r"^[^a-z]+|[^a-z]+$")
LETTERS = str.maketrans("@4013$5!7", "aaoiessit")
"""What p@ssw0rd wears instead of its letters."""


class NotGuessable(CommonPasswordValidator):
    """Refuses a common password with digits around it, written twice, or made of the same few keys."""

    def validate(self, password: str, user: Staff | None = None) -> None:
        plain = password.lower()
        few = len(set(plain)) < FEWEST_KINDS or plain.isdigit()
        if few or self._is_a_row(plain) or self._is_known(plain) or self._is_the_name(plain, user):
            raise ValidationError(
                _("This is among the first that anybody would try. Take three words that do not belong together."),
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        return str(_("Not a word that everybody knows, however it is dressed up."))

    def _is_known(self, plain: str) -> bool:
        whole = _once(plain)
        cores = {whole, _once(DRESS.sub("", whole)), _once(DRESS.sub("", whole.translate(LETTERS)))}
        return any(core in self.passwords or core in OURS for core in cores)

    @staticmethod
    def _is_a_row(plain: str) -> bool:
        """12345..., fedc...: each character is the neighbour of the one before."""
        steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
        return steps in ({1}, {-1})

    @staticmethod
    def _is_the_name(plain: str, user: Staff | None) -> bool:
        """Nothing but the log-in name, once or several times, with digits and signs."""
        name = (user.username if user else "").lower()
        rest = plain.replace(name, "") if name else plain
        return rest != plain and sum(letter.isalpha() for letter in rest) < FEWEST_LETTERS


def _once(text: str) -> str:
    """A text that is one piece written several times becomes the piece."""
    place = (text + text).find(text, 1)
    return text[:place] if 0 < place < len(text) else text
