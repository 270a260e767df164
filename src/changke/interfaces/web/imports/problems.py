"""Refused rows by the repair they need, in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from changke.interfaces.importers.problems import Problem, all_words


def groups_of(kept: Sequence[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """What the pipeline kept, said again: the words were written in the language of whoever loaded the file.

    The sentence is split where the remedy begins, so that the page can set it apart.
    """
    groups = []
    for group in kept:
        text = group["words"]
        if group["code"] in all_words():
            text = Problem(group["code"], group.get("places") or {}).words(language)
        reason, remedy = split(text)
        groups.append({**group, "reason": reason, "remedy": remedy})
    return groups


def split(text: str) -> tuple[str, str]:
    """`A happened. Do B.` -> what happened, what to do."""
    for mark in ("。", ". "):
        reason, found, remedy = text.partition(mark)
        if found and remedy:
            reason = reason if found == "。" else reason[:1].upper() + reason[1:]
            return reason, remedy
    return text, ""
