"""Measurements of this system on this machine, each beside a peer or a limit in the same run.

Absolute times drift with the machine and with what else runs on it; what counts is the ratio to
the peer that was measured a moment before or after. `stream-rec bench` prints what is measured
here; docs/performance.md says how it is measured and what came out.
"""
