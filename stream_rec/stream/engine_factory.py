"""Makes the recommender as a worker needs it; numba and the kernels are imported only then."""

from __future__ import annotations

from stream_rec.settings import Settings
from stream_rec.stream.engine_port import Engine, EngineFactory, ProfileReader


def recommender_factory(settings: Settings) -> EngineFactory:
    """Return what makes an engine with these settings, compiling its kernels where need be."""

    def create_engine(n_partitions: int, read_profiles: ProfileReader) -> Engine:
        from stream_rec.compiling import shared_compiling
        from stream_rec.model.engine import Engine as Recommender
        from stream_rec.model.warm_up import warm_up

        with shared_compiling():
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
