"""A key for every person who has something to hide; and no key any more for whoever was erased."""

import datetime as dt
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection

from changke.foundation.database.copy import array_text
from changke.foundation.persons.cipher import check_of, new_key, seal
from changke.foundation.persons.models import KeyVersion, PersonKey
from changke.foundation.persons.queries import keys_of, master_keys, open_vault, vault


def keys_for(person_ids: Sequence[int]) -> dict[int, AESGCM]:
    """Everybody's key, made where there is none yet. Of two who make one at once, both get the first."""
    known = keys_of(person_ids)
    if strangers := sorted(set(person_ids) - set(known)):
        safe = vault()
        made = {person: new_key() for person in strangers}
        wrapped = [safe.wrap(person, key) for person, key in made.items()]
        with connection.cursor() as sql:
            sql.execute(
                "INSERT INTO foundation_personkey (person_id, wrapped, version)"
                " SELECT *, %s FROM unnest(%s::bigint[], %s::bytea[]) ON CONFLICT (person_id) DO NOTHING"
                " RETURNING person_id",
                # As text: writing a list of bytes as the driver does costs more than sealing them.
                [safe.current, strangers, array_text(f"\\x{one.hex()}" for one in wrapped)],
            )
            mine = {person for (person,) in sql.fetchall()}
        known |= {person: AESGCM(made[person]) for person in mine} | keys_of([p for p in strangers if p not in mine])
    return known


def sealed_for(person_id: int, text: str, place: str) -> bytes | None:
    """One text under the person's key; nothing for an empty one."""
    return seal(keys_for([person_id])[person_id], text, place) if text else None


def destroy_keys(person_ids: Sequence[int]) -> int:
    """Whatever was sealed for them is noise from now on."""
    return PersonKey.objects.filter(person_id__in=person_ids).delete()[0]


def settle_keys(*, now: dt.datetime) -> None:
    """Write down the fingerprint of the key that this database is written with, once; refuse another key afterwards."""
    secrets = master_keys()
    open_vault(secrets)
    if not KeyVersion.objects.exists():
        version = max(secrets)
        KeyVersion.objects.create(version=version, fingerprint=check_of(secrets[version]), made_at=now)
