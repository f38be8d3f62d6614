import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pytest
from inline_snapshot import snapshot
from pyarrow.fs import LocalFileSystem
from pyiceberg.io import FileIO
from pyiceberg.table import Table
from pyiceberg.table.statistics import StatisticsFile

from floe_core.errors import CatalogError
from floe_dagster.lakehouse import iceberg_write
from floe_dagster.lakehouse.catalog import Catalog
from floe_dagster.lakehouse.iceberg import IcebergTables
from floe_dagster.lakehouse.maintenance import orphans
from floe_dagster.lakehouse.maintenance.file_store import ArrowFiles, FileStore, LocalFiles, StoredFile
from floe_dagster.lakehouse.maintenance.places import TablePlaces, local_path
from floe_dagster.lakehouse.maintenance.report import MaintenanceReport, RemovedOrphans, UnfinishedError
from floe_dagster.lakehouse.settings import LakehouseSettings
from floe_dagster.lakehouse.tables import TableName
from floe_dagster.resources.catalog import CatalogResource
from iceberg_tables import data_files, delete_rows, make_old, plant

AT_ONCE = timedelta(milliseconds=1)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[CatalogResource]:
    catalog = CatalogResource.embedded(tmp_path / ".floe")
    yield catalog
    catalog._catalog.close()


def location_of(catalog: CatalogResource, name: str = "bronze.t") -> Path:
    return local_path(catalog.load_table(name).location()) or Path()


def write(catalog: CatalogResource, *ids: int, name: str = "bronze.t") -> Path:
    """Append a file of rows, and make all files of the table old."""
    catalog.write_table(name, pa.table({"id": list(ids)}), mode="append")
    make_old(location_of(catalog, name))
    return location_of(catalog, name)


def remove(catalog: CatalogResource, tables: str = "bronze.t") -> MaintenanceReport[RemovedOrphans]:
    return catalog.remove_orphans(tables, dry_run=False)


def ids_of(catalog: CatalogResource, name: str = "bronze.t") -> list[int]:
    ids: list[int] = sorted(catalog.read_table(name).column("id").to_pylist())
    return ids


def shown(text: str, folder: Path) -> str:
    return text.replace(f"file://{folder}", "…").replace(str(folder), "…")


def error_of(action: Callable[[], object]) -> str:
    with pytest.raises(CatalogError) as caught:
        action()
    return str(caught.value)


class TestWhatGoes:
    def test_old_files_that_nothing_refers_to_are_removed(self, catalog: CatalogResource) -> None:
        location = write(catalog, 1, 2)
        planted = [
            plant(location / "data" / "lost.parquet"),
            plant(location / "data" / "day=1" / "lost.parquet"),
            plant(location / "metadata" / "lost-m0.avro"),
            plant(location / "metadata" / "00009-lost.metadata.json"),
        ]

        result = remove(catalog).of("bronze.t")

        assert (result.files, result.bytes) == (4, 400)
        assert sorted(result.examples) == sorted(map(str, planted))
        assert not any(path.exists() for path in planted)
        assert ids_of(catalog) == [1, 2]

    def test_a_dry_run_tells_what_would_go_and_deletes_nothing(self, catalog: CatalogResource) -> None:
        lost = plant(write(catalog, 1) / "data" / "lost.parquet")

        by_default = catalog.remove_orphans("bronze.t").of("bronze.t")

        assert by_default.dry_run
        assert by_default.examples == (str(lost),)
        assert lost.exists()
        assert remove(catalog).of("bronze.t").files == 1

    def test_the_files_of_expired_snapshots_are_removed(self, catalog: CatalogResource) -> None:
        catalog.write_table("bronze.t", pa.table({"id": [1]}))
        (replaced,) = data_files(catalog.load_table("bronze.t"))
        catalog.write_table("bronze.t", pa.table({"id": [2]}))
        make_old(location_of(catalog))

        before = remove(catalog).of("bronze.t")
        forecast = catalog.vacuum("bronze.t", older_than=AT_ONCE).of("bronze.t")
        kept = replaced.exists()
        vacuumed = catalog.vacuum("bronze.t", older_than=AT_ONCE, dry_run=False).of("bronze.t")

        assert before.files == 0
        assert kept
        assert not replaced.exists()
        assert vacuumed.orphans is not None
        assert vacuumed.orphans.files == 3  # with its manifest and manifest list
        assert forecast.orphans is not None
        assert (forecast.orphans.files, forecast.orphans.bytes) == (vacuumed.orphans.files, vacuumed.orphans.bytes)
        assert forecast.snapshots.expired == vacuumed.snapshots.expired
        assert ids_of(catalog) == [2]


class TestWhatStays:
    def test_what_the_table_refers_to_stays_however_old(self, catalog: CatalogResource) -> None:
        location = write(catalog, 1, 2, 3)
        table = catalog.load_table("bronze.t")
        file = next(iter(table.scan().plan_files())).file
        deletes = delete_rows(table, file, [0])
        puffin = plant(location / "metadata" / "sketch.puffin")
        add_statistics(catalog.load_table("bronze.t"), puffin)
        make_old(location)
        before = sorted(location.rglob("*"))

        result = remove(catalog).of("bronze.t")

        assert result.files == 0
        assert sorted(location.rglob("*")) == before
        assert deletes in before
        assert puffin in before
        assert ids_of(catalog) == [2, 3]

    def test_young_files_stay_and_are_counted(self, catalog: CatalogResource) -> None:
        lost = plant(write(catalog, 1) / "data" / "lost.parquet", days=2.9)

        result = remove(catalog).of("bronze.t")
        later = catalog.remove_orphans("bronze.t", grace="1h", dry_run=False).of("bronze.t")

        assert [(kept.reason, kept.files, kept.bytes) for kept in result.kept] == [("younger than 3d", 1, 100)]
        assert later.files == 1
        assert not lost.exists()

    def test_files_that_iceberg_does_not_write_stay(self, catalog: CatalogResource) -> None:
        location = write(catalog, 1)
        planted = [plant(location / name) for name in ("notes.txt", "data/_SUCCESS", "data/export.csv", "floe.duckdb")]

        assert remove(catalog).of("bronze.t").files == 0
        assert all(path.exists() for path in planted)

    def test_files_outside_of_the_location_stay(self, catalog: CatalogResource, tmp_path: Path) -> None:
        location = write(catalog, 1)
        beside = plant(location.parent / "lost.parquet")
        similar = plant(location.with_name("t2") / "data" / "lost.parquet")
        elsewhere = plant(tmp_path / "elsewhere" / "lost.parquet")
        (location / "data" / "linked").symlink_to(elsewhere.parent)
        link = location / "data" / "link.parquet"
        link.symlink_to(elsewhere)

        assert catalog.remove_orphans("bronze.t").of("bronze.t").files == 0
        assert remove(catalog).of("bronze.t").files == 0
        assert all(path.exists() for path in (beside, similar, elsewhere, link))

    def test_a_file_in_use_stays_under_any_spelling_of_its_path(self, tmp_path: Path) -> None:
        real = tmp_path / "a b%20c" / "real"
        real.mkdir(parents=True)
        (tmp_path / "link").symlink_to(real)
        spellings = [f"file://{real}", str(real), str(tmp_path / "link"), str(real / ".." / "real"), f"file:{real}"]
        for number, spelling in enumerate(spellings):
            settings = LakehouseSettings.embedded(tmp_path / ".floe")
            catalog = CatalogResource.of(
                LakehouseSettings({**settings.properties, "warehouse": spelling}, settings.warehouse_file)
            )
            write(catalog, number, name=f"bronze.t{number}")
            lost = plant(location_of(catalog, f"bronze.t{number}") / "data" / "lost.parquet")

            assert remove(catalog, f"bronze.t{number}").of(f"bronze.t{number}").files == 1
            assert not lost.exists()
            assert ids_of(catalog, f"bronze.t{number}") == [number]
            catalog._catalog.close()

    def test_a_data_file_behind_a_link_and_one_with_quoted_characters_stay(self, catalog: CatalogResource) -> None:
        location = write(catalog, 1)
        (used,) = data_files(catalog.load_table("bronze.t"))
        real = used.rename(used.with_name("real.parquet"))
        used.symlink_to(real)
        quoted = used.with_name(quote("c d.parquet"))
        plain = plant(used.with_name("c d.parquet"), like=real)
        plant(quoted, like=real)
        strip_field_ids(quoted)
        catalog.load_table("bronze.t").add_files([str(quoted)])
        make_old(location)

        remove(catalog)

        assert real.exists()
        assert plain.exists()  # one of the two spellings is in use, and which one depends on the reader
        assert ids_of(catalog) == [1, 1]

    def test_a_file_that_is_committed_after_the_listing_stays(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        location = write(catalog, 1)
        (like,) = data_files(catalog.load_table("bronze.t"))
        late = plant(location / "data" / "late.parquet", like=like)
        strip_field_ids(late)
        make_old(late)
        after_listing(monkeypatch, lambda: catalog.load_table("bronze.t").add_files([str(late)]))

        result = remove(catalog).of("bronze.t")

        assert result.files == 0
        assert ids_of(catalog) == [1, 1]

    def test_nothing_goes_of_a_table_that_is_made_again_meanwhile(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lost = plant(write(catalog, 1) / "data" / "lost.parquet")

        def make_again() -> None:
            catalog.load_table("bronze.t").catalog.drop_table("bronze.t")
            catalog.write_table("bronze.t", pa.table({"id": [2]}))

        after_listing(monkeypatch, make_again)
        report = remove(catalog)

        assert [skipped.reason for skipped in report.skipped] == ["it was dropped and made again meanwhile"]
        assert lost.exists()

    def test_the_files_of_a_table_that_was_there_before_stay(self, catalog: CatalogResource) -> None:
        location = write(catalog, 1)
        old_metadata = catalog.load_table("bronze.t").metadata_location
        before = {path for path in location.rglob("*") if path.is_file()}
        catalog.load_table("bronze.t").catalog.drop_table("bronze.t")
        write(catalog, 2)
        lost = plant(location / "data" / "lost.parquet")

        result = remove(catalog).of("bronze.t")

        assert not lost.exists()
        assert all(path.exists() for path in before)
        assert [(kept.reason, kept.files) for kept in result.kept] == [
            ("of another table that was at this location before", len(before))
        ]
        again = catalog.load_table("bronze.t").catalog.register_table("bronze.again", old_metadata)
        assert again.scan().to_arrow().to_pydict() == {"id": [1]}


class TestPlaces:
    def test_tables_that_share_a_place_or_lie_in_one_another_are_skipped(
        self, catalog: CatalogResource, tmp_path: Path
    ) -> None:
        shared = tmp_path / "shared"
        (tmp_path / "link").mkdir()
        make_table(catalog, "bronze.outer", shared)
        make_table(catalog, "bronze.inner", f"file://{shared}/inner")
        make_table(catalog, "bronze.elsewhere", tmp_path / "elsewhere", data=tmp_path / "alone" / "of_another")
        make_table(catalog, "bronze.alone", tmp_path / "alone")
        make_table(catalog, "bronze.fine", tmp_path / "fine")
        planted = [plant(place / "lost.parquet") for place in (shared, shared / "inner", tmp_path / "alone")]
        plant(tmp_path / "fine" / "data" / "lost.parquet")

        report = remove(catalog, "bronze.*")

        assert {table.table: table.files for table in report.tables} == {"bronze.elsewhere": 0, "bronze.fine": 1}
        assert {skipped.table: shown(skipped.reason, tmp_path) for skipped in report.skipped} == {
            "bronze.alone": "it shares its location …/alone with 'bronze.elsewhere', or one lies in the other",
            "bronze.inner": "it shares its location …/shared/inner with 'bronze.outer', or one lies in the other",
            "bronze.outer": "it shares its location …/shared with 'bronze.inner', or one lies in the other",
        }
        assert all(path.exists() for path in planted)

    def test_a_location_that_holds_the_catalog_is_skipped(self, catalog: CatalogResource, tmp_path: Path) -> None:
        make_table(catalog, "bronze.t", tmp_path)
        lost = plant(tmp_path / "lost.parquet")

        report = remove(catalog)

        assert [skipped.reason.replace(str(tmp_path), "…") for skipped in report.skipped] == [
            "its location … also holds catalog.db, which is not of the table"
        ]
        assert lost.exists()

    def test_a_table_whose_files_are_gone_does_not_hide_where_it_was(self, catalog: CatalogResource) -> None:
        location = write(catalog, 1)
        make_table(catalog, "bronze.inner", location / "inner")
        for path in (location / "inner" / "metadata").iterdir():
            path.unlink()

        report = remove(catalog, "bronze.t")

        assert "shares its location" in report.skipped[0].reason


class TestLimits:
    @pytest.mark.parametrize("grace", ["0d", "0s", timedelta(0), timedelta(days=-1), "-1d", "59m", "soon", "3", ""])
    def test_no_grace_under_an_hour_is_taken(self, catalog: CatalogResource, grace: str | timedelta) -> None:
        lost = plant(write(catalog, 1) / "data" / "lost.parquet")

        for call in (catalog.remove_orphans, catalog.vacuum):
            message = error_of(lambda call=call: call("bronze.t", grace=grace, dry_run=False))  # type: ignore[misc]
            assert "FLOE-441" in message
            assert "look like orphans" in message
            assert "1h" in message
        assert lost.exists()

    def test_why_is_said(self, catalog: CatalogResource) -> None:
        assert error_of(lambda: catalog.remove_orphans(grace=timedelta(0))) == snapshot("""\
error[FLOE-441]: a grace of 0s is too short
  why: files of a write under way look like orphans, and the table needs them
  fix: write '1h' or more\
""")
        assert error_of(lambda: catalog.remove_orphans(grace="0d")) == snapshot("""\
error[FLOE-441]: '0d' is no grace
  why: a length of time is longer than zero; files of a write under way look like orphans, and the table needs them
  fix: write it like '1h'\
""")

    def test_not_even_the_code_below_deletes_younger_files(self, tmp_path: Path) -> None:
        settings = LakehouseSettings.embedded(tmp_path / ".floe")
        CatalogResource.of(settings).write_table("bronze.t", pa.table({"id": [1]}))
        tables = IcebergTables(settings)

        with pytest.raises(CatalogError, match="a grace of 0s is too short"):
            orphans.remove_orphans(
                tables, TablePlaces(tables), TableName.parse("bronze.t"), grace=timedelta(0), dry_run=True
            )

    def test_platform_yaml_raises_the_floor_and_never_lowers_it(self, tmp_path: Path) -> None:
        def with_rules(**rules: str) -> CatalogResource:
            made = CatalogResource.embedded(tmp_path / ".floe")
            return CatalogResource(properties=made.properties, warehouse_file=made.warehouse_file, maintenance=rules)

        strict = with_rules(orphan_grace="20d", snapshot_retention="30d", retain_last="3")
        lost = plant(write(strict, 1) / "data" / "lost.parquet", days=10)

        assert remove(strict).of("bronze.t").files == 0
        assert error_of(lambda: strict.remove_orphans(grace="3d")) == snapshot("""\
error[FLOE-441]: a grace of 3d is too short
  why: platform.yaml says `maintenance: {orphan_grace: 20d}`, and no call goes below it
  fix: write '20d' or more\
""")
        assert error_of(lambda: strict.vacuum(older_than="29d")) == snapshot("""\
error[FLOE-441]: a retention of 29d is too short
  why: platform.yaml says `maintenance: {snapshot_retention: 30d}`, and no call goes below it
  fix: write '30d' or more\
""")
        assert error_of(lambda: strict.vacuum(retain_last=2)) == snapshot("""\
error[FLOE-441]: retain_last is 2, and 3 is the least
  why: platform.yaml says `maintenance: {retain_last: 3}`, and no call goes below it
  fix: write 3 or more\
""")
        with pytest.raises(ValueError, match="a grace is an hour at least"):
            with_rules(orphan_grace="10m").remove_orphans()
        assert lost.exists()
        assert with_rules().remove_orphans(grace="1h", dry_run=False).of("bronze.t").files == 1


class TestFailures:
    def test_nothing_goes_where_the_references_cannot_all_be_read(self, catalog: CatalogResource) -> None:
        lost = plant(write(catalog, 1) / "data" / "lost.parquet")
        write(catalog, 1, name="bronze.other")
        beside = plant(location_of(catalog, "bronze.other") / "data" / "lost.parquet")
        manifest = catalog.load_table("bronze.t").current_snapshot().manifests(catalog.load_table("bronze.t").io)[0]  # type: ignore[union-attr]  # it was written
        Path(manifest.manifest_path).unlink()

        with pytest.raises(UnfinishedError) as caught:
            remove(catalog, "bronze.*")

        assert [failed.table for failed in caught.value.report.failed] == ["bronze.t"]
        assert str(caught.value).replace(manifest.manifest_path, "…") == snapshot("""\
error[FLOE-442]: 'bronze.t' could not be looked after
      FileNotFoundError: [Errno 2] Failed to open local file '…'. Detail: [errno 2] No such file or directory
  why: reading or committing failed; nothing in use was deleted, and the other tables had their turn
  fix: mend what the detail says, and run it again: it goes on where it stopped\
""")
        assert lost.exists()
        assert not beside.exists()

    def test_secrets_stay_out_of_what_a_client_says(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = LakehouseSettings.embedded(tmp_path / ".floe")
        properties = {**settings.properties, "s3.secret-access-key": "hunter2"}
        catalog = Catalog(LakehouseSettings(properties, secrets={"s3.secret-access-key": "KEY"}))
        catalog.write_table("bronze.t", pa.table({"id": [1]}))

        def refuse(location: str, io: FileIO) -> FileStore:
            raise PermissionError("no entry with hunter2")

        monkeypatch.setattr(orphans, "open_store", refuse)
        with pytest.raises(UnfinishedError, match=r"PermissionError: no entry with \*\*\*"):
            catalog.maintenance.remove_orphans("bronze.t", grace=None, dry_run=True)
        catalog.close()

    def test_a_listing_of_another_place_is_noticed(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        write(catalog, 1)
        lost = plant(tmp_path / "elsewhere" / "data" / "lost.parquet")
        monkeypatch.setattr(orphans, "open_store", lambda location, io: LocalFiles(tmp_path / "elsewhere"))

        with pytest.raises(UnfinishedError, match=r"the files of 'bronze\.t' are not where the catalog says"):
            remove(catalog)
        assert lost.exists()

    def test_a_file_that_was_written_anew_since_it_was_listed_stays(self, tmp_path: Path) -> None:
        path = plant(tmp_path / "data" / "lost.parquet")
        store = LocalFiles(tmp_path)
        (listed,) = store.files()
        path.write_bytes(b"new")

        assert not store.delete(listed)
        assert path.exists()
        path.unlink()
        assert not store.delete(listed)

    @pytest.mark.parametrize("kind", [LocalFiles, ArrowFiles])
    def test_a_store_lists_dates_and_deletes_what_is_below_its_folder(
        self, kind: type[FileStore], tmp_path: Path
    ) -> None:
        lost = plant(tmp_path / "t" / "data" / "day=1" / "lost.parquet", days=10)
        plant(tmp_path / "t2" / "data" / "other.parquet")
        store = LocalFiles(tmp_path / "t") if kind is LocalFiles else ArrowFiles(LocalFileSystem(), f"{tmp_path}/t/")

        before = store.clock()
        (listed,) = store.files()

        assert (Path(listed.path), listed.bytes) == (lost, 100)
        assert timedelta(days=10) <= before - listed.written_at < timedelta(days=10, minutes=5)
        assert abs(datetime.now(UTC) - before) < timedelta(minutes=5)
        assert store.delete(listed)
        assert not store.delete(listed)
        assert not lost.exists()
        assert list(store.files()) == []

    @pytest.mark.parametrize("name", ["bronze.t", "bronze.new"])
    def test_a_write_whose_files_were_removed_is_not_committed(
        self, catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        write(catalog, 1)
        check, removed = iceberg_write._Write._check_files, list[Path]()

        def remove_and_check(self: iceberg_write._Write) -> None:
            for file in self._files:
                removed.append(Path(file.file_path.removeprefix("file://")))
                removed[-1].unlink()
            check(self)

        monkeypatch.setattr(iceberg_write, "_SECONDS_UNTIL_FILES_MAY_GO", 0)
        monkeypatch.setattr(iceberg_write._Write, "_check_files", remove_and_check)
        message = error_of(lambda: catalog.write_table(name, pa.table({"id": [2]}), mode="append"))

        assert message.replace(str(removed[0]), "…").replace(name, "…") == snapshot("""\
error[FLOE-444]: a file of the write to '…' was removed before it was committed
      …
  why: a file that no snapshot refers to yet looks like an orphan to a vacuum whose grace is over
  fix: write again, and have the grace of vacuums longer than any write takes\
""")
        assert ids_of(catalog) == [1]

    def test_a_vacuum_that_is_killed_is_finished_by_the_next(self, tmp_path: Path) -> None:
        catalog = CatalogResource.embedded(tmp_path / ".floe")
        for number in range(4):
            catalog.write_table("bronze.t", pa.table({"id": [number]}))
        make_old(location_of(catalog))
        killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / ".floe")], check=False, timeout=120)

        assert killed.returncode == -signal.SIGKILL
        assert len(catalog.load_table("bronze.t").snapshots()) == 1  # expired
        assert len(list((location_of(catalog) / "data").iterdir())) == 3  # one was deleted before the end
        assert ids_of(catalog) == [3]
        assert remove(catalog).of("bronze.t").files > 0
        assert len(list((location_of(catalog) / "data").iterdir())) == 1
        assert ids_of(catalog) == [3]


KILLED = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from floe_dagster.lakehouse.maintenance.file_store import LocalFiles
from floe_dagster.resources.catalog import CatalogResource

delete = LocalFiles.delete
def delete_data_and_die(self, file):
    if file.path.endswith(".parquet"):
        delete(self, file)
        os.kill(os.getpid(), signal.SIGKILL)
    return True

LocalFiles.delete = delete_data_and_die
CatalogResource.embedded(sys.argv[1]).vacuum(older_than=timedelta(milliseconds=1), dry_run=False)
"""


def make_table(catalog: CatalogResource, name: str, location: Path | str, *, data: Path | None = None) -> None:
    iceberg = catalog._catalog._iceberg.catalog
    iceberg.create_namespace_if_not_exists("bronze")
    iceberg.create_table(
        name,
        pa.schema([("id", pa.int64())]),
        location=str(location),
        properties={"write.data.path": str(data)} if data else {},
    )


def add_statistics(table: Table, puffin: Path) -> None:
    statistics = StatisticsFile.model_validate(
        {
            "snapshot-id": table.metadata.current_snapshot_id,
            "statistics-path": str(puffin),
            "file-size-in-bytes": 100,
            "file-footer-size-in-bytes": 10,
            "blob-metadata": [],
        }
    )
    with table.update_statistics() as update:
        update.set_statistics(statistics)


def strip_field_ids(path: Path) -> None:
    """Make of *path* a file that no Iceberg writer made, as `add_files` wants it."""
    import pyarrow.parquet as pq

    rows = pq.read_table(path)
    pq.write_table(pa.table({name: rows.column(name) for name in rows.column_names}), path)


def after_listing(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> None:
    """Have *action* happen between the listing of a table's files and the reading of its references."""

    class Interrupted(LocalFiles):
        def files(self) -> Iterator[StoredFile]:
            yield from list(super().files())
            action()

    def open_store(location: str, io: FileIO) -> FileStore:
        return Interrupted(Path(location.removeprefix("file://")))

    monkeypatch.setattr(orphans, "open_store", open_store)


def test_skew_of_the_clocks_makes_files_younger(catalog: CatalogResource, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = plant(write(catalog, 1) / "data" / "lost.parquet", days=4)
    behind = type("Behind", (LocalFiles,), {"clock": lambda self: LocalFiles.clock(self) - timedelta(days=2)})
    monkeypatch.setattr(orphans, "open_store", lambda location, io: behind(Path(location)))

    assert remove(catalog).of("bronze.t").files == 0
    assert lost.exists()
    assert not [path for path in os.scandir(location_of(catalog) / "metadata") if path.name.endswith("clock")]
