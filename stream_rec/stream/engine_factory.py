"""Makes the recommender as a worker needs it; numba and the kernels are imported only then."""

from __future__ import annotations

import logging

from stream_rec.settings import Settings
from stream_rec.stream.engine_port import Engine, EngineFactory, ProfileReader

logger = logging.getLogger(__name__)


def recommender_factory(settings: Settings) -> EngineFactory:
    """Return what makes an engine with these settings, compiling its kernels where need be."""

    def create_engine(n_partitions: int, read_profiles: ProfileReader) -> Engine:
        from stream_rec.model.engine import Engine as Recommender
        from stream_rec.model.warm_up import is_compiled, warm_up

        if not is_compiled():
            logger.info("compiling the model's kernels, once; this takes half a minute")
        warm_up(settings.model, settings.events)
        engine: Engine = Recommender(
            settings.model,
            settings.events,
            source_topic=settings.topics.events,
            n_partitions=n_partitions,
            read_profiles=read_profiles,
        )
        return engine

    return create_engine
