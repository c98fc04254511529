"""Exporting and importing a state: the same rows come out, all of them or none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
import xxhash
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream_rec.errors import StateError
from stream_rec.settings import WorkerSettings
from stream_rec.stream.changelog import (
    ITEMS,
    POSITION_KEY,
    PROFILES,
    REMOVING_KEY,
    TABLES,
    WATERMARK_KEY,
    Position,
    Removing,
    Watermark,
)
from stream_rec.stream.state.export_file import END, LENGTHS, MAGIC, zstd
from stream_rec.stream.state.snapshot import Snapshot, Snapshots, StoreName
from stream_rec.stream.state.transfer import export_state, import_state
from stream_rec.stream.stores import Stores

TOPIC_IDS = {"events": "e", "items_changelog": "i", "profiles_changelog": "p"}
IDENTITY = {"app_id": "films", "kafka": "k", **TOPIC_IDS}
WORKER = WorkerSettings(rocksdb_block_cache_mib=1, rocksdb_write_buffer_mib=1)
keys = st.binary(min_size=1, max_size=12).filter(lambda key: key[0] > 0)
tables = st.dictionaries(keys, st.binary(max_size=60), max_size=30)
worlds = st.dictionaries(st.integers(0, 7), st.tuples(tables, tables), min_size=1, max_size=3)


def write_folder(folder: Path, world: dict) -> Stores:
    """Write stores as a worker would; they stay open."""
    stores = Stores(folder, WORKER)
    for partition, contents in world.items():
        for table, rows in zip(TABLES, contents, strict=True):
            stores.open(table, partition)
            reserved = [(POSITION_KEY, Position(len(rows), 3).encode())]
            reserved.append((REMOVING_KEY + b"\0", Removing(1, 7 + partition, (b"key",)).encode()))
            reserved.append((WATERMARK_KEY, Watermark(7 + partition, 8).encode()))
            stores.write(table, partition, [*rows.items(), *reserved])
    (folder / "identity.json").write_text(json.dumps(IDENTITY))
    return stores


def read_folder(folder: Path) -> dict[StoreName, list]:
    with Snapshots(folder) as snapshots:
        stores = snapshots.stores
        return {name: [*store.rows(), *store.reserved_rows()] for name, store in stores.items()}


@pytest.fixture
def exported(tmp_path: Path) -> Iterator[Path]:
    """A file exported from a folder that is in use."""
    rows = {b"u%d" % n: bytes([n % 251]) * 40 for n in range(3_000)}
    stores = write_folder(tmp_path / "old", {0: ({b"i": b"1"}, rows), 2: ({}, {b"u": b""})})
    export_state(tmp_path / "old", tmp_path / "state.zst")
    yield tmp_path / "state.zst"
    stores.close_except()


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(world=worlds, is_running=st.booleans())
def test_import_of_an_export_is_the_same_state(
    tmp_path: Path, world: dict, is_running: bool
) -> None:
    for folder in tmp_path.iterdir():
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    stores = write_folder(tmp_path / "old", world)
    if not is_running:
        stores.close_except()
    n_exported = export_state(tmp_path / "old", tmp_path / "state.zst")
    n_imported = import_state(tmp_path / "state.zst", tmp_path / "new", IDENTITY, WORKER)
    stores.close_except()
    assert n_exported == n_imported
    assert read_folder(tmp_path / "new") == read_folder(tmp_path / "old")
    assert json.loads((tmp_path / "new" / "identity.json").read_text()) == IDENTITY
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old", "state.zst"]


def test_snapshot_is_of_one_moment(tmp_path: Path) -> None:
    stores = write_folder(tmp_path, {0: ({}, {b"u1": b"old"})})
    with Snapshots(tmp_path) as snapshots:
        stores.write(PROFILES, 0, [(b"u1", b"new"), (b"u2", b"new")])
        assert list(snapshots.stores[StoreName(PROFILES, 0)].rows()) == [(b"u1", b"old")]
    stores.close_except()


def test_stores_of_a_partition_are_of_the_same_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = write_folder(tmp_path, {0: ({}, {})})
    later = [(WATERMARK_KEY, Watermark(50, 8).encode())]
    stores.write(ITEMS, 0, later)  # a commit that has come half way
    monkeypatch.setattr(
        "stream_rec.stream.state.snapshot.time.sleep", lambda _: stores.write(PROFILES, 0, later)
    )
    with Snapshots(tmp_path) as snapshots:
        assert [store.watermark for store in snapshots.stores.values()] == [Watermark(50, 8)] * 2
    stores.close_except()


@pytest.mark.parametrize("name", ["state.zst", "earlier.zst"])
def test_interrupted_export_leaves_no_half_file(
    exported: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = exported.with_name(name)
    before = file.read_bytes() if file.exists() else None

    def interrupted(store: object) -> list:
        raise KeyboardInterrupt

    monkeypatch.setattr(Snapshot, "reserved_rows", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_state(exported.with_name("old"), file)
    assert (file.read_bytes() if file.exists() else None) == before
    assert not list(exported.parent.glob("*.part"))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_file_that_is_cut_off_is_refused(exported: Path, share: float) -> None:
    content = exported.read_bytes()
    exported.write_bytes(content[: int(len(content) * share)])
    assert_refused(exported, "damaged or cut off|expected an exported")


def test_flipped_bits_are_found_or_change_nothing(exported: Path) -> None:
    content, rows = exported.read_bytes(), read_folder(exported.with_name("old"))
    n_refused = 0
    for place in islice(range(len(content)), 5, None, max(1, len(content) // 40)):
        flipped = content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]
        exported.write_bytes(flipped)
        try:
            import_state(exported, exported.with_name("new"), IDENTITY, WORKER)
        except StateError:
            n_refused += 1
            assert not exported.with_name("new").exists()
        else:  # in the frame's header there are bits that nobody needs
            assert read_folder(exported.with_name("new")) == rows
            shutil.rmtree(exported.with_name("new"))
    assert n_refused > 30


def write_header(file: Path, **fields: object) -> None:
    """Write an export with a header as somebody else would, and with no rows in any store."""
    whole = {"format": 1, "app_id": "films", "identity": IDENTITY, "stores": []} | fields
    end = LENGTHS.pack(0, 0) + END.pack(0, xxhash.xxh3_64().intdigest())
    n_stores = len(fields.get("stores", []))
    write_zstd(file, MAGIC + json.dumps(whole).encode() + b"\n" + end * n_stores)


def write_zstd(file: Path, content: bytes) -> None:
    with zstd.ZstdFile(file, "wb") as stream:
        stream.write(content)


@pytest.mark.parametrize(
    "stores",
    [
        [["../../escaped/evil", 1]],
        [["ITEMS", 1]],
        [[["items"], 1]],
        [["items", -1]],
        [["items", 1.0]],
        [["items", True]],
        [["items", "1"]],
        [["items", 1 << 31]],
        [["items", 1, 2]],
        [["items", 1], ["items", 1]],
        [7],
    ],
)
def test_import_writes_only_stores_of_a_worker(tmp_path: Path, stores: list) -> None:
    (tmp_path / "a" / "old").mkdir(parents=True)
    file = tmp_path / "a" / "state.zst"
    write_header(file, stores=stores)
    assert_refused(file, "damaged or cut off")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("header", [b'{"format": Infinity}', b"[" * 100_000, b"[]", b'{"format":'])
def test_header_that_is_none_is_refused(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "old").mkdir()
    write_zstd(tmp_path / "state.zst", MAGIC + header + b"\n")
    assert_refused(tmp_path / "state.zst", "damaged or cut off")


def test_other_file_is_refused(exported: Path) -> None:
    exported.write_bytes(b"no zstd at all")
    assert_refused(exported, "expected")


def test_export_of_other_topics_is_refused(exported: Path) -> None:
    with pytest.raises(StateError, match="whose events is new, came e in"):
        import_state(exported, exported.with_name("new"), IDENTITY | {"events": "new"}, WORKER)
    assert not exported.with_name("new").exists()


def test_folder_in_use_is_refused(exported: Path) -> None:
    folder = exported.with_name("new")
    folder.mkdir()
    (folder / "something").touch()
    with pytest.raises(StateError, match="expected an empty folder"):
        import_state(exported, folder, IDENTITY, WORKER)
    assert [path.name for path in folder.iterdir()] == ["something"]


def test_folder_without_state_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"worker\.state_dir"):
        export_state(tmp_path, tmp_path / "state.zst")


@pytest.mark.parametrize("content", ["", "[]", '"x"', "null", "{}", '{"app_id": 7}', "[" * 99_999])
def test_export_of_a_folder_whose_identity_is_damaged_is_refused(
    tmp_path: Path, content: str
) -> None:
    write_folder(tmp_path / "old", {0: ({}, {})}).close_except()
    (tmp_path / "old" / "identity.json").write_text(content)
    with pytest.raises(StateError, match=r"identity\.json is damaged.*worker\.state_dir"):
        export_state(tmp_path / "old", tmp_path / "state.zst")


def assert_refused(file: Path, reason: str) -> None:
    with pytest.raises(StateError, match=reason):
        import_state(file, file.with_name("new"), IDENTITY, WORKER)
    assert sorted(path.name for path in file.parent.iterdir()) == ["old", "state.zst"]
