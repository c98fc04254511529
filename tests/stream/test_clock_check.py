"""A clock far from Kafka's stops the worker; delays and topics without Kafka's time do not."""

from __future__ import annotations

import math
from typing import NamedTuple

import confluent_kafka
import pytest

from stream_rec.stream.clock_check import ClockCheck, ClockError

NOW_S = 1_700_000_000.0


class Acknowledged(NamedTuple):
    kind: int
    at_ms: int

    def timestamp(self) -> tuple[int, int]:
        return self


def check(broker_s: float, kind: int = confluent_kafka.TIMESTAMP_LOG_APPEND_TIME) -> ClockCheck:
    clock = ClockCheck(60.0, lambda: NOW_S)
    clock.look(Acknowledged(kind, int(broker_s * 1_000)))
    return clock


@pytest.mark.parametrize(("ahead_s", "direction"), [(61.0, "ahead"), (-7_200.0, "behind")])
def test_clock_far_off_is_refused_with_its_mend(ahead_s: float, direction: str) -> None:
    with pytest.raises(ClockError, match=rf"{direction}.*timedatectl set-ntp true"):
        check(NOW_S - ahead_s).raise_if_far_off()


def test_delays_and_unknown_times_are_no_reason() -> None:
    ClockCheck(60.0).raise_if_far_off()
    check(NOW_S - 10.0).raise_if_far_off()
    check(NOW_S - 9_999.0, confluent_kafka.TIMESTAMP_CREATE_TIME).raise_if_far_off()


def test_a_clock_that_says_nothing_is_not_noted() -> None:
    clock = ClockCheck(math.inf, lambda: NOW_S)
    clock.look(Acknowledged(confluent_kafka.TIMESTAMP_LOG_APPEND_TIME, 3_000))
    clock.raise_if_far_off()
    assert clock.skew_s is None
