"""Letters of web shops under atheris: whatever is sent is read or refused, never a crash.

    python -m tests.fuzz.fuzz_webhooks --seconds 600

The first byte chooses source and topic, the rest is the letter. A crash is written to `corpus/webhooks`; what is there
(what crashed, and some of what found new ways) is where a run begins, and is tried by the tests (`test_letters.py`).
"""

import argparse
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.fuzz.spent import LONGER_BY, until_spent

CORPUS = Path(__file__).parent / "corpus" / "webhooks"
TOPICS = (
    ("shopify", "orders/paid"),
    ("shopify", "refunds/create"),
    ("shopify", "customers/update"),
    ("shopify", "customers/redact"),
    ("youzan", "trade_TradePaid"),
    ("youzan", "trade_refund_RefundSuccess"),
    ("standard", "facts"),
    ("shopify", "customers/data_request"),
    ("shopify", "shop/redact"),
    ("shopify", "orders/cancelled"),
    ("youzan", "trade_TradeClose"),
)


def one_input(data: bytes) -> None:
    from changke.interfaces.webhooks.sources import SOURCES  # noqa: PLC0415 -- instrumented first, where it is
    from changke.interfaces.webhooks.told import ClockOff, Unreadable, Unsigned  # noqa: PLC0415

    key, topic = TOPICS[data[0] % len(TOPICS)] if data else TOPICS[0]
    text = data[1:60].decode("latin-1")
    headers = {
        "webhook-id": text[:8], "webhook-timestamp": text[8:18], "webhook-signature": text[18:],
        "x-shopify-hmac-sha256": text, "event-sign": text, "client-id": "CID",
    }  # fmt: skip
    with suppress(Unsigned, ClockOff, Unreadable):
        SOURCES[key].verify(headers, data[1:], secrets=["whsec_QUJDRA=="], client_id="CID", now=1_700_000_000)
    try:
        told = SOURCES[key].read(topic, data[1:], currency="CNY")
    except Unreadable:
        return
    for fact in [told.purchase, *told.returns]:
        if fact is not None and not all(line["amount_minor"] >= 0 for line in fact["lines"]):
            raise AssertionError("a line below nothing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600, help="of the processor, not of the wall")
    parser.add_argument("--slowest", type=int, default=10, help="seconds for one input; more where the machine is full")
    options = parser.parse_args()
    import atheris  # noqa: PLC0415 -- only who fuzzes needs it

    with atheris.instrument_imports(include=["changke.interfaces.webhooks"]):
        import changke.interfaces.webhooks.letters  # noqa: PLC0415
        import changke.interfaces.webhooks.sources  # noqa: F401, PLC0415
    samples = Path(__file__).parents[1] / "interfaces" / "webhooks" / "samples"
    with tempfile.TemporaryDirectory() as passing:
        for number, file in enumerate(sorted(samples.glob("*.json"))):
            for topic in range(len(TOPICS)):
                (Path(passing) / f"seed-{number}-{topic}").write_bytes(bytes([topic]) + file.read_bytes())
        words = [sys.argv[0], passing, str(CORPUS), f"-max_total_time={options.seconds * LONGER_BY}", "-max_len=20000"]
        words += [f"-timeout={options.slowest}", f"-artifact_prefix={CORPUS}/", "-print_final_stats=1"]
        atheris.Setup(words, until_spent(one_input, seconds=options.seconds))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
