"""The segments of the demo: what a chain of beauty shops asks every week."""

import datetime as dt

from changke.foundation.audit.rules import system
from changke.profiles.segments.models import Segment
from changke.profiles.segments.services.save import save_segment

BY = system("changke demo")
SEGMENTS = (
    ("dear_and_silent", "沉睡的高价值客户", "silent_days >= 60 and value_group = high"),
    ("second_visit", "首单后还没来第二次", "visit_days = 1 and silent_days >= 14 and silent_days <= 60"),
    (
        "sensitive_facial",
        "敏感肌做面部",
        'custom.skin = "敏感" and count(purchase of category "面部护理" in 180 days) >= 1',
    ),
    (
        "overdue_reachable",
        "到期未到店且可发短信",
        "overdue_days >= 14 and silent_days < 180 and consent has marketing by sms",
    ),
    (
        "complained_and_gone",
        "投诉后没再来",
        'count(event "complaint.received" in 365 days) >= 1'
        ' and not sequence(event "complaint.received" then visit within 90 days in 365 days)',
    ),
)
"""Key, name, what is asked."""


def save_segments(*, now: dt.datetime) -> int:
    """Save those that are not there yet; how many were. After the first computation, so that they have members."""
    known = set(Segment.objects.values_list("key", flat=True))
    new = [one for one in SEGMENTS if one[0] not in known]
    for key, name, text in new:
        save_segment(None, name=name, text=text, key=key, by=BY, now=now)
    return len(new)
