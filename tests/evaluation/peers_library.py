"""Peers as the libraries have them that users would take: river and implicit."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import threadpoolctl
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from stream_rec.evaluation.columns import LogColumns
from tests.evaluation.peers_slow import Scores, SlowPeer


class SlowBiasedMf(SlowPeer):
    """River's own, started from the factors that the peer starts from."""

    def run(self, log: LogColumns) -> list[int]:
        from river import optim, reco

        p, random = self.parameters, np.random.default_rng(0)
        n_factors = int(p["n_factors"])
        self.model = reco.BiasedMF(
            n_factors=n_factors,
            bias_optimizer=optim.SGD(p["learning_rate_bias"]),
            latent_optimizer=optim.SGD(p["learning_rate_factors"]),
            l2_bias=p["reg"],
            l2_latent=p["reg"],
        )
        self.predicted: list[float] = []
        self.value = iter(log.value.tolist())
        starts = [
            random.normal(0.0, 0.1, (len(ids), 1 + n_factors)) for ids in (log.users, log.items)
        ]
        for latents, start in zip(
            (self.model.u_latents, self.model.i_latents), starts, strict=True
        ):
            for x, row in enumerate(start):
                latents[str(x)] = row[1:].copy()
        return super().run(log)

    def learn(self, user: int, item: int, time_s: float, is_scored: bool) -> None:
        value = next(self.value)
        if math.isfinite(value):
            self.predicted.append(self.model.predict_one(str(user), str(item)))
            self.model.learn_one(str(user), str(item), y=value)

    def scores(self, user: int, now_s: float) -> Scores:
        known = dict.fromkeys(item for _, item, _, _ in self.past)
        return {item: self.model.predict_one(str(user), str(item)) for item in known}


class SlowBatch(SlowPeer):
    """What implicit itself recommends, trained on the events before the latest due moment."""

    nothing = -math.inf

    def run(self, log: LogColumns) -> list[int]:
        self.log = log
        return super().run(log)

    def due(self) -> int:
        """Return the number of events that the batch has learned."""
        p, time_s = self.parameters, self.log.time_s
        return max(
            e
            for e in range(len(self.past) + 1)
            if e == 0
            or e % p["every_events"] == 0
            or time_s[e] // p["every_s"] != time_s[e - 1] // p["every_s"]
        )

    @functools.cache  # noqa: B019
    def trained(self, n_events: int) -> tuple[Any, csr_matrix]:
        learned = [(u, i) for u, i, _, positive in self.past[:n_events] if positive]
        users, items = zip(*learned, strict=True)
        taken = csr_matrix(
            (np.ones(len(learned), np.float32), (users, items)),
            (len(self.log.users), len(self.log.items)),
        )
        p = self.parameters
        with threadpoolctl.threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=int(p["n_factors"]),
                regularization=p["reg"],
                alpha=p["alpha"],
                iterations=int(p["n_iterations"]),
                random_state=0,
            )
            model.fit(taken, show_progress=False)
        return model, taken

    def scores(self, user: int, now_s: float) -> Scores:
        known = dict.fromkeys(item for _, item, _, _ in self.past)
        due = self.due()
        if user not in {u for u, _, _, positive in self.past[:due] if positive}:
            return dict.fromkeys(known, 0.0)
        model, taken = self.trained(due)
        found = model.recommend(
            user, taken[user], N=len(self.log.items), filter_already_liked_items=False
        )
        met = {i for _, i, _, positive in self.past[:due] if positive}
        return {i: s for i, s in zip(*(x.tolist() for x in found), strict=True) if i in met}
