"""What each peer has to agree with: a slow, obvious version, or the library's own."""

from __future__ import annotations

from collections.abc import Callable

from tests.evaluation.peers_library import SlowBatch, SlowBiasedMf
from tests.evaluation.peers_slow import (
    SlowIsgd,
    SlowItemKnn,
    SlowNeighbours,
    SlowPeer,
    SlowPopularity,
    SlowSequentialRules,
)

SLOW_PEERS: dict[str, Callable[..., SlowPeer]] = {
    "popularity": SlowPopularity,
    "item_knn": SlowItemKnn,
    "transitions": SlowSequentialRules,
    "sequential_rules": SlowSequentialRules,
    "user_knn": SlowNeighbours,
    "v_sknn": SlowNeighbours,
    "vmis_knn": SlowNeighbours,
    "stan": SlowNeighbours,
    "isgd": SlowIsgd,
    "biased_mf": SlowBiasedMf,
    "als": SlowBatch,
}
