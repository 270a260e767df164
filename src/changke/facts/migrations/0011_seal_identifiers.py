"""Phones, e-mail addresses and WeCom ids of an installation from before become ciphertext.

Chunk by chunk, each in its own transaction: it may be killed and begins again where it was, because what is sealed has
no value any more. Written against the tables of this moment, not against today's models.
"""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, migrations, models, transaction

from changke.foundation.database.online import AddIndexOnline, AddUniqueOnline
from changke.foundation.persons import cipher
from changke.foundation.persons.queries import forget_vault, master_keys
from changke.foundation.persons.queries import vault as open_now

CHUNK = 2_000
SEALED = ["phone", "email", "wecom"]


def seal_all(apps, schema_editor):
    with connection.cursor() as sql:
        sql.execute("SELECT EXISTS (SELECT FROM facts_identifier WHERE kind = ANY(%s) AND value IS NOT NULL)", [SEALED])
        if not sql.fetchone()[0]:
            return
    _settle()
    last = 0
    while True:
        with transaction.atomic(), connection.cursor() as sql:
            sql.execute(
                "SELECT id, customer_id, kind, value FROM facts_identifier"
                " WHERE id > %s AND kind = ANY(%s) AND value IS NOT NULL ORDER BY id LIMIT %s FOR UPDATE",
                [last, SEALED, CHUNK],
            )
            rows = sql.fetchall()
            if not rows:
                return
            _seal(sql, rows)
            last = rows[-1][0]


def _settle():
    """The fingerprint of the key goes in first: another key would be refused from now on."""
    secrets = master_keys()
    version = max(secrets)
    with connection.cursor() as sql:
        sql.execute(
            "INSERT INTO foundation_keyversion (version, fingerprint, made_at)"
            " SELECT %s, %s, now() WHERE NOT EXISTS (SELECT FROM foundation_keyversion)",
            [version, cipher.check_of(secrets[version])],
        )
    forget_vault()


def _seal(sql, rows):
    safe = open_now()
    persons = sorted({customer for _, customer, _, _ in rows})
    sql.execute(
        "INSERT INTO foundation_personkey (person_id, wrapped, version)"
        " SELECT *, %s FROM unnest(%s::bigint[], %s::bytea[]) ON CONFLICT (person_id) DO NOTHING",
        [safe.current, persons, [safe.wrap(person, cipher.new_key()) for person in persons]],
    )
    sql.execute("SELECT person_id, wrapped, version FROM foundation_personkey WHERE person_id = ANY(%s)", [persons])
    keys = {person: AESGCM(safe.unwrap(person, wrapped, version)) for person, wrapped, version in sql.fetchall()}
    sealed = [cipher.seal(keys[customer], value, f"facts_identifier|value|{pk}") for pk, customer, _, value in rows]
    blind = [safe.blind(kind, value) for _, _, kind, value in rows]
    tail = [safe.blind("phone tail", value[-4:]) if kind == "phone" else None for _, _, kind, value in rows]
    sql.execute(
        "UPDATE facts_identifier AS known SET value = NULL, sealed = new.sealed, blind = new.blind, tail = new.tail,"
        " key_version = %s"
        " FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[], %s::bigint[]) AS new (id, sealed, blind, tail)"
        " WHERE known.id = new.id",
        [safe.current, [row[0] for row in rows], sealed, blind, tail],
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("facts", "0010_sealed_identifiers"), ("foundation", "0011_keys_of_persons")]
    operations = [
        AddUniqueOnline(
            "identifier",
            models.UniqueConstraint(
                fields=["kind", "blind"], name="identifier_blind_once", condition=models.Q(blind__isnull=False)
            ),
        ),
        AddIndexOnline(
            "identifier",
            models.Index(fields=["tail", "customer"], name="identifier_tail", condition=models.Q(tail__isnull=False)),
        ),
        migrations.RunPython(seal_all, migrations.RunPython.noop, elidable=False),
    ]
