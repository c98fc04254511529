"""A deterministic simulation of workers, broker, disks and time, driven by one seed.

The engine, the commit cycle, recovery, assignment and row code are the real ones. All they do to
the world goes through one port (`stream_rec.stream.effects.Effects`), behind which stands here a
world that may fail before and after every effect. See docs/simulation.md.
"""
