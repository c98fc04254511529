"""A worker that stood still publishes nothing before its group has said that it is a member."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.settings import KafkaSettings, TopicSettings
from stream_rec.stream.clock_check import ClockCheck
from stream_rec.stream.fence import FencedError
from stream_rec.stream.kafka_effects import KafkaEffects
from stream_rec.stream.membership import Membership, clock_s, pause_s_max

PAUSE_S_MAX = 2.0


class Group:
    """Answers as told, and notes how often it was asked."""

    def __init__(self, *answers: bool) -> None:
        self.now_s = 100.0
        self.n_asked = 0
        self.pauses_while_asked_s: list[float] = []
        self._answers = list(answers)
        self.membership = Membership(PAUSE_S_MAX, self.ask, lambda: self.now_s)

    async def ask(self) -> bool:
        self.n_asked += 1
        if self.pauses_while_asked_s:
            self.now_s += self.pauses_while_asked_s.pop()
        return self._answers.pop(0)


class SentLists:
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []

    async def send(self, topic: str, key: bytes, *_: object) -> None:
        self.keys.append(key)


def effects_of(group: Group, sent: SentLists) -> KafkaEffects:
    unused = cast(Any, None)
    clock = ClockCheck(60.0)
    return KafkaEffects(
        TopicSettings(), cast(Any, sent), unused, unused, unused, clock, group.membership
    )


async def publish(group: Group, sent: SentLists, keys: Iterable[bytes]) -> None:
    effects = effects_of(group, sent)
    for key in keys:
        await effects.publish("recommendations", key, b"{}", [])


async def test_zombie_publishes_nothing_once_it_wakes() -> None:
    group, sent = Group(False, False), SentLists()
    await publish(group, sent, [b"u1"])
    group.now_s += 3.0
    for _ in range(2):  # refused once, it stays refused
        with pytest.raises(FencedError, match=r"at most 2 s .* came 3\.0 s"):
            await publish(group, sent, [b"u2", b"u3"])
    assert sent.keys == [b"u1"]


async def test_a_member_goes_on_once_it_is_confirmed() -> None:
    group, sent = Group(True), SentLists()
    group.now_s += 3.0
    await publish(group, sent, [b"u1", b"u2"])
    assert (sent.keys, group.n_asked) == ([b"u1", b"u2"], 1)


async def test_a_pause_while_it_asks_is_one_more_reason_to_ask() -> None:
    group = Group(True, False)
    group.pauses_while_asked_s = [5.0]
    group.now_s += 3.0
    with pytest.raises(FencedError):
        await group.membership.confirm()
    assert group.n_asked == 2


@given(st.lists(st.floats(0.0, 4.0), min_size=1, max_size=20))
def test_one_long_pause_is_enough_and_short_ones_never_are(pauses_s: list[float]) -> None:
    group = Group()
    for pause_s in pauses_s:
        group.now_s += pause_s
        is_sure = group.membership.is_sure()
    # The clock adds up, so each pause is what is left of it in a float.
    assert is_sure or max(pauses_s) > PAUSE_S_MAX - 1e-9
    assert not is_sure or max(pauses_s) < PAUSE_S_MAX + 1e-9


def test_what_is_handed_over_after_the_longest_pause_is_settled_within_the_session() -> None:
    kafka = KafkaSettings(session_timeout_s=9.0, delivery_timeout_ms=6_500)
    assert pause_s_max(kafka) + 6.5 == 9.0


def test_the_clock_goes_on() -> None:
    assert clock_s() <= clock_s()
