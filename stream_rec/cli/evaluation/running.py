"""One evaluation from the loaded log to its findings: the engine, then the baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stream_rec.cli.evaluation.loaded import LoadedLog, cleaning_lines, log_summary
from stream_rec.cli.evaluation.memory import memory_bytes
from stream_rec.cli.evaluation.timing import (
    Plan,
    new_run,
    run_timed,
    score_baseline,
    warm_up,
)
from stream_rec.config import Settings
from stream_rec.evaluation.baselines import Baseline, with_best_popularity
from stream_rec.evaluation.breakdown import groups_of
from stream_rec.evaluation.calibration import calibration_classes
from stream_rec.evaluation.drift import find_drifts
from stream_rec.evaluation.lists import list_metrics
from stream_rec.evaluation.metrics.hit_rate import hit_gains
from stream_rec.evaluation.observation import Observer
from stream_rec.evaluation.report.page import Findings
from stream_rec.evaluation.result import (
    Evaluation,
    principal_k,
    score_ranks,
    with_rating_error,
)

ENGINE_NAME = "stream_rec"


def run(
    settings: Settings,
    loaded: LoadedLog,
    ks: tuple[int, ...],
    plan: Plan,
    baselines: list[Baseline],
    options: Mapping[str, str],
    left_out: Mapping[str, str],
) -> Findings:
    """Run the engine and the baselines over a log and measure.

    Parameters
    ----------
    settings : Settings
    loaded : LoadedLog
    ks : tuple of int
    plan : Plan
    baselines : list of Baseline
    options : mapping of str to str
        Of the command, as they are to be shown.
    left_out : mapping of str to str
        Why which baselines do not run.
    """
    columns = loaded.columns
    warm_up(settings, columns, plan)
    prequential = new_run(settings, columns, plan)
    observer = Observer(prequential, ranks_next=plan.is_observed and plan.knows_all_before)
    n_events = len(columns.user)
    us_per_event = run_timed(ENGINE_NAME, prequential.run(), n_events, observer.after)
    scored = prequential.log
    engine = score_ranks(
        ENGINE_NAME,
        prequential.rank,
        scored,
        ks,
        us_per_event,
        memory_bytes=memory_bytes(prequential.engine, without=[columns, settings]),
    )
    if plan.knows_all_before:  # else a rating is predicted when it is learned, too late for a test
        engine = with_rating_error(engine, prequential.expected, scored)
    evaluation = Evaluation(
        log=loaded.path,
        protocol=plan.title,
        ks=ks,
        n_events=n_events,
        n_scored=int(scored.is_scored.sum()),
        engine=engine,
        lists=list_metrics(prequential.lists, columns),
        n_lists=prequential.lists.n_lists,
        user=scored.user[scored.is_scored],
        groups=tuple(groups_of(scored)),
        left_out=left_out,
        drifts=tuple(find_drifts(hit_gains(engine.rank, principal_k(ks)))),
    )
    scores = [score_baseline(baseline, columns, ks, plan) for baseline in baselines]
    return Findings(
        evaluation=replace(evaluation, baselines=tuple(with_best_popularity(scores, evaluation.k))),
        summary=log_summary(loaded),
        time_s=scored.time_s[scored.is_scored],
        weights=observer.weights(),
        calibration=calibration_classes(*observer.chances()),
        cleaning=cleaning_lines(loaded),
        configuration={**options, **_settings_rows(settings)},
    )


def _settings_rows(settings: Settings) -> dict[str, str]:
    return {
        f"{section}.{name}": str(value)
        for section in ("model", "events")
        for name, value in getattr(settings, section).model_dump().items()
    }
