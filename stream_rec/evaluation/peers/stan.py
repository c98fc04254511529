"""STAN, sequence and time aware neighbourhood: how late an item, how old a session, how near in it.

    similarity(x) = Σ_{r : j_r ∈ x} e^(−r / λ₁) / √|x| · e^(−age(x) / λ₂)
    score(i)      = Σ_{x among the k most similar} similarity(x) · e^(−distance(i, j_{r_x}) / λ₃)

λ₁ is given as decay = e^(−1/λ₁) and λ₂ as a half-life.

Source: Garg, Gupta, Malhotra, Vig and Shroff, "Sequence and time aware neighborhood for
session-based recommendations", SIGIR 2019.
"""

from __future__ import annotations

import math

from stream_rec.evaluation.peers.neighbour_peer import SESSION_GAP_S, NeighbourPeer
from stream_rec.evaluation.peers.peer import PeerKind

STAN = PeerKind(
    NeighbourPeer,
    {
        "gap_s": math.inf,
        "m": 500.0,
        "k": 300.0,
        "n_latest": 20.0,
        "slope": math.inf,
        "decay": 0.75,
        "norm": 0.5,
        "half_life_s": 2_592_000.0,
        "fades": 0.0,
        "reach": 5.0,
        "idf_power": 0.0,
    },
    {
        "gap_s": (SESSION_GAP_S, math.inf),
        "m": (500.0, 1500.0),
        "k": (100.0, 300.0, 500.0),
        "decay": (0.5, 0.75, 0.9),
        "half_life_s": (86_400.0, 604_800.0, 2_592_000.0, math.inf),
        "reach": (2.0, 5.0, 20.0, math.inf),
    },
)
