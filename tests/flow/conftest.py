import pytest

from tests.cast import NOW, Cast, assemble
from tests.clock import Clock


@pytest.fixture
def shop(transactional_db: None) -> Cast:
    """The cast, committed: what follows the facts reads only what is committed."""
    return assemble()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, NOW)
