"""The demo chain: an invented world becomes the facts of this installation."""

from changke.interfaces.demo.load import Login, create_demo

__all__ = ["Login", "create_demo"]
