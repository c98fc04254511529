"""Logs in every layout and packing that we promise to read come out as the same typed rows."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import os
import sys
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from stream_rec.data import N_SAMPLE_EVENTS, SAMPLE_EVENTS
from stream_rec.errors import InputError
from stream_rec.logs import Columns, LogOptions, LogRow, TimestampUnit, open_log
from tests.logs.well_known import WELL_KNOWN

pyarrow = pytest.importorskip("pyarrow", reason="Parquet and zstd need pyarrow")


Pack = Callable[[bytes], bytes]


def read(path: Path, options: LogOptions | None = None) -> list[LogRow]:
    with open_log(path, options) as log:
        return list(log.rows())


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "log"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(("text", "row"), WELL_KNOWN.values(), ids=WELL_KNOWN)
def test_well_known_layout_is_recognised(tmp_path: Path, text: str, row: LogRow) -> None:
    assert read(write(tmp_path, text)) == [row]


def times_ms(folder: Path, times: list[str], unit: TimestampUnit = "auto") -> list[int | None]:
    text = "".join(f"ann,tea,{each}\n" for each in times)
    path = write(folder, f"user,item,ts\n{text}")
    return [row.ts_ms for row in read(path, LogOptions(timestamps=unit))]


def test_column_of_days_without_dashes_is_read_as_days(tmp_path: Path) -> None:
    day_ms = 1_699_920_000_000
    times = ["", "20231114", *["20231115.0"] * 200, "20231116120000", "1700000000"]
    came = times_ms(tmp_path, times)
    assert came[:3] == [None, day_ms, day_ms + 86_400_000]
    assert came[-2:] == [day_ms + 2.5 * 86_400_000, 1_700_000_000_000]
    assert times_ms(tmp_path, ["20231114"], "s") == [20_231_114_000]


def test_column_of_seconds_that_also_write_days_is_read_as_seconds(tmp_path: Path) -> None:
    times = ["20231114", "20231131", "20231201"]
    assert times_ms(tmp_path, times) == [1000 * int(each) for each in times]


def test_column_of_dates_begins_with_the_day_or_the_month_by_one_that_can_be_only_one(
    tmp_path: Path,
) -> None:
    first_ms, thirteenth_ms = 1_291_191_960_000, 1_292_230_980_000
    american = ["12/1/2010 8:26"] * 200 + ["12/13/2010 09:03"]
    assert times_ms(tmp_path, american) == [first_ms] * 200 + [thirteenth_ms]
    european = ["1/12/2010 08:26:00", "13/12/2010 9:03"]
    assert times_ms(tmp_path, european) == [first_ms, thirteenth_ms]
    assert times_ms(tmp_path, american[:2], "mdy") == [first_ms] * 2
    with pytest.raises(InputError, match="may be two dates; say with --timestamps dmy or mdy"):
        times_ms(tmp_path, american[:200])


def test_what_databases_write_for_nothing_is_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "user,item,rating,ts\nann,tea,\\N,NULL\nNULL,tea,1,2\nbob,null,1,2\n")
    with open_log(path) as log:
        assert list(log.rows(on_bad_row=lambda _: None)) == [LogRow("ann", "tea", "view")]
        assert log.n_bad_rows == 2


def test_empty_lines_before_the_first_one_are_passed_over(tmp_path: Path) -> None:
    rows = [LogRow("ann", "tea", "view")]
    assert read(write(tmp_path, "\n\r\nuser,item\nann,tea\n")) == rows
    assert read(write(tmp_path, '\n{"user":"ann","item":"tea","type":"view"}\n')) == rows
    with pytest.raises(InputError, match=r"log:4 "):
        read(write(tmp_path, "\n\nuser,item\n,tea\n"))


@pytest.mark.parametrize("header", ["quantity", "Qty", "value,quantity"])
def test_quantity_means_a_purchase_and_not_a_rating(tmp_path: Path, header: str) -> None:
    numbers = "20,3" if "," in header else "20"
    with open_log(write(tmp_path, f"customer_id,product_id,{header}\nann,tea,{numbers}\n")) as log:
        assert list(log.rows()) == [LogRow("ann", "tea", "purchase", 20.0)]
        assert "--type" in log.layout.notes[0]


def test_purchase_of_less_than_nothing_is_a_return(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "user,item,quantity\nann,tea,2\nann,tea,-2\nann,milk,\n"))
    assert [row.type for row in rows] == ["purchase", "return", "purchase"]
    rows = read(write(tmp_path, "user,item,value\nann,tea,-2\n"))
    assert rows[0].type == "rating"


@pytest.mark.parametrize("name", ["rating", "score", "stars", "value"])
@pytest.mark.parametrize("options", [LogOptions(), LogOptions(default_type="rating")])
def test_event_without_a_value_among_ratings_is_a_view_and_counted(
    tmp_path: Path, name: str, options: LogOptions
) -> None:
    with open_log(write(tmp_path, f"user,item,{name}\nann,tea,4\nann,milk,\n"), options) as log:
        assert list(log.rows()) == [
            LogRow("ann", "tea", "rating", 4.0),
            LogRow("ann", "milk", "view"),
        ]
        assert log.n_without_value == 1
        assert log.layout.notes == ()


def test_json_events_without_a_value_among_ratings_are_views(tmp_path: Path) -> None:
    path = write(tmp_path, '{"user":1,"item":2,"rating":3}\n{"user":1,"item":3}\n')
    assert [row.type for row in read(path)] == ["rating", "view"]


def test_type_that_is_given_overrules_the_guess_by_a_quantity(tmp_path: Path) -> None:
    path = write(tmp_path, "user,item,quantity\nann,tea,20\n")
    with open_log(path, LogOptions(default_type="cart")) as log:
        assert (next(log.rows()).type, log.layout.notes) == ("cart", ())


def test_optional_json_field_may_come_later(tmp_path: Path) -> None:
    path = write(tmp_path, '{"user":"a","item":"b"}\n\n{"user":"a","item":"b","value":2,"ts":1}\n')
    assert [row.value for row in read(path)] == [None, 2.0]


def test_given_columns_overrule_the_guess(tmp_path: Path) -> None:
    path = write(tmp_path, "user,customer,item,sku\n1,ann,2,tea\n")
    options = LogOptions(Columns(user="customer", item="sku"), default_type="purchase")
    assert read(path, options) == [LogRow("ann", "tea", "purchase")]


def test_given_header_and_delimiter_read_a_log_that_does_not_explain_itself(tmp_path: Path) -> None:
    path = write(tmp_path, "A2~0001~buy\nB3~0002~buy\n")
    options = LogOptions(header=("user", "item", "type"), delimiter="~", types={"buy": "purchase"})
    assert read(path, options) == [
        LogRow("A2", "0001", "purchase"),
        LogRow("B3", "0002", "purchase"),
    ]


@pytest.mark.parametrize("log_format", ["csv", "jsonl"])
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, None])
def test_packing_is_told_by_the_content(tmp_path: Path, log_format: str, pack: object) -> None:
    text = {"csv": b"user,item\nann,tea\n", "jsonl": b'{"user":"ann","item":"tea"}\n'}[log_format]
    path = write(tmp_path, pack(text) if callable(pack) else text)
    assert read(path) == [LogRow("ann", "tea", "view")]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf16_is_told_by_its_byte_order_mark(tmp_path: Path, pack: Pack, order: str) -> None:
    text = "\ufeffuser,item\r\nann,thé\r\nbob,tea\r\n".encode(order)
    assert [row.item for row in read(write(tmp_path, pack(text)))] == ["thé", "tea"]


def test_zstd_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with pyarrow.output_stream(str(path), compression="zstd") as stream:
        stream.write(b"user,item\nann,tea\n")
    assert read(path) == [LogRow("ann", "tea", "view")]


def test_parquet_is_read_with_its_own_types(tmp_path: Path) -> None:
    from pyarrow import parquet

    moments = pyarrow.array([1_700_000_000_000], pyarrow.timestamp("ms"))
    table = pyarrow.table({"user_id": [7], "item": ["a"], "rating": [4.5], "timestamp": moments})
    parquet.write_table(table, tmp_path / "log.parquet")
    assert read(tmp_path / "log.parquet") == [LogRow("7", "a", "rating", 4.5, 1_700_000_000_000)]


def test_parquet_is_read_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyarrow import parquet

    path = tmp_path / "log.parquet"
    parquet.write_table(pyarrow.table({"user": ["ann"], "item": ["tea"]}), path)
    reading, writing = os.pipe()
    os.write(writing, path.read_bytes())
    os.close(writing)
    with open(reading, "rb") as pipe:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=pipe))
        assert read(Path("-")) == [LogRow("ann", "tea", "view")]


def test_nan_in_a_column_of_numbers_is_no_value(tmp_path: Path) -> None:
    from pyarrow import parquet

    table = pyarrow.table({"user": ["a", "b"], "item": ["x", "y"], "rating": [4.0, math.nan]})
    parquet.write_table(table, tmp_path / "log.parquet")
    came = [(row.type, row.value) for row in read(tmp_path / "log.parquet")]
    assert came == [("rating", 4.0), ("view", None)]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_parquet_times_of_every_unit_are_the_same_moment(
    tmp_path: Path, unit: str, zone: str | None
) -> None:
    from pyarrow import parquet

    moments = pyarrow.array([1_700_000_000_000_000_123], pyarrow.timestamp("ns", zone))
    moments = moments.cast(pyarrow.timestamp(unit, zone), safe=False)
    table = pyarrow.table({"user": [7], "ts": moments, "item": ["a"]})
    parquet.write_table(table, tmp_path / "log.parquet")
    assert read(tmp_path / "log.parquet") == [LogRow("7", "a", "view", None, 1_700_000_000_000)]


def test_whole_sample_is_read_in_order() -> None:
    rows = read(SAMPLE_EVENTS)
    assert len(rows) == N_SAMPLE_EVENTS
    assert all(before.ts_ms <= after.ts_ms for before, after in pairwise(rows))


def test_fraction_read_grows_to_the_whole() -> None:
    with open_log(SAMPLE_EVENTS) as log:
        fractions = [log.fraction_read() for _ in log.rows()]
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.5
    assert fractions[-1] == 1.0


def test_log_does_not_grow_in_memory(tmp_path: Path) -> None:
    path = write(tmp_path, "user,item\n" + "ann,tea\n" * 50_000)
    tracemalloc.start()
    with open_log(path) as log:
        n_rows = sum(1 for _ in log.rows())
    bytes_max = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_rows == 50_000
    assert bytes_max < path.stat().st_size / 2


@pytest.mark.parametrize("missing", ["parquet", "zstd"])
def test_missing_pyarrow_is_said_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    if missing == "zstd" and sys.version_info >= (3, 14):
        pytest.skip("Python 3.14 reads zstd itself")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    magic = {"parquet": b"PAR1", "zstd": b"\x28\xb5\x2f\xfd"}[missing]
    with pytest.raises(InputError, match=r"pip install 'stream-rec\[parquet\]'"):
        open_log(write(tmp_path, magic + b"0" * 100))
