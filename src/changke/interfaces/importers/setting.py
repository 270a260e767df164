"""What is decided about a load before its rows are read: by the person in the wizard, by flags, by a preset."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from changke.interfaces.importers.clean import Reading
from changke.interfaces.importers.normalise.texts import plain


@dataclass(frozen=True)
class Setting:
    """Options of one batch. `matches` says which of ours an unknown word means: {"store": {"总店": "S01"}}."""

    kind: str
    batch_id: int
    now: dt.datetime
    reading: Reading = field(default_factory=Reading)
    source: str = ""
    """Name of the old system: external ids and receipt numbers are unique within it."""
    create: bool = False
    store: str = ""
    """Code of the store of rows that name none."""
    store_name: str = ""
    time_zone: str = "Asia/Shanghai"
    """Of stores that are created."""
    item_kind: str = ""
    numbers_restart: str = ""
    """"daily" where the till counts its receipts from 1 every day."""
    matches: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    """What new items are, by name, as somebody said who knows them: {"十次卡": "card"}."""
    decisions: Mapping[str, str] = field(default_factory=dict)
    """What happens to rows of customers known before, by how they were met; "" is what holds for the others."""

    def __post_init__(self) -> None:
        """Matches are looked up by their plain words: the file writes `ＡＢＣ ` today and `abc` next month."""
        folded = {what: {plain(word): wanted for word, wanted in words.items()} for what, words in self.matches.items()}
        object.__setattr__(self, "matches", folded)
        object.__setattr__(self, "kinds", {plain(word): kind for word, kind in self.kinds.items()})

    def meant(self, what: str, word: str) -> str:
        """What of ours the word of the file stands for: as matched, else the word itself. `what`: store, staff, item"""
        return self.matches.get(what, {}).get(plain(word), word)

    def decide(self, group: str) -> str:
        """update, merge, skip or refuse; another person, where the same phone stands under another name."""
        return self.decisions.get(group) or self.decisions.get("") or "update"

    @classmethod
    def from_options(
        cls, options: Mapping[str, Any], *, kind: str, batch_id: int, now: dt.datetime, currency: str, time_zone: str
    ) -> "Setting":
        return cls(
            kind=kind,
            batch_id=batch_id,
            now=now,
            reading=Reading(currency=currency, region=options.get("region") or "CN"),
            source=options.get("source") or "",
            create=bool(options.get("create")),
            store=options.get("store") or "",
            store_name=options.get("store_name") or "",
            time_zone=options.get("time_zone") or time_zone,
            item_kind=options.get("item_kind") or "",
            numbers_restart=options.get("numbers_restart") or "",
            matches=options.get("matches") or {},
            kinds=options.get("kinds") or {},
            decisions=options.get("decisions") or {},
        )
