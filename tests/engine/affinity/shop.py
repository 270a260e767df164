"""Small shops for the tests of affinity."""

import numpy as np

from changke.engine.affinity import Lines

Had = list[tuple[str, str, int]]  # who, what, on which day of 2026
FIRST = np.datetime64("2026-01-01")


def frame(had: Had) -> dict[str, np.ndarray]:
    return {
        "customer_id": np.array([who for who, _, _ in had], dtype=object),
        "item_id": np.array([what for _, what, _ in had], dtype=object),
        "date": np.array([FIRST + np.timedelta64(day, "D") for _, _, day in had], dtype="datetime64[D]"),
    }


def lines(had: Had, *, end: int = 200) -> Lines:
    return Lines.read(frame(had), observation_end=FIRST + np.timedelta64(end, "D"))


def salon(seed: int = 1, *, customers: int = 400, days: int = 365) -> dict[str, np.ndarray]:
    """A salon where things are planted: facials every 30 days, colour every 60, a mask goes with a facial, men come for
    cuts, and one thing is new since a month."""
    draw = np.random.default_rng(seed)
    had: Had = []
    for customer in range(customers):
        who, likes_faces = f"c{customer:04}", customer % 2 == 0
        favourite, gap = ("facial", 30) if likes_faces else ("cut", 25)
        if customer % 10 == 1:
            favourite, gap = "colour", 60
        for day in range(int(draw.integers(0, gap)), days, gap):
            if draw.random() < 0.85:
                had.append((who, favourite, day))
                if favourite == "facial" and draw.random() < 0.5:
                    had.append((who, "mask", day))
                if draw.random() < 0.1:
                    had.append((who, f"rare {draw.integers(0, 40):02}", day))
        if draw.random() < 0.3:
            had.append((who, "scalp care", int(draw.integers(days - 30, days))))
    return frame(had)
