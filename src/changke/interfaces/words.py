"""Words for codes: the one place where a reason, a stage group or an outcome becomes a sentence. Pages, API and command
line speak with the same mouth."""

import datetime as dt
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from changke.facts.consents.rules import Channel, Purpose
from changke.facts.referrals.models import How
from changke.foundation.errors import DomainError, Invalid
from changke.interfaces.web import formats
from changke.interfaces.words_of_lines import let_go, share

REASON_LABELS = {
    "first_order": _("First order"),
    "vip_overdue": _("Valued, overdue"),
    "at_risk": _("May be leaving"),
    "newly_silent": _("Newly silent"),
    "overdue": _("Overdue"),
    "birthday": _("Birthday"),
    "by_hand": _("By hand"),
}

REASON_TONES = {
    "first_order": "info",
    "vip_overdue": "bad",
    "at_risk": "bad",
    "newly_silent": "warn",
    "overdue": "warn",
    "birthday": "good",
    "by_hand": "",
}
"""Tone of the label, as the component `tone` knows it."""

_OVERDUE = {
    "visit": _(
        "Last here %(silent_days)s days ago, usually every %(usual_gap_days)s days: %(overdue_days)s days overdue."
    ),
    "purchase": _(
        "Last bought %(silent_days)s days ago, usually every %(usual_gap_days)s days: %(overdue_days)s days overdue."
    ),
    "use": _(
        "Last used her card %(silent_days)s days ago, usually every %(usual_gap_days)s days: %(overdue_days)s days"
        " overdue."
    ),
    "activity": _(
        "Last bought or used her card %(silent_days)s days ago, usually every %(usual_gap_days)s days:"
        " %(overdue_days)s days overdue."
    ),
}
_SILENT = {
    "visit": _("Not seen for %(silent_days)s days; she used to come every %(usual_gap_days)s days."),
    "purchase": _("Bought nothing for %(silent_days)s days; she used to buy every %(usual_gap_days)s days."),
    "use": _("Has not used her card for %(silent_days)s days; she used to every %(usual_gap_days)s days."),
    "activity": _(
        "Neither bought nor used her card for %(silent_days)s days; she used to every %(usual_gap_days)s days."
    ),
}
AT_RISK = {
    True: _(
        "Expected back by %(expected)s, silent for %(silent_days)s days; the chance that she buys in the next"
        " %(horizon_days)s days is %(outlook)s."
    ),
    False: _(
        "Silent for %(silent_days)s days; the chance that she buys in the next %(horizon_days)s days is %(outlook)s."
    ),
}
"""Whether it is known when she was expected -> the sentence of a warning."""

REASON_SENTENCES: Mapping[str, Mapping[str, str | Promise]] = {
    "first_order": {"visit": _("Bought for the first time: %(spent)s. %(hours_left)s hours left to thank her.")},
    "vip_overdue": _OVERDUE,
    "at_risk": {"visit": AT_RISK[False]},
    "newly_silent": _SILENT,
    "overdue": _OVERDUE,
    "birthday": {"visit": _("Birthday on %(birthday)s.")},
}
"""Reason -> what counts as activity in this chain -> the sentence; of one sentence only, it is true of all."""

LAST_HOUR = _("Bought for the first time: %(spent)s. %(minutes_left)s minutes left to thank her.")

LAST_ACTIVE = {
    "visit": _("Last visit"),
    "purchase": _("Last purchase"),
    "use": _("Last card use"),
    "activity": _("Last activity"),
}

SUGGESTIONS = {
    "thank_and_offer_second_visit": _("Thank her, ask how it was, offer the second visit"),
    "call_and_book": _("Call and book her next visit"),
    "call_and_ask": _("Call, ask what kept her away, invite her back"),
    "remind_of_visit": _("Remind her that it is time again"),
    "congratulate": _("Congratulate and invite her with the birthday gift"),
    "invite_second_visit": _("Ask how it was and invite her for the second visit"),
    "apologise_and_mend": _("Ask what went wrong, apologise, make it good"),
    "answer_objection": _("Ask what she was unsure about and answer it; sell nothing before"),
    "call_without_selling": _("Ask how she is, sell nothing, offer a quiet visit"),
    "offer_what_she_uses": _("Offer what she really uses, at a price she knows"),
    "ask_for_nearer_store": _("Ask where she lives now, name the nearest store"),
    "ask_what_she_needs": _("Ask what she needs now"),
    "introduce_somebody": _("Introduce the colleague who looks after her now"),
    "make_time_for_her": _("Say that she was missed, ask how she is, offer a time with somebody she knows"),
    "offer_line_again": _("Ask how it went the last time and offer it again"),
}

OUTCOMES = {
    "done": _("Done"),
    "not_reached": _("Not reached"),
    "postponed": _("Postponed"),
    "lost": _("Lost to us"),
    "reopened": _("Taken back"),
}

TAPS = ("done", "not_reached", "postponed")
"""What one may say of a line by hand; taking a tap back is a button of its own."""

VALUE_GROUPS = {"high": _("High value"), "middle": _("Middle value"), "low": _("Low value")}
LOYALTY_GROUPS = {
    "loyal": pgettext_lazy("group", "Loyal"),
    "potential": _("Potentially loyal"),
    "lost": _("Lost to us"),
}
MEMBER_STRATA = {
    "sleeping": pgettext_lazy("stratum", "Sleeping"),
    "super_vip": pgettext_lazy("stratum", "Super VIP"),
    "golden": pgettext_lazy("stratum", "Golden"),
    "vip": pgettext_lazy("stratum", "VIP"),
    "casual": pgettext_lazy("stratum", "Casual"),
    "regular": pgettext_lazy("stratum", "Regular"),
}
NEW_OR_OLD = {"new": pgettext_lazy("group", "New customer"), "old": pgettext_lazy("group", "Old customer")}
GENDERS = {"f": _("Female"), "m": _("Male"), "": _("Unknown")}
ROLES = {
    "owner": _("Owner"),
    "hq": _("Headquarters"),
    "manager": _("Store manager"),
    "staff": _("Staff"),
    "analyst": _("Analyst"),
}
SEES = {
    "home": _("whose home store this is"),
    "visited": _("these, and everybody who bought or was served here"),
    "assigned": _("of these, only whose adviser she is"),
}
"""Which customers of a place a role shows."""
RECEIPT_KINDS = {"sale": _("Purchase"), "use": _("Card use"), "return": _("Return")}
TENDERS = {
    "cash": _("Cash"),
    "card": _("Bank card"),
    "wechat": _("WeChat Pay"),
    "alipay": _("Alipay"),
    "stored_value": _("Stored value"),
    "session": _("Card session"),
    "points": _("Points"),
    "other": _("Other"),
}
ITEM_KINDS = {
    "service": _("Service"),
    "product": _("Product"),
    "card": _("Session card"),
    "topup": _("Top-up"),
    "other": _("Other"),
}
LANGUAGES = {"zh-hans": "简体中文", "en": "English", "zh-hant": "繁體中文"}
"""A language calls itself what it is called there."""

OPERATORS = {
    ">=": _("at least"),
    "<=": _("at most"),
    "=": _("is"),
    "!=": _("is not"),
    ">": _("more than"),
    "<": _("less than"),
    "in": _("one of"),
}
ACTIVITIES = {"visit": _("A visit"), "purchase": _("A purchase"), "use": _("Use of a card")}


def why(
    reason: str,
    numbers: Mapping[str, int | str],
    *,
    currency: str,
    counted: str,
    deadline: dt.datetime | None,
    now: dt.datetime,
) -> str:
    """The sentence of one line of the day's list, with its numbers. `counted` is what counts as activity."""
    places: dict[str, object] = dict(numbers)
    sentences = REASON_SENTENCES[reason]
    sentence = sentences.get(counted, sentences["visit"])
    if reason == "at_risk" and "line" in numbers:
        return let_go(
            line=str(numbers["line"]),
            gap_days=int(numbers["gap_days"]),
            silent_days=int(numbers["silent_days"]),
            outlook_bp=int(numbers["outlook_bp"]),
            horizon_days=int(numbers["horizon_days"]),
        )
    if reason == "at_risk":
        return at_risk(
            silent_days=int(numbers["silent_days"]),
            outlook_bp=int(numbers["outlook_bp"]),
            horizon_days=int(numbers["horizon_days"]),
            expected_on=dt.date.fromisoformat(str(numbers["expected_on"])) if "expected_on" in numbers else None,
            today=now.date(),
            cause=str(numbers.get("cause", "")),
            fired_by=_fired_of(numbers),
        )
    if "spent_minor" in numbers:
        places["spent"] = formats.money(int(numbers["spent_minor"]), currency, get_language() or "zh-hans")
    if deadline is not None:
        minutes_left = max(0, int((deadline - now).total_seconds() // 60))
        places |= {"hours_left": minutes_left // 60, "minutes_left": minutes_left}
        if reason == "first_order" and minutes_left < 60:
            sentence = LAST_HOUR
    if "birthday" in numbers:
        month, day = str(numbers["birthday"]).split("-")
        places["birthday"] = pgettext("month-day", "%(month)s-%(day)s") % {"month": month, "day": day}
    return str(sentence) % places


def refusal(error: DomainError) -> str:
    """A refusal in the reader's language."""
    if isinstance(error, Invalid):
        reason = gettext(error.reason)
        return reason % error.reason_places if error.reason_places else reason
    words = gettext(error.message)
    return words % error.places if error.places else words


PERSON_TABLES = {
    "fields": _("Fields of your own"),
    "scores": _("Scores of your own"),
    "referrals": _("Who brought her, and whom she brought"),
    "profile": _("Profile"),
    "identifiers": _("Phones, addresses, numbers"),
    "tags": _("Tags"),
    "former_tags": _("Tags she once wore"),
    "advisers": _("Who looked after her"),
    "guests": _("Stores she was in"),
    "notes": _("Notes and photos"),
    "replaced": _("What imports wrote over"),
    "fields_replaced": _("What imports wrote over in fields of your own"),
    "kept": _("Cards that wait for their balances"),
    "merges": _("Records of hers that were merged"),
    "duplicates": _("Records that were compared with hers"),
    "segments": _("Segments she is or was in"),
    "chosen": _("Bulk changes she was part of"),
    "purchases": _("Purchases"),
    "openings": _("Opening balances"),
    "taken_back": _("Why receipts were taken back"),
    "visits": _("Visits"),
    "events": _("Events"),
    "attributes": _("Computed numbers"),
    "stages": _("Stages"),
    "proposals": _("What is proposed to her"),
    "predictions": _("What is expected of her"),
    "warnings": _("Warnings that she may be leaving"),
    "audit": _("Audit trail"),
    "keys": _("Her own key"),
    "consents": _("Consents"),
    "links": _("Links to her own page"),
    "answers": _("Answers kept for repetition"),
    "deliveries": _("Deliveries of web shops"),
    "privacy_requests": _("Privacy requests of web shops"),
}
"""Everything that is kept about a person, by the key of its registration."""

PERSON_STAYS = {
    "books": _("stays under her bare number: the books of the stores need it, and it no longer says who she is"),
    "proof": _("stays under her bare number: that somebody consented that day; the words of the proof go with her key"),
    "codes": _("stays under her bare number: it holds codes and numbers, no text about her"),
}
"""Why rows stay when a person is erased."""

SENDING_PAUSED = {
    "unconfirmed": _(
        "Nothing is sent to customers: these data were restored, copied or upgraded, and nobody has confirmed yet that "
        "this installation is the one in use."
    ),
    "other_database": _(
        "Nothing is sent to customers: another database was put in the place of the one that was confirmed here, as "
        "after a restore."
    ),
    "copied_folder": _(
        "Nothing is sent to customers: the data folder is a copy, and its original may still be sending."
    ),
}
"""Why nothing leaves this installation, by the code of the reason."""

OCCASIONS = {
    "first_order": _("Her first order"),
    "any": _("Any purchase"),
}

PURPOSES = {
    Purpose.MARKETING: _("Offers"),
    Purpose.CARE: _("Care: birthdays, how it went"),
    Purpose.SERVICE: _("Service: visits, cards, receipts"),
    Purpose.SURVEY: _("Surveys"),
    Purpose.PROFILING: _("Evaluating visits and purchases for offers"),
    Purpose.HEALTH: _("Keeping health data: skin, allergies"),
    Purpose.PERSONAL: _("Personalised offers"),
}
CHANNELS = {
    Channel.NONE: "",
    Channel.SMS: _("SMS"),
    Channel.CALL: _("Call"),
    Channel.WECHAT: _("WeChat"),
    Channel.EMAIL: _("E-mail"),
}
REFERRAL_HOWS = {
    How.BY_HAND: _("written down by hand"),
    How.FILE: _("from a file"),
    How.MACHINE: _("told by another system"),
}
"""How we came to know who brought her."""

CONSENT_HOWS = {
    "counter": _("At the counter"),
    "phone": pgettext_lazy("consent", "By phone"),
    "form": _("On a form"),
    "member_page": _("On her own page"),
    "file": _("By a file"),
    "machine": _("By another system"),
}
CONSENT_REASONS = {
    "given": _("Allowed"),
    "not_asked": _("Never asked"),
    "withdrawn": _("Withdrawn"),
    "suppressed": _("On the list of those whom nobody writes to"),
    "guardian_missing": _("Below 14, and no guardian said yes"),
    "not_separate": _("Health data need a yes of their own"),
    "not_personalised": _("She switched personalising off"),
    "erased": _("Erased"),
}
"""Why we may or may not, by the code of the verdict."""

CONSENT_YES, CONSENT_NO = _("Allowed"), _("No")
REQUESTS = {
    "export": _("On %(day)s she asked for a copy of her data."),
    "erase": _("On %(day)s she asked to be forgotten."),
}


def topic(purpose: Purpose, channel: Channel) -> str:
    """A purpose and its channel in one phrase."""
    said = str(PURPOSES[purpose])
    return f"{said} · {CHANNELS[channel]}" if channel else said


CARE = {
    "no_adviser": _("No adviser"),
    "never_contacted": _("Never contacted"),
    "broken_promise": _("Promised, not done"),
}
"""Ways in which a customer slips through."""

REFERRALS = {"brought": _("Brought by a customer"), "brings": _("Brought others")}
"""How referrals narrow a list."""

HAND_OVER = {
    "even": _("Share the money at risk evenly"),
    "served": _("To whoever served her last, the others evenly"),
}


DUPLICATES: dict[str, str | Promise] = {
    "phone_name": _("Same phone and same name"),
    "account": _("Same WeChat account"),
    "name_birthday": _("Same name and birthday"),
    "email": _("Same e-mail"),
    "phone": _("Same phone, another name"),
}
"""Why two records may be of one person, by rule."""

SIGNALS: dict[str, str | Promise] = {
    "phone": _("phone"),
    "account": _("WeChat account"),
    "email": _("e-mail"),
    "name": _("name"),
    "birthday": _("birthday"),
}
"""What two records have in common."""
RISK_RULES = {
    "fixed": _("%(days)s silent days"),
    "gaps": _("%(times)s × her own gap"),
    "outlook": _("Outlook over %(horizon)s days below %(share)s"),
    "fall": _("Outlook over %(horizon)s days below %(share)s of what it was on the day she bought"),
}
AT_THE_LATEST = _("%(rule)s, at the latest after %(days)s silent days")
DAYS_ALONE = _("%(days)s silent days: no outlook was as precise")
"""A last day beside which no threshold stood."""

FIRED_BY = {
    "fixed": _("Warned of because she was silent for %(days)s days."),
    "outlook": _("Warned of because the outlook fell below %(share)s."),
    "fall": _("Warned of because the outlook fell below %(share)s of what it was on the day she bought."),
    "latest": _(
        "Warned of because she was silent for %(days)s days, the last day of the rule; the outlook was still good."
    ),
}
"""Which part of the rule warned -> its sentence."""

FIRED_LABELS = {
    "fixed": _("Silent days"),
    "outlook": _("Outlook"),
    "fall": _("Fall of the outlook"),
    "latest": _("Last day of the rule"),
}
RISK_CHOSEN_BY = {
    "fixed_60": _("as precise as 60 fixed days"),
    "fixed_90": _("as precise as 90 fixed days"),
    "fixed_120": _("as precise as 120 fixed days"),
    "precision": _("as precise as you wished"),
    "alerts": _("as many warnings a week as you wished"),
}
"""Where the threshold of a rule comes from."""

SILENCE_SIGNALS = {
    True: _(
        "Silence means something here: of one who then stayed away and one who came, the one who stayed away had been"
        " silent for longer in %(share)s of all pairs (a coin would say 50 %%)."
    ),
    False: _(
        "Silence says nothing about who stays away here: of one who then stayed away and one who came, the one who"
        " stayed away had been silent for longer in %(share)s of all pairs, and a coin would say 50 %%. No warning is"
        " worth raising; turn to customers for other reasons."
    ),
    None: _("Too little is known to say whether silence means anything. Look again when more purchases are in."),
}


def risk_rule(kind: str, threshold: int, horizon_days: int, latest_days: int | None = None) -> str:
    """A rule that warns as one phrase. `threshold` in days, times, or basis points."""
    if latest_days is not None and threshold == 0:
        return str(DAYS_ALONE) % {"days": latest_days}
    places = {"days": threshold, "times": threshold, "horizon": horizon_days, "share": share(threshold)}
    said = str(RISK_RULES[kind]) % places
    return said if latest_days is None else str(AT_THE_LATEST) % {"rule": said, "days": latest_days}


def fired(by: str, threshold: int, latest_days: int | None) -> str:
    """Why somebody was warned of on that day and on no other: which part of the rule it was. Arguments as above."""
    days = threshold if by == "fixed" else latest_days
    return str(FIRED_BY[by]) % {"days": days, "share": share(threshold)}


def signal_of(has_signal: bool | None, auc_bp: int | None) -> str:
    """Whether silence means anything in this shop, with the number that says so."""
    return str(SILENCE_SIGNALS[has_signal]) % {"share": formats.basis_points(auc_bp or 0, 0)}


CHURN_CAUSES = {
    "complaint": _("Perhaps because she complained"),
    "objection": _("Perhaps because an objection of hers was not answered"),
    "oversold": _("Perhaps because too much was sold to her"),
    "price": _("Perhaps because of the price"),
    "moved": _("Perhaps because she moved"),
    "needs": _("Perhaps because her needs changed"),
    "gave_back": _("Perhaps because of what she gave back"),
    "staff_left": _("Perhaps because who served her has left"),
    "ignored": _("Perhaps because nobody turned to her since she bought"),
}
"""What may have driven her away, tentatively: facts suggest it, nothing proves it."""

CAUSE_LABELS = {
    "complaint": _("Complaint"),
    "objection": _("Objection not answered"),
    "oversold": _("Sold too much"),
    "price": pgettext_lazy("cause", "Price"),
    "moved": _("Moved away"),
    "needs": _("Needs changed"),
    "gave_back": _("Gave back"),
    "staff_left": _("Staff left"),
    "ignored": _("Nobody turned to her"),
    "": _("Not known"),
}

SEGMENT_WHYS = {
    "": "",
    "fact": _("because of a new record"),
    "import": _("because of a loaded file"),
    "refresh": _("because time went by"),
    "publish": _("because the segment was saved"),
    "freeze": _("because a list was frozen"),
    "untrack": _("because the segment is followed no more"),
    "drop": _("because the segment was dropped"),
}
"""Why she entered a segment or left it."""

WARNING_ENDS = {
    "": _("Open warnings"),
    "came_back": _("Came back by herself"),
    "came_after": _("Came back after somebody reached her"),
    "lost": _("Lost to us"),
    "gone": _("No record of her own any more"),
    "replaced": _("A warning about all of her took its place"),
}


def at_risk(
    *,
    silent_days: int,
    outlook_bp: int,
    horizon_days: int,
    expected_on: dt.date | None,
    today: dt.date,
    cause: str = "",
    fired_by: str = "",
) -> str:
    """Why somebody was warned of, in one sentence with its numbers; behind it which part of the rule warned."""
    language = get_language() or "zh-hans"
    places = {
        "silent_days": silent_days,
        "horizon_days": horizon_days,
        "outlook": formats.basis_points(outlook_bp, 0),
        "expected": formats.day(expected_on, today, language) if expected_on else "",
    }
    said = " ".join(filter(None, (str(AT_RISK[expected_on is not None]) % places, fired_by)))
    return f"{said} {CHURN_CAUSES[cause]}{full_stop(language)}" if cause in CHURN_CAUSES else said


def _fired_of(numbers: Mapping[str, int | str]) -> str:
    """Said on the day's list of rules with two parts only: of the others the sentence before says enough."""
    if "latest_days" not in numbers:
        return ""
    return fired(str(numbers["fired_by"]), int(numbers["rule_threshold"]), int(numbers["latest_days"]))


def full_stop(language: str) -> str:
    return "." if language == "en" else "。"
