"""VMIS-kNN, the algorithm of Serenade: sessions that share the latest items, those weighing most.

    similarity(x) = Σ_{r : j_r ∈ x} (1 − r / L)
    score(i)      = Σ_{x among the k most similar} similarity(x) · (1 − 0.1 (r_x + 1)) · idf(i)

over the last m sessions of each of the L latest items (`neighbours` has the formulas). Its index is
rebuilt offline in Serenade and kept up event by event here.

Source: Kersbergen, Sprangers and Schelter, SIGMOD 2022.
"""

from __future__ import annotations

import math

from stream_rec.evaluation.peers.neighbour_peer import SESSION_GAP_S, NeighbourPeer
from stream_rec.evaluation.peers.peer import PeerKind

VMIS_KNN = PeerKind(
    NeighbourPeer,
    {
        "gap_s": math.inf,
        "m": 500.0,
        "k": 100.0,
        "n_latest": 10.0,
        "slope": 10.0,
        "decay": 1.0,
        "norm": 0.0,
        "half_life_s": math.inf,
        "fades": 1.0,
        "reach": math.inf,
        "idf_power": 1.0,
    },
    {
        "gap_s": (SESSION_GAP_S, math.inf),
        "m": (100.0, 500.0, 1500.0),
        "k": (50.0, 100.0, 300.0),
        "slope": (3.0, 5.0, 10.0),
        "idf_power": (0.0, 0.5, 1.0),
    },
)
