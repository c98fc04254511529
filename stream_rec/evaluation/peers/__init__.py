"""Peers: models of the literature, tested on the same events as the engine; one a file.

peer = PEERS["item_knn"].make(log, PEERS["item_knn"].defaults)
for n_done in peer.run(): ...
peer.rank
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stream_rec.evaluation.peers.biased_mf import BIASED_MF
from stream_rec.evaluation.peers.isgd import ISGD
from stream_rec.evaluation.peers.item_knn import ITEM_KNN
from stream_rec.evaluation.peers.matrix_factors import ALS, BPR
from stream_rec.evaluation.peers.peer import Parameters, Peer, PeerKind
from stream_rec.evaluation.peers.popularity import POPULARITY
from stream_rec.evaluation.peers.sequential_rules import SEQUENTIAL_RULES, TRANSITIONS
from stream_rec.evaluation.peers.stan import STAN
from stream_rec.evaluation.peers.user_knn import USER_KNN
from stream_rec.evaluation.peers.v_sknn import V_SKNN
from stream_rec.evaluation.peers.vmis_knn import VMIS_KNN

__all__ = ["PEERS", "Parameters", "Peer", "PeerKind"]

PEERS: Mapping[str, PeerKind] = MappingProxyType(
    {
        "popularity": POPULARITY,
        "item_knn": ITEM_KNN,
        "transitions": TRANSITIONS,
        "sequential_rules": SEQUENTIAL_RULES,
        "user_knn": USER_KNN,
        "v_sknn": V_SKNN,
        "vmis_knn": VMIS_KNN,
        "stan": STAN,
        "isgd": ISGD,
        "biased_mf": BIASED_MF,
        "als": ALS,
        "bpr": BPR,
    }
)
"""By the name they have on the command line and in reports."""
