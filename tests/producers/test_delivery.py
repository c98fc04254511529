"""No record is lost unnoticed: what fails is counted, placed, and after too many an error."""

from __future__ import annotations

from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from producers import delivery as delivery_module
from producers.delivery import FAILURES_MAX, IN_FLIGHT_MAX, Delivery, open_producer
from producers.pacing import Pacer
from producers.recorded import RecordedEvent
from producers.replay import Replay, deliver
from stream_rec.config import KafkaSettings
from stream_rec.errors import DeliveryError, TopicError
from stream_rec.logs import LogRow


class FakeFuture:
    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def get(self) -> None:
        if self.error is not None:
            raise self.error


class FakeProducer:
    """Fails the records at given places, when sent or when acknowledged."""

    def __init__(
        self, fail_sent: set[int] = frozenset(), fail_acked: set[int] = frozenset()
    ) -> None:  # type: ignore[assignment]
        self.fail_sent, self.fail_acked = fail_sent, fail_acked
        self.n_sent = 0

    def partitions_for(self, topic: str) -> set[int]:
        return {0}

    def send(self, topic: str, **record: Any) -> FakeFuture:
        n = self.n_sent
        self.n_sent += 1
        if n in self.fail_sent:
            raise MessageSizeTooLargeError("too large")
        return FakeFuture(KafkaTimeoutError("no answer") if n in self.fail_acked else None)

    def flush(self) -> None:
        pass


def events(n_events: int) -> Any:
    return (RecordedEvent(n, LogRow("u", "i", "view"), None) for n in range(n_events))


@pytest.mark.parametrize("failed", range(10))
@pytest.mark.parametrize("moment", ["fail_sent", "fail_acked"])
def test_any_failed_record_is_counted_and_replay_resumes_there(
    failed: int, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery = Delivery(FakeProducer(**{moment: {failed, 9}}), "events")  # type: ignore[arg-type]
    n_failed = len({failed, 9})
    assert deliver(Replay(0), events(10), delivery, Pacer()) == 1
    assert (delivery.n_acknowledged, delivery.n_failed) == (10 - n_failed, n_failed)
    output = capsys.readouterr()
    assert f"{n_failed} errors" in output.out
    assert f"resume with --from-offset {failed}\n" in output.err


def test_too_many_failures_stop_the_replay(capsys: pytest.CaptureFixture[str]) -> None:
    n_events = FAILURES_MAX * 2
    producer = FakeProducer(fail_sent=set(range(n_events)))
    assert deliver(Replay(0), events(n_events), Delivery(producer, "events"), Pacer()) == 1
    assert producer.n_sent == FAILURES_MAX
    assert "mend the cause and resume" in capsys.readouterr().err


def test_records_in_flight_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_module, "IN_FLIGHT_MAX", 5)
    assert IN_FLIGHT_MAX > 5
    delivery = Delivery(FakeProducer(), "events")
    for n in range(20):
        delivery.send(n, b"u", b"{}")
        assert n + 1 - delivery.n_acknowledged < 5
    delivery.drain()
    assert delivery.n_acknowledged == 20


def test_interrupted_replay_waits_for_what_was_sent() -> None:
    def interrupted() -> Any:
        yield from events(3)
        raise KeyboardInterrupt

    delivery = Delivery(FakeProducer(), "events")
    assert deliver(Replay(0), interrupted(), delivery, Pacer()) == 130
    assert delivery.n_acknowledged == 3


def test_missing_topic_is_an_error_that_says_how_to_create_it() -> None:
    producer = FakeProducer()
    producer.partitions_for = lambda topic: set()  # type: ignore[method-assign]
    with pytest.raises(TopicError, match=r"expected topic events to exist.*stream-rec topics"):
        Delivery(producer, "events")


def test_unknown_state_of_the_topic_is_an_error() -> None:
    producer = FakeProducer()
    producer.partitions_for = _time_out  # type: ignore[method-assign]
    with pytest.raises(DeliveryError, match="broker is up"):
        Delivery(producer, "events")


def test_broker_that_does_not_answer_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery_module, "KafkaProducer", _time_out)
    broker = KafkaSettings(broker="kafka:9092")
    with (
        pytest.raises(DeliveryError, match=r"expected a Kafka broker at kafka:9092.*--broker"),
        open_producer(broker),
    ):
        pytest.fail("a producer came without a broker")


def _time_out(*_: Any, **__: Any) -> Any:
    raise KafkaTimeoutError("no answer")
