"""The state of the model by partitions: owned, followed, and the view that is their sum.

An owned partition is folded into and frozen by this process alone. A followed partition is owned by
another process, and its rows are set here as its changelog has them. Whatever is set takes effect
on lists with `refresh_view`, which sums up anew what waits, a bounded number of items at a time if
asked to; `apply_foreign` does both. A process that serves lists without learning follows all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.kernels.candidates import candidate_places
from stream_rec.kernels.features import n_features, n_written
from stream_rec.kernels.held import Holder
from stream_rec.kernels.sources import scan_limits
from stream_rec.kernels.workspace import Workspace, empty_workspace
from stream_rec.model.freezing import ALL_ROWS, Frozen, FrozenRows, freeze_in_parts
from stream_rec.model.growing import extended
from stream_rec.model.item_limit import ItemLimit
from stream_rec.model.items import EncodedRow, Items
from stream_rec.model.learned import nothing_learned
from stream_rec.model.lists import LIST_LENGTH_MAX
from stream_rec.model.ranking import Recipe
from stream_rec.model.rows import WEIGHTS, check_version
from stream_rec.model.solving import Solver
from stream_rec.model.users import ProfileReader, Users
from stream_rec.model.weights import Weights


class PartitionedModel:
    """Items, users and what was learned, of some of the partitions of a topic.

    Parameters
    ----------
    model : ModelSettings
    events : EventSettings
    n_partitions : int
        Of the source topic; with one, the view needs no sum of its own.
    read_only : bool
        Whether no partition will be owned: then even a single one is followed.
    read_profiles : ProfileReader, optional
        Reads the profiles store; without it all profiles stay in memory.

    Attributes
    ----------
    items : Items
    item_limit : ItemLimit
    users : Users
    weights : Weights
    """

    def __init__(
        self,
        model: ModelSettings,
        events: EventSettings,
        *,
        n_partitions: int,
        read_only: bool = False,
        read_profiles: ProfileReader | None = None,
    ) -> None:
        self._settings = model
        self.half_lives_s = half_lives_s = np.array(model.half_lives_s, np.float64)
        self._n_features = n_features(len(half_lives_s))
        self._separate = n_partitions > 1 or read_only
        self._recipe = Recipe(
            half_lives_s=half_lives_s,
            scan_limits=scan_limits(model.history_length, model.links_per_item_max),
            linked_candidates=model.linked_candidates,
            candidates_max=model.candidates_max,
            list_length=model.list_length,
            links_max=model.links_per_item_max,
            seen_max=model.seen_items_max,
            burst_max=model.user_burst_max,
            learning_rate=model.learning_rate,
            exclude_seen=model.exclude_seen,
            n_left_out=0,
            proposes_seen=not model.exclude_seen,
            silent=np.zeros(0, np.int32),
        )
        n_half_lives, n_links = len(half_lives_s), model.links_per_item_max
        self.items = Items(n_half_lives, model.n_factors, n_links, separate=self._separate)
        self._solver = Solver(self.items)
        self.item_limit = ItemLimit(self.items, model.items_per_partition_max)
        self.users = Users(
            model.history_length,
            events.duplicate_window,
            model.n_factors,
            model.users_in_memory_max,
            self.items.ids,
            read_profiles,
        )
        start = nothing_learned(self._n_features, model.n_factors, model.seed)
        self.weights = Weights(start, separate=self._separate)
        self._folded: dict[int, int] = {}
        self._holders: defaultdict[int, Holder[Any]] = defaultdict(Holder)
        self._workspace = self._new_workspace()

    def open_partition(
        self,
        partition: int,
        rows: Iterable[tuple[bytes, bytes]] = (),
        watermark: int = -1,
        *,
        refresh: bool = True,
    ) -> None:
        """Take over a partition with its item rows; profiles are read when their users come.

        A partition that was followed is so no more: the rows given are all that counts.

        Parameters
        ----------
        partition : int
        rows : iterable of (key, row)
        watermark : int
            Highest event offset that is durable as a whole, −1 if none.
        refresh : bool
            Whether to bring the view up to date; once is enough for several partitions.

        Raises
        ------
        RowFormatError
            A row cannot be read by this build or under this configuration.
        """
        encoded = list(rows)
        weights = [value for key, value in encoded if key == WEIGHTS]
        for value in weights:
            check_version(WEIGHTS, value)  # before the items' rows are loaded, which check theirs
        self.items.open_partition(partition)
        self.weights.open_partition(partition)
        self.users.open_partition(partition, watermark)
        self.items.load(partition, encoded)
        self.item_limit.recount(partition)
        for value in weights:
            self.weights.load(partition, value)
        if refresh:
            self._refresh_anew()
        self._folded[partition] = watermark

    def close_partition(self, partition: int, *, refresh: bool = True) -> None:
        """Forget everything of a partition, owned or followed; refresh the view or do not yet."""
        self._folded.pop(partition, None)
        self._holders.pop(partition, None)
        self.items.close_partition(partition)
        self.weights.close_partition(partition)
        self.users.close_partition(partition)
        if refresh:
            self._refresh_anew()

    def n_dirty(self, partition: int) -> int:
        """Return how many rows of a partition changed since they were last frozen."""
        return self.items.n_dirty(partition) + self.users.n_dirty(partition)

    def freeze(self, partition: int) -> Frozen:
        """Return all that changed; the caller makes it durable, or gives the partition up."""
        items, profiles = [], []
        for part in self.freeze_in_parts(partition, ALL_ROWS):
            items += part.items
            profiles += part.profiles
        return Frozen(partition, self._folded[partition], items, profiles)

    def freeze_in_parts(self, partition: int, rows_max: int) -> Iterator[FrozenRows]:
        """Yield all that has changed, so many item rows at a time; events may be folded in between.

        What is durable with them as a whole are the events that were folded in before the first
        part (freezing.py). The caller takes all parts, or gives the partition up.
        """
        return freeze_in_parts(
            partition, self.items, self.users, self.weights, self._folded, rows_max
        )

    # Followed partitions

    @property
    def followed(self) -> list[int]:
        """The partitions that are followed, in order."""
        return sorted(self.items.followed)

    def follow_partition(self, partition: int) -> None:
        """Begin to follow a partition: with its item rows if it was owned, else with none.

        Parameters
        ----------
        partition : int
            If owned, everything that was frozen must be durable and `n_dirty` 0: its rows are then
            what its changelog holds, and the view stays as it is. Its profiles are forgotten.

        Raises
        ------
        ValueError
            The engine was made for one partition and not for reading only.
        """
        self._holders.pop(partition, None)
        self.items.follow_partition(partition)
        self.weights.follow_partition(partition)
        if self._folded.pop(partition, None) is not None:
            self.users.close_partition(partition)

    def stage_foreign(self, partition: int, rows: Iterable[EncodedRow]) -> None:
        """Set rows of a followed partition without bringing the view up to date.

        Parameters
        ----------
        partition : int
            Followed.
        rows : iterable of (key, row or None)
            The latest valid rows of the items changelog in any order; None removes a row.

        Raises
        ------
        RowFormatError
            A row cannot be read by this build or under this configuration; no item was changed.
        """
        encoded = list(rows)
        self.items.stage(partition, encoded)
        for key, value in encoded:
            if key == WEIGHTS:
                self.weights.stage(partition, value)
        self._fit_workspace()

    def refresh_view(self, n_items_max: int | None = None) -> int:
        """Bring the view up to date with the rows that were staged.

        Parameters
        ----------
        n_items_max : int, optional
            Items to sum up at most, those that have waited longest; all if not given.

        Returns
        -------
        int
            Items that still wait; call again until it is 0.
        """
        self._fit_workspace()
        self.weights.refresh()
        items = self.items.refresh(n_items_max)
        self._solver.follow(items, n_items_max, self.weights.view.crowd, self._workspace)
        return self.items.n_waiting + self._solver.n_waiting

    def apply_foreign(self, partition: int, rows: Iterable[EncodedRow]) -> None:
        """Set rows of a followed partition; the view is the sum over all partitions afterwards."""
        self.stage_foreign(partition, rows)
        self.refresh_view()

    def sum_up(self) -> None:
        """Compute the view anew from all rows, as it is defined; factors too."""
        self._fit_workspace()
        self.items.sum_up()
        self.weights.sum_up()
        self._solve_anew(np.arange(len(self.items.ids)))

    # Inside

    def _refresh_anew(self) -> None:
        self._fit_workspace()
        self.weights.refresh()
        items = self.items.refresh()
        self._solve_anew(items if self._separate else np.arange(len(self.items.ids)))

    def _solve_anew(self, items: NDArray[np.int64]) -> None:
        self._solver.solve_anew(items, self.weights.view.crowd, self._workspace)

    def _fit_workspace(self) -> None:
        """Grow columns and marks to the number of known items."""
        self.items.reserve_items()
        workspace, n_items = self._workspace, self.items.size
        if len(workspace.marks) < n_items:
            names = "marks", "had", "source", "slim_place"
            longer = {name: extended(getattr(workspace, name), n_items) for name in names}
            self._workspace = workspace._replace(**longer)

    def _new_workspace(self) -> Workspace:
        recipe = self._recipe
        n_candidates = candidate_places(
            recipe.candidates_max, LIST_LENGTH_MAX, len(recipe.scan_limits)
        )
        return empty_workspace(
            self.items.size,
            max(int(recipe.scan_limits.sum()), recipe.links_max),
            n_candidates,
            self._n_features,
            n_written(len(recipe.half_lives_s), exclude_seen=self._settings.exclude_seen),
            self._settings.n_factors,
            recipe.linked_candidates,
        )
