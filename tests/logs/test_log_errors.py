"""What cannot be read is said with what was expected, what came, where, and what to do."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from stream_rec.errors import InputError
from stream_rec.logs import Columns, LogOptions, open_log
from stream_rec.logs.readers import RECORD_LINES_MAX


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "log.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read_error(path: Path, options: LogOptions | None = None) -> str:
    with pytest.raises(InputError) as caught, open_log(path, options) as log:
        list(log.rows())
    return str(caught.value)


BAD_ROWS = {
    "empty user": ("user,item\nann,tea\n,tea\n", "expected user to hold an id, got nothing", 3),
    "value": ("user,item,value\nann,tea,x\n", "expected value to be a number or empty, got 'x'", 2),
    "NaN": ("user,item,value\nann,tea,NAN\n", "finite number, got 'NAN'", 2),
    "json NaN": ('{"user":"a","item":"b","value":"nan"}\n', "finite number, got 'nan'", 1),
    "infinite": ("user,item,value\nann,tea,-inf\n", "finite number, got '-inf'", 2),
    "time": ("user,item,ts\nann,tea,soon\n", "expected ts to be a time: got 'soon'", 2),
    "columns": ("user,item\nann,tea,milk\n", "expected 2 columns, got 3", 2),
    "blank lines count": ("user,item\n\n\nann\n", "expected 2 columns, got 1", 4),
    "multi-line field counts": ('user,item,t\na,b,"x\ny"\n,b,c\n', "got nothing", 4),
    "ratings.dat": ("1::1::5::1\n1::1::5\n", "expected 4 columns, got 3", 2),
    "json": ('{"user":"a","item":"b"}\n{"user":\n', "expected a JSON object", 2),
    "json list": ('{"user":"a","item":"b"}\n[1]\n', "expected a JSON object, got [1]", 2),
    "json type": ('{"user":"a","item":{"x":1}}\n', "text or a whole number, got {'x': 1}", 1),
    "json missing": ('{"user":"a"}\n', "expected item to hold an id, got nothing", 1),
    "json boolean": ('{"user":"a","item":"b","value":true}\n', "number or empty, got True", 1),
    "context": ('{"user":"a","item":"b","context":1}\n', "expected context to be an object", 1),
    "not UTF-8": (b"user,item\nann,th\xe9\n", "iconv -f latin1", 2),
    "json not UTF-8": (b'{"user":"a","item":"b"}\n{"user":"\xe9"}\n', "expected a JSON object", 2),
    "unclosed quote": ('user,item\n"ann,tea\n', "expected delimited values", 2),
}


@pytest.mark.parametrize(("text", "complaint", "line"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_row_is_named_by_file_and_line(
    tmp_path: Path, text: str | bytes, complaint: str, line: int
) -> None:
    path = write(tmp_path, text)
    message = read_error(path)
    assert complaint in message
    assert f"{path}:{line} " in message


@pytest.mark.parametrize(("text", "complaint", "line"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows_can_be_passed_over(
    tmp_path: Path, text: str | bytes, complaint: str, line: int
) -> None:
    errors: list[InputError] = []
    with open_log(write(tmp_path, text)) as log:
        rows = list(log.rows(on_bad_row=errors.append))
        assert log.n_bad_rows == len(errors) == 1
    assert complaint in str(errors[0])
    assert all(row.user and row.item for row in rows)


def test_rows_after_a_bad_one_are_read(tmp_path: Path) -> None:
    with open_log(write(tmp_path, "user,item\n,x\nann,tea\n")) as log:
        assert [row.user for row in log.rows(on_bad_row=lambda error: None)] == ["ann"]


def users_and_bad_lines(path: Path) -> tuple[list[str], list[int]]:
    errors: list[InputError] = []
    with open_log(path) as log:
        users = [row.user for row in log.rows(on_bad_row=errors.append)]
    return users, [int(str(error).split(f"{path}:")[1].split()[0]) for error in errors]


@pytest.mark.parametrize("n_after", [3, 3 * RECORD_LINES_MAX])
def test_stray_quote_costs_its_own_line_only(tmp_path: Path, n_after: int) -> None:
    lines = [f"u{x},tea,fine" for x in range(n_after)]
    lines[1] = 'u1,tea,"fine'
    lines[-1] = 'last,tea,"in\ntwo lines"'
    users, bad_lines = users_and_bad_lines(write(tmp_path, "\n".join(["user,item,text", *lines])))
    assert users == ["u0", *(f"u{x}" for x in range(2, n_after - 1)), "last"]
    assert bad_lines == [3]


def test_every_line_of_a_broken_record_is_counted(tmp_path: Path) -> None:
    text = 'user,item,text\nann,tea,"one\ntwo" three\nfour"\nbob,tea,x\n'
    assert users_and_bad_lines(write(tmp_path, text)) == (["bob"], [2, 3, 4])


def test_missing_file_is_an_input_error(tmp_path: Path) -> None:
    assert "No such file" in read_error(tmp_path / "nothing.csv")


def test_folder_is_an_input_error(tmp_path: Path) -> None:
    assert "Is a directory" in read_error(tmp_path)


def test_empty_file_is_an_input_error(tmp_path: Path) -> None:
    assert "empty first line" in read_error(write(tmp_path, ""))


@pytest.mark.parametrize("text", ['[{"user":1,"item":2}]' * 900, "[\n  {}\n]\n", " [ [1,2]]"])
def test_json_array_is_refused_in_few_words(tmp_path: Path, text: str) -> None:
    message = read_error(write(tmp_path, text))
    assert "expected JSON Lines, an object a line, came an array" in message
    assert len(message) < 300


def test_skipping_bad_rows_is_advised_only_where_they_are_not_skipped(tmp_path: Path) -> None:
    path = write(tmp_path, "user,item\n,tea\n")
    errors: list[InputError] = []
    with open_log(path) as log:
        list(log.rows(on_bad_row=errors.append))
    assert "skip bad rows" not in str(errors[0])
    assert "or skip bad rows" in read_error(path)


def test_unknown_columns_are_listed_with_the_option_to_name_them(tmp_path: Path) -> None:
    message = read_error(write(tmp_path, "who,what\n1,2\n"))
    assert "who, what" in message
    assert "--user-column" in message


def test_columns_that_are_not_utf8_or_many_are_shown_readably(tmp_path: Path) -> None:
    with open_log(write(tmp_path, b"user,item,gr\xfcn\nann,tea,x\n")) as log:
        assert log.layout.name == "csv with columns user, item, gr\N{REPLACEMENT CHARACTER}n"
    read_error(write(tmp_path, b"who,gr\xfcn\n1,2\n")).encode()
    assert len(read_error(write(tmp_path, ",".join(["column"] * 1000) + "\n"))) < 600


def test_misspelt_column_is_an_input_error(tmp_path: Path) -> None:
    options = LogOptions(Columns(user="custmer"))
    message = read_error(write(tmp_path, "customer,item\n1,2\n"), options)
    assert "expected a column 'custmer' for user, the log has customer, item" in message


def test_truncated_gzip_is_an_input_error(tmp_path: Path) -> None:
    packed = gzip.compress(b"user,item\n" + b"ann,tea\n" * 1000)
    assert "expected a whole compressed file" in read_error(write(tmp_path, packed[:-10]))


def test_damaged_middle_of_a_packed_log_is_an_input_error(tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)  # 16: with the head of gzip
    packed = packer.compress(b"user,item\n" + b"ann,tea\n" * 1000) + packer.flush(zlib.Z_FULL_FLUSH)
    assert "expected a whole compressed file" in read_error(write(tmp_path, packed + b"\xff" * 50))


def test_damaged_middle_of_parquet_is_an_input_error(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"user": ["ann"] * 3000, "item": [f"i{x}" for x in range(3000)]})
    parquet.write_table(table, tmp_path / "log.parquet")
    whole = (tmp_path / "log.parquet").read_bytes()
    damaged = whole[:200] + b"\xff" * 2000 + whole[2200:]
    message = read_error(write(tmp_path, damaged))
    assert "expected a whole Parquet file" in message
    assert "write the file again" in message


def test_damaged_parquet_is_an_input_error(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    assert "expected a whole Parquet file" in read_error(write(tmp_path, b"PAR1" + b"x" * 50))
