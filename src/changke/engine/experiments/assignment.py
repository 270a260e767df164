"""A customer's variant: read from a hash of the experiment and her id, the same in Python and in every engine."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from changke.engine.refusals import Refusal

WHOLE_BP = 10_000
DIGITS = 15  # hexadecimal: 60 bits, a positive BIGINT on every engine
# From text to its hash in hexadecimal, and from hexadecimal to a number.
HASH = {
    "postgres": "('x' || substr(encode(sha256(convert_to({text}, 'UTF8')), 'hex'), 1, {digits}))::bit(60)::bigint",
    "duckdb": "CAST('0x' || substr(sha256({text}), 1, {digits}) AS BIGINT)",
    "spark": "CAST(conv(substr(sha2({text}, 256), 1, {digits}), 16, 10) AS BIGINT)",
}
TEXT = {"postgres": "text", "duckdb": "VARCHAR", "spark": "STRING"}
KEY = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
COLUMN = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")


class WeightsDoNotSum(Refusal):
    """The weights of the variants must be positive or zero and sum to 10,000 basis points."""

    code = "weights_do_not_sum"


class NotAName(Refusal):
    """Keys and columns are written into statements, so they are plain lower-case names."""

    code = "not_a_name"


@dataclass(frozen=True)
class Variant:
    """One thing that may be done, and the share of customers who get it, in basis points."""

    key: str
    weight_bp: int


@dataclass(frozen=True)
class Experiment:
    """Who gets which variant.

    Parameters
    ----------
    key
        Names the experiment for ever: the hash is of it. At most 100 of a-z, 0-9, `_`, `.`, `-`.
    variants
        In an order that does not change while it runs; weights sum to 10,000.
    coverage_bp
        The share of customers who take part at all. May grow while it runs: nobody changes her variant by it.

    Raises
    ------
    WeightsDoNotSum, NotAName
    """

    key: str
    variants: tuple[Variant, ...]
    coverage_bp: int = WHOLE_BP

    def __post_init__(self) -> None:
        for name in (self.key, *(variant.key for variant in self.variants)):
            if not KEY.fullmatch(name):
                raise NotAName(f"not a key of lower-case letters, digits, _ . and -: {name!r}")
        if len({variant.key for variant in self.variants}) < len(self.variants):
            raise NotAName(f"two variants of {self.key} have one key")
        weights = [variant.weight_bp for variant in self.variants]
        if sum(weights) != WHOLE_BP or min(weights) < 0:
            raise WeightsDoNotSum(f"the weights of {self.key} are {weights}: they must sum to {WHOLE_BP}")
        if not 0 <= self.coverage_bp <= WHOLE_BP:
            raise WeightsDoNotSum(f"{self.coverage_bp} basis points of the customers cannot take part in {self.key}")

    def variant_of(self, customer_id: int | str) -> str | None:
        """The key of her variant, or None if she does not take part."""
        if self._number("part", customer_id) >= self.coverage_bp:
            return None
        number = self._number("variant", customer_id)
        for bound, key in self._bounds():
            if number < bound:
                return key
        raise AssertionError("the weights were checked to sum to all")

    def sql(self, *, engine: str, customer_id: str = "customer_id") -> str:
        """The same as an expression over the column of ids: her variant's key, or NULL.

        Parameters
        ----------
        engine
            "postgres", "duckdb" or "spark".
        customer_id
            The column, of integers or text; may be qualified by one table.
        """
        if not COLUMN.fullmatch(customer_id):
            raise NotAName(f"not a column: {customer_id!r}")
        variant = self._number_sql("variant", engine, customer_id)
        whens = " ".join(f"WHEN {variant} < {bound} THEN '{key}'" for bound, key in self._bounds())
        part = self._number_sql("part", engine, customer_id)
        return f"CASE WHEN {customer_id} IS NULL OR {part} >= {self.coverage_bp} THEN NULL {whens} END"

    def _bounds(self) -> Sequence[tuple[int, str]]:
        bounds, laid = [], 0
        for variant in self.variants:
            laid += variant.weight_bp
            bounds.append((laid, variant.key))
        return bounds

    def _number(self, purpose: str, customer_id: int | str) -> int:
        digest = hashlib.sha256(f"{self.key}/{purpose}/{customer_id}".encode()).hexdigest()
        return int(digest[:DIGITS], 16) % WHOLE_BP

    def _number_sql(self, purpose: str, engine: str, customer_id: str) -> str:
        text = f"'{self.key}/{purpose}/' || CAST({customer_id} AS {TEXT[engine]})"
        return f"({HASH[engine].format(text=text, digits=DIGITS)} % {WHOLE_BP})"
