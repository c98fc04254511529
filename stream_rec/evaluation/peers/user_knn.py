"""User-based nearest neighbours, incremental: what the users most like this one have taken.

    similarity(v) = |items of both among the L latest of u| / √|v|
    score(i)      = Σ_{v among the k most similar with i} similarity(v)

over the last m takers of each item; √|u| is the same for all v and left out.

Source: Papagelis, Rousidis, Plexousakis and Theoharopoulos, "Incremental collaborative filtering
for highly-scalable recommendation algorithms", ISMIS 2005.
"""

from __future__ import annotations

import math

from stream_rec.evaluation.peers.neighbour_peer import NeighbourPeer
from stream_rec.evaluation.peers.peer import PeerKind

USER_KNN = PeerKind(
    NeighbourPeer,
    {
        "gap_s": math.inf,
        "m": 500.0,
        "k": 100.0,
        "n_latest": 50.0,
        "slope": math.inf,
        "decay": 1.0,
        "norm": 0.5,
        "half_life_s": math.inf,
        "fades": 0.0,
        "reach": math.inf,
        "idf_power": 0.0,
    },
    {
        "k": (30.0, 100.0, 300.0),
        "n_latest": (10.0, 20.0, 50.0, 100.0),
        "norm": (0.0, 0.25, 0.5, 0.75),
        "decay": (0.8, 0.9, 0.97, 1.0),
    },
)
