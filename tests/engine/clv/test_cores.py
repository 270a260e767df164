"""Rows on every core: each block once, wherever it was done, and what goes wrong in one is said."""

import numpy as np
import pytest

from changke.engine.clv import BGNBD, cores


@pytest.mark.parametrize("worth_threads", [0, 10**9])
@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 100])
def test_each_row_is_done_once(monkeypatch: pytest.MonkeyPatch, worth_threads: int, rows: int) -> None:
    monkeypatch.setattr(cores, "WORTH_THREADS", worth_threads)
    monkeypatch.setattr(cores, "usable", lambda: 3)
    done = np.zeros(rows, int)

    def work(block: slice) -> None:
        done[block] += 1

    cores.on_every_core(work, rows, at_once=8)
    assert done.tolist() == [1] * rows


@pytest.mark.parametrize("worth_threads", [0, 10**9])
def test_what_goes_wrong_in_one_block_is_said(monkeypatch: pytest.MonkeyPatch, worth_threads: int) -> None:
    monkeypatch.setattr(cores, "WORTH_THREADS", worth_threads)

    def work(block: slice) -> None:
        if block.start == 16:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cores.on_every_core(work, 40, at_once=8)


def test_whoever_threw_no_coin_is_surely_here_and_whoever_is_long_away_surely_not() -> None:
    model = BGNBD()
    model.r, model.alpha, model.a, model.b = 0.24, 4.4, 0.79, 2.4
    assert model.p_alive([0, 500], [0, 1], [5_000, 5_000]).tolist() == [1.0, 0.0]
