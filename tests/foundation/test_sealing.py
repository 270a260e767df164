"""Who can read a phone number: keys, seals, indexes. docs/algorithms/encryption.md."""

import hmac
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import IntegrityError, connection
from hypothesis import given
from hypothesis import strategies as st

from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.queries import by_phone, known_as, phone_of, phones_of, values_of, with_phone_tail
from changke.facts.customers.services.meet import add_identifiers, reference
from changke.foundation.persons import cipher, queries
from changke.foundation.persons.cipher import BrokenSeal, UnreadableKeys, Vault, new_key, seal, unseal
from changke.foundation.persons.models import KeyVersion, PersonKey
from changke.foundation.persons.queries import NoMasterKey, SealBroken, WrongMasterKey, forget_vault, vault
from changke.foundation.persons.services.keys import destroy_keys, keys_for, settle_keys
from tests.cast import NOW, Cast

KEY = AESGCM(bytes(32))


@pytest.fixture(autouse=True)
def _fresh_vault() -> Iterator[None]:
    forget_vault()
    yield
    forget_vault()


# Pure


@given(st.text(), st.text())
def test_what_was_sealed_opens_at_its_place_only(text: str, elsewhere: str) -> None:
    sealed = seal(KEY, text, "facts_identifier|value|7")
    assert unseal(KEY, sealed, "facts_identifier|value|7") == text
    if elsewhere != "facts_identifier|value|7":
        with pytest.raises(BrokenSeal):
            unseal(KEY, sealed, elsewhere)


def test_the_same_text_is_never_the_same_ciphertext() -> None:
    assert len({seal(KEY, "+8613800000001", "p") for _ in range(50)}) == 50


@pytest.mark.parametrize("place", range(1, 43))
def test_no_byte_of_a_seal_can_be_changed(place: int) -> None:
    sealed = bytearray(seal(KEY, "+8613800000001", "p"))
    sealed[place] ^= 1
    with pytest.raises(BrokenSeal):
        unseal(KEY, bytes(sealed), "p")


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\x02" + bytes(40), bytes(10)])
def test_what_is_no_seal_does_not_open(junk: bytes) -> None:
    with pytest.raises(BrokenSeal):
        unseal(KEY, junk, "p")


def test_keys_are_written_and_read() -> None:
    keys = {1: new_key(), 12: new_key()}
    assert cipher.read_keys(cipher.write_keys(keys)) == keys
    assert cipher.read_keys(cipher.write_keys(keys).replace("\n", ",")) == keys


@pytest.mark.parametrize("text", ["1", "1 short", "one AAAA", "1 !!!!", f"x {'A' * 43}="])
def test_a_key_file_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(UnreadableKeys):
        cipher.read_keys(text)


def test_kinds_and_versions_have_indexes_of_their_own() -> None:
    safe = Vault({1: bytes(32), 2: bytes([1] * 32)}, [1, 2])
    same = {safe.blind(kind, "7831", version) for kind in ("phone", "email", "phone tail") for version in (1, 2)}
    assert len(same) == 6
    assert safe.blinds("phone", "7831") == [safe.blind("phone", "7831", 1), safe.blind("phone", "7831")]


@pytest.mark.parametrize("value", ["", "+8613800007831", "张" * 100])
def test_an_index_is_the_beginning_of_an_hmac(value: str) -> None:
    digest = hmac.digest(cipher.derive(bytes(32), "index phone"), value.encode(), "sha256")
    assert Vault({1: bytes(32)}, [1]).blind("phone", value) == int.from_bytes(digest[:8], "big", signed=True)


# In the database


def raw(statement: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as sql:
        sql.execute(statement, values)
        return list(sql.fetchall()) if sql.description else []


@pytest.mark.django_db
def test_no_table_holds_a_phone_or_an_address_in_clear(cast: Cast) -> None:
    add_identifiers(cast.vera, [reference("email", "vera@example.com"), reference("wecom", "wm-vera-1")])
    tables = [name for (name,) in raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for table in tables:
        for (row,) in raw(f"SELECT t::text FROM {table} AS t"):
            for secret in ("13800000003", "vera@example.com", "wm-vera-1"):
                assert secret not in str(row), table
                assert secret.encode().hex() not in str(row), table


@pytest.mark.django_db
def test_a_phone_is_found_whole_and_by_its_end(cast: Cast) -> None:
    assert by_phone("138 0000 0003") == cast.vera
    assert known_as("+86 138-0000-0003") == [cast.vera.pk]
    assert with_phone_tail("0003") == [cast.vera.pk]
    assert known_as("1380000") == []
    assert phone_of(cast.vera) == "+8613800000003"


@pytest.mark.django_db
def test_addresses_and_platform_ids_are_found_whole(cast: Cast) -> None:
    add_identifiers(cast.vera, [reference("email", "Vera@Example.com"), reference("wecom", "wm-vera-1")])
    assert known_as("VERA@example.com") == known_as("wm-vera-1") == [cast.vera.pk]
    assert known_as("vera@") == known_as("wm-vera") == []


@pytest.mark.django_db
def test_a_ciphertext_moved_to_another_row_is_refused(cast: Cast) -> None:
    """Who can write to the database cannot show one customer's phone on another's page."""
    hers = Identifier.objects.get(customer=cast.vera)
    other = Identifier.objects.get(customer=cast.mo)
    raw("UPDATE facts_identifier SET sealed = %s WHERE id = %s", hers.sealed, other.pk)
    with pytest.raises(SealBroken):
        phone_of(cast.mo)
    raw("UPDATE facts_identifier SET customer_id = %s WHERE id = %s", cast.mo.pk, hers.pk)
    with pytest.raises(SealBroken):
        values_of([Identifier.objects.get(pk=hers.pk)])


@pytest.mark.django_db
def test_a_wrapped_key_moved_to_another_person_is_refused(cast: Cast) -> None:
    raw(
        "UPDATE foundation_personkey SET wrapped = (SELECT wrapped FROM foundation_personkey WHERE person_id = %s)"
        " WHERE person_id = %s",
        cast.vera.pk,
        cast.mo.pk,
    )
    with pytest.raises(SealBroken):
        phones_of([cast.mo.pk])


@pytest.mark.django_db
def test_a_value_stands_in_clear_or_sealed_never_both(cast: Cast) -> None:
    with pytest.raises(IntegrityError):
        Identifier.objects.create(customer=cast.vera, kind="phone", value="+8613800000003", blind=1)


@pytest.mark.django_db
def test_without_her_key_nothing_of_hers_can_be_read(cast: Cast) -> None:
    destroy_keys([cast.vera.pk])
    assert phone_of(cast.vera) == ""
    assert set(values_of(Identifier.objects.filter(customer=cast.vera)).values()) == {""}
    assert phone_of(cast.mo) == "+8613800000004"


@pytest.mark.django_db
def test_a_person_gets_one_key_however_often_it_is_asked_for(cast: Cast) -> None:
    before = bytes(PersonKey.objects.get(person_id=cast.vera.pk).wrapped)
    assert set(keys_for([cast.vera.pk, cast.mo.pk, 10**12])) == {cast.vera.pk, cast.mo.pk, 10**12}
    assert bytes(PersonKey.objects.get(person_id=cast.vera.pk).wrapped) == before


@pytest.mark.django_db
def test_a_wrong_master_key_is_refused_before_anything_is_written_with_it(
    cast: Cast, settings: pytest.FixtureRequest
) -> None:
    settle_keys(now=NOW)
    settings.MASTER_KEY = cipher.write_keys({1: new_key()})  # type: ignore[attr-defined]
    forget_vault()
    with pytest.raises(WrongMasterKey):
        vault()
    with pytest.raises(WrongMasterKey):
        settle_keys(now=NOW)
    with pytest.raises(WrongMasterKey):
        phone_of(cast.vera)


@pytest.mark.django_db
def test_without_a_master_key_the_house_says_what_to_do(settings: pytest.FixtureRequest, tmp_path: object) -> None:
    settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", tmp_path / "none"  # type: ignore[attr-defined, operator]
    with pytest.raises(NoMasterKey, match="keys restore"):
        vault()


@pytest.mark.django_db
def test_the_fingerprint_is_written_once(cast: Cast) -> None:
    settle_keys(now=NOW)
    settle_keys(now=NOW)
    assert KeyVersion.objects.count() == 1
    assert Customer.objects.count() == 6
    assert queries.vault().current == 1
