"""A page or route of which nobody said whom it lets in, lets in everybody."""

from changke.interfaces import permissions


def test_every_page_and_route_needs_a_capability_or_says_why_none() -> None:
    assert permissions.undeclared() == [], (
        "name the capability in the view: `@needs(Capability.X)` on a page, `actor(request).scope_for(Capability.X)` "
        "in a route; or say in `permissions.OPEN` why whoever is logged in may come"
    )


def test_no_reason_outlives_its_door() -> None:
    known = {door.name for door in (*permissions.pages(), *permissions.routes())}
    assert set(permissions.OPEN) <= known


def test_what_is_open_before_the_log_in_is_written_down_here() -> None:
    """One line more in this list is one page more that a stranger reaches."""
    assert {door.name for door in permissions.pages() if door.open} == {
        "choose_language",
        "device",
        "login",
        "login-code",
        "member",
        "reset",
        "setup",
        "webhook",
    }
