"""The computed row of somebody who was erased. Derived, so nothing is lost that the facts do not say."""

from collections.abc import Sequence

from changke.profiles.attributes.models import Profile


def forget_profiles(customer_ids: Sequence[int]) -> int:
    return Profile.objects.filter(customer_id__in=customer_ids).delete()[0]
