"""Read recorded event logs: CSV, JSON Lines or Parquet in, typed rows out, in bounded memory.

    with open_log("ratings.dat") as log:
        for row in log.rows():
            ...                      # LogRow(user, item, type, value, ts_ms, …)

Shared by whatever reads logs (replay, evaluate), so that a log means the same everywhere.
"""

from __future__ import annotations

from stream_rec.logs.layouts import Columns, LogLayout
from stream_rec.logs.log import EventLog, LogOptions, open_log
from stream_rec.logs.rows import LogRow
from stream_rec.logs.timestamps import TIMESTAMP_UNITS, TimestampUnit, parse_timestamp_ms

__all__ = [
    "TIMESTAMP_UNITS",
    "Columns",
    "EventLog",
    "LogLayout",
    "LogOptions",
    "LogRow",
    "TimestampUnit",
    "open_log",
    "parse_timestamp_ms",
]
