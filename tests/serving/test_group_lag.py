"""The lag is what Kafka's own tools would say of the workers' group."""

from __future__ import annotations

from stream_rec.serving.group_lag import group_lag


class FakeOffsets:
    """First offset, end and committed offset of each partition."""

    def __init__(self, *partitions: tuple[int, int, int]) -> None:
        self._partitions = partitions

    def changelog_end(self, table: str, partition: int) -> int:
        raise NotImplementedError

    def events_range(self, partition: int) -> tuple[int, int]:
        return self._partitions[partition][:2]

    def committed(self, partition: int) -> int:
        return self._partitions[partition][2]


def test_the_lag_is_what_is_not_committed() -> None:
    assert group_lag(FakeOffsets((0, 100, 90), (0, 7, 7)), 2) == 10


def test_without_a_commit_all_events_that_exist_are_behind() -> None:
    assert group_lag(FakeOffsets((40, 100, -1)), 1) == 60


def test_events_deleted_before_they_were_committed_do_not_count() -> None:
    assert group_lag(FakeOffsets((40, 100, 10)), 1) == 60


def test_a_topic_made_anew_under_an_old_commit_has_no_lag() -> None:
    assert group_lag(FakeOffsets((0, 5, 90)), 1) == 0
