"""Choose a peer's parameters on the beginning of a log, with Optuna (an optional extra).

The defaults stay where no trial is better, so nothing gets worse on the part that was tuned on. The
rest of the log has no say; the peer is then run over the whole log like everything else.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Literal

from stream_rec.cli.evaluation.progress import show_steps
from stream_rec.cli.evaluation.timing import PREQUENTIAL, SPLIT, new_peer
from stream_rec.errors import ConfigError
from stream_rec.evaluation.baselines import Baseline
from stream_rec.evaluation.columns import LogColumns
from stream_rec.evaluation.metrics import rank_metrics
from stream_rec.evaluation.peers import PEERS, Parameters

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.samplers import BaseSampler

SearchName = Literal["tpe", "random", "grid"]
TUNED_SHARE = 0.2
"""Part of the log, from its beginning, that parameters are chosen on."""
SEED = 0


def tune(
    baseline: Baseline,
    log: LogColumns,
    k: int,
    search: SearchName,
    n_trials: int,
    protocol: str = PREQUENTIAL,
) -> Baseline:
    """Return the baseline with the parameters of the best hit rate on the beginning of the log.

    The protocol is the same as in the evaluation; of `split`, all before the test is the beginning,
    and the validation decides.

    Parameters
    ----------
    baseline : Baseline
        As it is returned if nothing can be chosen about it.
    log : LogColumns
    k : int
        The hit rate that decides.
    search : {"tpe", "random", "grid"}
    n_trials : int
        Runs over the beginning of the log.
    protocol : str

    Raises
    ------
    ConfigError
        Optuna is not installed.
    """
    kind = PEERS[baseline.peer]
    free = {name: kind.choices[name] for name in kind.choices if name not in baseline.fixed}
    if not free:
        return baseline
    optuna = import_optuna()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    beginning = log
    if protocol != SPLIT:
        beginning = log.first(max(int(len(log.user) * TUNED_SHARE), 1))
    study = optuna.create_study(direction="maximize", sampler=_sampler(search, free))

    def hit_rate_of(parameters: Parameters) -> float:
        peer, scored = new_peer(baseline.peer, parameters, beginning, protocol, is_test=False)
        for _ in peer.run():
            pass
        return rank_metrics(peer.rank[scored.is_scored], k)["hr"]

    with show_steps(f"tuning {baseline.name}") as steps:

        def hit_rate(trial: Trial) -> float:
            chosen = {name: trial.suggest_categorical(name, free[name]) for name in free}
            steps.update(trial.number * len(beginning.user), trial.number / n_trials)
            return hit_rate_of({**baseline.parameters, **chosen})

        study.optimize(hit_rate, n_trials=n_trials)
        default = hit_rate_of(baseline.parameters)
    if default >= study.best_value:
        return baseline._replace(tuned=True)
    return baseline._replace(parameters={**baseline.parameters, **study.best_params}, tuned=True)


def _sampler(search: SearchName, free: dict[str, tuple[float, ...]]) -> BaseSampler:
    from optuna.samplers import GridSampler, RandomSampler, TPESampler

    if search == "grid":
        return GridSampler(free, seed=SEED)
    return RandomSampler(seed=SEED) if search == "random" else TPESampler(seed=SEED)


def import_optuna() -> ModuleType:
    """Return Optuna's module.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "expected Optuna for --tune, found none; pip install 'stream-rec[tune]'"
        ) from None
    return optuna
