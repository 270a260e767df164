"""Verbs that state who brought whom, one subject per file."""

from changke.facts.referrals.services.name import name_referrer, take_off_referrer

__all__ = ["name_referrer", "take_off_referrer"]
