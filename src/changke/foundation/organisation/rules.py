"""The paths of the tree: pure text, so that a move can be thought through without a database."""

TOP = "/"
DEEPEST = 20
"""Levels of regions below the chain. No chain has more than five or six; a tree without an end is a mistake."""


def path_of(region_id: int, parent_path: str) -> str:
    return f"{parent_path}{region_id}/"


def depth(path: str) -> int:
    """How many regions lie on the way; 0 is the chain."""
    return path.count("/") - 1


def is_below(path: str, node: str) -> bool:
    """Whether the path is the node's own or leads through it."""
    return path.startswith(node)


def moved(path: str, *, old: str, new: str) -> str:
    """The path of what hangs below `old` when that becomes `new`."""
    assert is_below(path, old)
    return new + path[len(old) :]
