"""Compiled artifacts: their form, their digests, many writers at once."""

import json
import math
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import external_file, snapshot

from floe_core.compiler.artifacts import (
    CompiledArtifacts,
    DbtTarget,
    build_artifacts,
    dbt_project_digest,
    floe_yaml_digest,
    load_artifacts,
    parse_artifacts,
    write_artifacts,
)
from floe_core.errors import ArtifactsError, Location
from floe_core.yaml_source import load_yaml

FLOE_YAML = """\
# a comment that is not kept
x-anchors: {nightly: &nightly "0 6 * * *"}
name: shop
orchestration:
  jobs:
    load: {type: batch, selection: ["group:bronze"]}
  schedules:
    daily:
      job: load
      cron_schedule: *nightly
      enabled: ${ENABLED:true}
      config: {low: -.inf, none: null}
"""


@pytest.fixture
def floe_yaml(tmp_path: Path) -> Path:
    file = tmp_path / "floe.yaml"
    file.write_text(FLOE_YAML)
    return file


@pytest.fixture
def artifacts(floe_yaml: Path) -> CompiledArtifacts:
    document = load_yaml(floe_yaml)
    return build_artifacts(document, digest=floe_yaml_digest(floe_yaml), project_name="shop").with_dbt_target(
        "dev", DbtTarget(digest="d1", index={"nodes": [{"name": "stg_orders"}]})
    )


def test_the_format_is_the_golden_one(artifacts: CompiledArtifacts, tmp_path: Path) -> None:
    write_artifacts(artifacts, tmp_path / "artifacts.json")

    written = json.loads((tmp_path / "artifacts.json").read_text())
    written.pop("seal")

    assert json.dumps(written, indent=1) + "\n" == external_file("../golden/compiled_artifacts.json", format=".txt")


def test_artifacts_are_read_as_they_were_written(artifacts: CompiledArtifacts, tmp_path: Path) -> None:
    write_artifacts(artifacts, tmp_path / "artifacts.json")

    loaded = load_artifacts(tmp_path / "artifacts.json")

    assert loaded == artifacts
    assert parse_artifacts(artifacts.model_dump()) == artifacts


def test_expressions_stay_unresolved_and_notes_are_left_out(
    artifacts: CompiledArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENABLED", "false")

    assert artifacts.document == {
        "name": "shop",
        "orchestration": {
            "jobs": {"load": {"type": "batch", "selection": ["group:bronze"]}},
            "schedules": {
                "daily": {
                    "job": "load",
                    "cron_schedule": "0 6 * * *",
                    "enabled": "${ENABLED:true}",
                    "config": {"low": -math.inf, "none": None},
                }
            },
        },
    }


@pytest.mark.requirement("010-FR-047")
def test_positions_lead_back_to_the_lines_of_the_document(artifacts: CompiledArtifacts, tmp_path: Path) -> None:
    write_artifacts(artifacts, tmp_path / "artifacts.json")

    source = load_artifacts(tmp_path / "artifacts.json").source_map(Path("floe.yaml"))

    assert source.locate("orchestration", "schedules", "daily", "enabled") == Location(
        "floe.yaml", 11, 16, "orchestration.schedules.daily.enabled", "      enabled: ${ENABLED:true}"
    )


def test_targets_stand_side_by_side(artifacts: CompiledArtifacts) -> None:
    prod = DbtTarget(digest="d2", index={})

    both = artifacts.with_dbt_target("prod", prod)

    assert list(both.dbt) == ["dev", "prod"]
    assert both.with_dbt_target("dev", prod).dbt["dev"] == prod


def test_what_a_target_holds_is_not_looked_into(artifacts: CompiledArtifacts, tmp_path: Path) -> None:
    index: dict[str, object] = {"a": [1, 2.5, None, {"b": "ä\u2028"}], "deep": {"x": {"y": {"z": True}}}}

    write_artifacts(artifacts.with_dbt_target("dev", DbtTarget(digest="d", index=index)), tmp_path / "a.json")

    assert load_artifacts(tmp_path / "a.json").dbt["dev"].index == index


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            None,
            snapshot("""\
error[FLOE-220]: there are no compiled artifacts
  --> artifacts.json
  fix: run 'floe compile'\
"""),
            id="missing",
        ),
        pytest.param(
            b"",
            snapshot("""\
error[FLOE-222]: the compiled artifacts cannot be read: it is not JSON: EOF while parsing a value at line 1 column 0
  --> artifacts.json
  fix: run 'floe compile'\
"""),
            id="empty",
        ),
        pytest.param(
            b'{"version": 1, "floe_ve',
            snapshot("""\
error[FLOE-222]: the compiled artifacts cannot be read: it is not JSON: EOF while parsing a string at line 1 column 23
  --> artifacts.json
  fix: run 'floe compile'\
"""),
            id="cut short",
        ),
        pytest.param(
            b"[]",
            snapshot("""\
error[FLOE-222]: the compiled artifacts cannot be read: it is not a JSON object
  --> artifacts.json
  fix: run 'floe compile'\
"""),
            id="not an object",
        ),
        pytest.param(
            b'{"version": 1, "floe_version": "1", "dbt": {"dev": {}}}',
            snapshot("""\
error[FLOE-222]: the compiled artifacts cannot be read: its 'project_name' is missing or of another form
  --> artifacts.json
  fix: run 'floe compile'\
"""),
            id="incomplete",
        ),
        pytest.param(
            b'{"version": 2, "floe_version": "9.1"}',
            snapshot("""\
error[FLOE-223]: the compiled artifacts have format 2, and this floe reads format 1
  --> artifacts.json
  why: floe 9.1 compiled them
  fix: update floe here, or run 'floe compile' with this floe\
"""),
            id="newer format",
        ),
        pytest.param(
            b'{"version": 0, "floe_version": "0.1"}',
            snapshot("""\
error[FLOE-223]: the compiled artifacts have format 0, and this floe reads format 1
  --> artifacts.json
  why: floe 0.1 compiled them
  fix: run 'floe compile'\
"""),
            id="older format",
        ),
        pytest.param(
            b'{"metadata": {"dbt_schema_version": "v12"}}',
            snapshot("""\
error[FLOE-222]: the compiled artifacts cannot be read: its 'floe_version' is missing or of another form
  --> artifacts.json
  fix: run 'floe compile'\
"""),
            id="a dbt manifest",
        ),
    ],
)
def test_what_cannot_be_read_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("artifacts.json").write_bytes(content)

    with pytest.raises(ArtifactsError) as raised:
        load_artifacts(Path("artifacts.json"))

    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("old", "new"),
    [('"group:bronze"', '"group:silver"'), ('"d1"', '"d2"'), (',"seal"', ', "seal"'), ('"}', '"} ')],
    ids=["document", "digest", "form", "behind the end"],
)
def test_artifacts_that_were_changed_are_refused(
    artifacts: CompiledArtifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("artifacts.json")
    write_artifacts(artifacts, file)
    written = file.read_text()
    file.write_text(new.join(written.rsplit(old, 1)))

    with pytest.raises(ArtifactsError) as raised:
        load_artifacts(file)

    assert str(raised.value) == snapshot("""\
error[FLOE-222]: the compiled artifacts cannot be read: something else than 'floe compile' changed it
  --> artifacts.json
  fix: run 'floe compile'\
""")


def test_what_a_file_holds_may_be_passed_with_its_seal(artifacts: CompiledArtifacts, tmp_path: Path) -> None:
    write_artifacts(artifacts, tmp_path / "artifacts.json")

    assert parse_artifacts(json.loads((tmp_path / "artifacts.json").read_text())) == artifacts


def test_notes_leave_no_text_in_the_artifacts(tmp_path: Path) -> None:
    file = tmp_path / "floe.yaml"
    file.write_text("x-notes: |\n  not for\n  anybody\n" + FLOE_YAML + "x-more:\n  - nor this\n")

    build = build_artifacts(load_yaml(file), digest=floe_yaml_digest(file), project_name="shop")
    text = build.model_dump_json()

    assert not [words for words in ("not for", "anybody", "nor this") if words in text]
    schedule = build.source_map(file).locate("orchestration", "schedules", "daily", "cron_schedule")
    assert "nightly" in (schedule.source_line or "")


def test_positions_in_another_form_are_a_clear_error(artifacts: CompiledArtifacts) -> None:
    broken = artifacts.model_copy(update={"source": {"lines": 1}})

    with pytest.raises(ArtifactsError, match="its 'source' is not a source map"):
        broken.source_map(Path("floe.yaml"))


def test_a_reader_never_sees_half_a_file(artifacts: CompiledArtifacts, tmp_path: Path) -> None:
    file = tmp_path / "artifacts.json"
    versions = [
        artifacts.with_dbt_target("dev", DbtTarget(digest=str(number), index={"x": [number] * 20_000}))
        for number in range(4)
    ]
    write_artifacts(versions[0], file)
    seen: list[CompiledArtifacts] = []

    def write_often(version: CompiledArtifacts) -> None:
        for _ in range(5):
            write_artifacts(version, file)

    writers = [threading.Thread(target=write_often, args=(version,)) for version in versions]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        seen.append(load_artifacts(file))
    seen.append(load_artifacts(file))

    assert all(loaded in versions for loaded in seen)
    assert [path.name for path in tmp_path.glob("*artifacts*")] == ["artifacts.json"]


def test_an_interrupted_write_leaves_the_old_file(artifacts: CompiledArtifacts, tmp_path: Path) -> None:
    (tmp_path / "artifacts.json").mkdir()

    with pytest.raises(ArtifactsError, match="cannot be written"):
        write_artifacts(artifacts, tmp_path / "artifacts.json")

    assert [path.name for path in tmp_path.glob("*artifacts*")] == ["artifacts.json"]


# ---- digests


def test_the_digest_of_floe_yaml_is_that_of_its_bytes(floe_yaml: Path) -> None:
    before = floe_yaml_digest(floe_yaml)

    os.utime(floe_yaml, (0, 0))
    assert floe_yaml_digest(floe_yaml) == before

    floe_yaml.write_text(FLOE_YAML + "# one more\n")
    assert floe_yaml_digest(floe_yaml) != before


def test_without_a_floe_yaml_there_is_no_digest(tmp_path: Path) -> None:
    with pytest.raises(ArtifactsError, match="cannot be read"):
        floe_yaml_digest(tmp_path / "floe.yaml")


@pytest.fixture
def dbt_project(tmp_path: Path) -> Path:
    project = tmp_path / "dbt"
    files = {
        "dbt_project.yml": "name: shop\nmodel-paths: [models, more/models]\nseed-paths: seeds\n",
        "packages.yml": "packages: []\n",
        "models/staging/stg_orders.sql": "select 1",
        "models/schema.yml": "models: []",
        "more/models/extra.py": "def model(dbt, session): ...",
        "macros/tool.sql": "{% macro tool() %}{% endmacro %}",
        "seeds/countries.csv": "code\nde\n",
        "tests/fixtures/rows.csv": "a\n1\n",
        "models/docs.md": "{% docs x %}{% enddocs %}",
        "dbt_packages/utils/dbt_project.yml": "name: utils\nversion: 1.0.0\n",
        "dbt_packages/utils/macros/a.sql": "select 1",
        "target/manifest.json": "{}",
        "logs/dbt.log": "",
        "data/huge.parquet": "",
    }
    for name, content in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
    return project


def write(name: str, content: str = "changed") -> Callable[[Path], object]:
    return lambda project: (project / name).write_text(content)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(write("dbt_project.yml", "name: other\n"), id="project"),
        pytest.param(write("packages.yml"), id="packages"),
        pytest.param(write("package-lock.yml"), id="a new lock"),
        pytest.param(write("selectors.yml"), id="selectors"),
        pytest.param(write("profiles.yml"), id="profiles"),
        pytest.param(write("models/staging/stg_orders.sql", "select 2"), id="model"),
        pytest.param(write("models/staging/new.sql"), id="new model"),
        pytest.param(lambda project: (project / "models/staging/stg_orders.sql").unlink(), id="deleted model"),
        pytest.param(
            lambda project: (project / "models/schema.yml").rename(project / "models/other.yml"), id="renamed file"
        ),
        pytest.param(write("models/docs.md"), id="docs"),
        pytest.param(write("more/models/extra.py"), id="another model path"),
        pytest.param(write("macros/tool.sql"), id="macro"),
        pytest.param(write("seeds/countries.csv", "code\nfr\n"), id="seed of the same size"),
        pytest.param(write("tests/fixtures/rows.csv"), id="fixture"),
        pytest.param(
            write("dbt_packages/utils/dbt_project.yml", "name: utils\nversion: 1.1.0\n"), id="package version"
        ),
    ],
)
def test_what_dbt_parses_changes_the_digest(dbt_project: Path, change: Callable[[Path], object]) -> None:
    before = dbt_project_digest(dbt_project)

    change(dbt_project)

    assert dbt_project_digest(dbt_project) != before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda project: os.utime(project / "models/schema.yml", (0, 0)), id="file time"),
        pytest.param(write("target/manifest.json"), id="target"),
        pytest.param(write("logs/dbt.log"), id="log"),
        pytest.param(write("data/huge.parquet"), id="data"),
        pytest.param(write("dbt_packages/utils/macros/a.sql"), id="content of a package"),
        pytest.param(write("models/.stg.sql.swp"), id="swap file"),
        pytest.param(write("README.md"), id="readme"),
    ],
)
def test_what_dbt_does_not_parse_changes_nothing(dbt_project: Path, change: Callable[[Path], object]) -> None:
    before = dbt_project_digest(dbt_project)

    change(dbt_project)

    assert dbt_project_digest(dbt_project) == before


def test_the_digest_is_the_same_in_another_folder(dbt_project: Path) -> None:
    before = dbt_project_digest(dbt_project)

    moved = dbt_project.rename(dbt_project.with_name("moved"))

    assert dbt_project_digest(moved) == before


def test_what_parsing_depends_on_besides_is_part_of_the_digest(dbt_project: Path) -> None:
    digests = {dbt_project_digest(dbt_project, extra=extra) for extra in ([], [""], ["dev"], ["prod"], ["d", "ev"])}

    assert len(digests) == 5


def test_a_package_that_is_a_link_counts_with_its_content_and_links_may_go_in_circles(
    dbt_project: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    (shared / "models").mkdir(parents=True)
    (shared / "dbt_packages").mkdir()
    (shared / "models" / "a.sql").write_text("select 1")
    (dbt_project / "dbt_packages" / "shared").symlink_to(shared)
    (shared / "dbt_packages" / "back").symlink_to(dbt_project)
    (dbt_project / "models" / "circle").symlink_to(dbt_project / "models")
    before = dbt_project_digest(dbt_project)

    (shared / "models" / "a.sql").write_text("select 2")

    assert dbt_project_digest(dbt_project) != before


def test_a_project_file_that_is_no_yaml_leaves_the_default_paths(dbt_project: Path) -> None:
    (dbt_project / "dbt_project.yml").write_text("name: [")
    before = dbt_project_digest(dbt_project)

    (dbt_project / "models" / "schema.yml").write_text("changed")

    assert dbt_project_digest(dbt_project) != before


def test_a_large_seed_counts_by_its_size(dbt_project: Path) -> None:
    seed = dbt_project / "seeds" / "large.csv"
    seed.write_text("a" * 2_000_000)
    before = dbt_project_digest(dbt_project)

    seed.write_text("b" * 2_000_000)
    assert dbt_project_digest(dbt_project) == before

    seed.write_text("b" * 2_000_001)
    assert dbt_project_digest(dbt_project) != before
