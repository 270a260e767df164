"""The demo chain: an invented world becomes the facts of this installation."""

from changke.interfaces.demo.load import create_demo
from changke.interfaces.demo.logins import Login, kept_logins

__all__ = ["Login", "create_demo", "kept_logins"]
