"""V-SKNN, vector multiplication session kNN: the later an item in the session, the more it weighs.

    similarity(x) = Σ_{r : j_r ∈ x} (1 − r / L) / √|x|
    score(i)      = Σ_{x among the k most similar} similarity(x) / (r_x + 1)

over the last m sessions of each of the session's L items (`neighbours` has the formulas);
session-rec takes the last m of all sessions that share an item.

Source: Ludewig and Jannach, "Evaluation of session-based recommendation algorithms", UMUAI 2018;
with the choices of session-rec (cosine, weighting and score "div").
"""

from __future__ import annotations

import math

from stream_rec.evaluation.peers.neighbour_peer import SESSION_GAP_S, NeighbourPeer
from stream_rec.evaluation.peers.neighbours import (
    FADES_INVERSELY,
    FADES_LINEARLY,
    FADES_NOT,
)
from stream_rec.evaluation.peers.peer import PeerKind

V_SKNN = PeerKind(
    NeighbourPeer,
    {
        "gap_s": math.inf,
        "m": 1000.0,
        "k": 100.0,
        "n_latest": 30.0,
        "slope": 0.0,
        "decay": 1.0,
        "norm": 0.5,
        "half_life_s": math.inf,
        "fades": float(FADES_INVERSELY),
        "reach": math.inf,
        "idf_power": 0.0,
    },
    {
        "gap_s": (SESSION_GAP_S, math.inf),
        "m": (500.0, 1000.0, 2500.0),
        "k": (50.0, 100.0, 500.0, 1500.0),
        "slope": (0.0, 10.0),
        "fades": (float(FADES_NOT), float(FADES_LINEARLY), float(FADES_INVERSELY)),
        "idf_power": (0.0, 1.0),
    },
)
