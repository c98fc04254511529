"""Well-known layouts without a header, told by their first line, all of which must match."""

from __future__ import annotations

import re

from stream_rec.logs.layouts import Columns, LogLayout

_RATED = Columns(user="user", item="item", value="rating", ts="timestamp")
_USED = Columns(user="user", item="item", ts="timestamp")
_RATING_HEADER = ("user", "item", "rating", "timestamp")
_ISO_TIME = r"\d{4}-\d\d-\d\dT[0-9:.]+Z"
_EPOCH_S = r"\d{9,10}"
_DEGREES = r"-?\d+\.\d+"
_TAOBAO_TYPES = {"pv": "view", "fav": "like", "buy": "purchase"}

HEADERLESS: tuple[tuple[re.Pattern[str], LogLayout], ...] = (
    (
        re.compile(r"\d+\t\d+\t\d(\.\d+)?\t\d+"),
        LogLayout("MovieLens u.data", "csv", _RATED, "\t", _RATING_HEADER, False, "rating"),
    ),
    (
        re.compile(r"\d+::\d+::\d+(\.\d+)?::\d+"),
        LogLayout("MovieLens ratings.dat", "csv", _RATED, "::", _RATING_HEADER, False, "rating"),
    ),
    (
        re.compile(rf"[A-Z0-9]{{10,}},[A-Z0-9]{{10}},[1-5]\.0,{_EPOCH_S}"),
        LogLayout("Amazon ratings", "csv", _RATED, ",", _RATING_HEADER, False, "rating"),
    ),
    (
        re.compile(rf"\d+,{_ISO_TIME},\d+,[^,]*"),
        LogLayout(
            "yoochoose clicks",
            "csv",
            Columns(user="session", item="item", ts="timestamp"),
            ",",
            ("session", "timestamp", "item", "category"),
            False,
            "click",
        ),
    ),
    (
        re.compile(rf"\d+,{_ISO_TIME},\d+,\d+,\d+"),
        LogLayout(
            "yoochoose buys",
            "csv",
            Columns(user="session", item="item", value="quantity", ts="timestamp"),
            ",",
            ("session", "timestamp", "item", "price", "quantity"),
            False,
            "purchase",
        ),
    ),
    (
        re.compile(rf"\d+,\d+,\d+,(pv|fav|cart|buy),{_EPOCH_S}"),
        LogLayout(
            "Taobao UserBehavior",
            "csv",
            Columns(user="user", item="item", type="behavior", ts="timestamp"),
            ",",
            ("user", "item", "category", "behavior", "timestamp"),
            False,
            types=_TAOBAO_TYPES,
        ),
    ),
    (
        re.compile(rf"user_\d+\t{_ISO_TIME}\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*"),
        LogLayout(
            "Last.fm 1K",
            "csv",
            _USED,
            "\t",
            ("user", "timestamp", "artist", "artist_name", "item", "track_name"),
            False,
            notes=("what is recommended are tracks; artists with --item-column artist",),
        ),
    ),
    (
        re.compile(rf"\d+\t{_ISO_TIME}\t{_DEGREES}\t{_DEGREES}\t\w+"),
        LogLayout(
            "Gowalla or Brightkite check-ins",
            "csv",
            _USED,
            "\t",
            ("user", "timestamp", "latitude", "longitude", "item"),
            False,
        ),
    ),
)
