"""Values of the environment, which messages show as the document has them: `${NAME}`."""

from pathlib import Path

from builders import floe_yaml
from floe_core.documents import read_floe_document
from floe_core.errors import render_problems
from floe_core.interpolation import interpolate
from floe_core.masking import Masking
from floe_core.source_map import Position, SourceMap


def report(orchestration: str, folder: Path, **environ: str) -> str:
    (folder / "floe.yaml").write_text(floe_yaml(orchestration))
    document = read_floe_document(folder / "floe.yaml", environ=environ)
    return render_problems((*document.errors, *document.warnings))


SCHEDULES = """
jobs: {load: {type: batch, selection: "*"}}
schedules:
  one: {job: load, cron_schedule: "${CRON:every day}"}
  two: {job: load, cron_schedule: "every day at 06:00"}
  three: {job: load, cron_schedule: "${OTHER:-0 6 * * *}"}
"""


def test_words_that_happen_to_be_a_value_elsewhere_stay(tmp_path: Path) -> None:
    for environ in ({}, {"CRON": "every day"}, {"CRON": "day at"}):
        told = report(SCHEDULES, tmp_path, **environ)

        assert "cannot be '${CRON:every day}'" in told
        assert "write five fields, such as '0 6 * * *' for every day at 06:00" in told


def test_the_value_itself_is_shown_as_its_expression(tmp_path: Path) -> None:
    told = report(SCHEDULES, tmp_path, CRON="lovelace")

    assert "cannot be '${CRON:every day}'" in told
    assert "lovelace" not in told


def test_a_rule_about_two_values_shows_neither(tmp_path: Path) -> None:
    told = report(
        'partitions: {daily: {type: time_window, start: "${START}", end: "2020-01-01"}}', tmp_path, START="2024-05-05"
    )

    assert "comes after their start, which is ${START}" in told
    assert "2024-05-05" not in told


def test_a_secret_is_replaced_wherever_it_stands() -> None:
    raw = {"one": {"x": "${DB_PASSWORD}", "y": "${WORD}", "z": "${URL}"}, "two": "every day"}
    environ = {"DB_PASSWORD": "lovelace", "WORD": "every", "URL": "redis://:ada@r"}
    source = SourceMap("floe.yaml", ("",), Position(1, 1))

    masking = Masking(interpolate(raw, environ=environ, source=source))

    assert masking.masked("lovelace, every, redis://:ada@r", ("two",)) == "${DB_PASSWORD}, every, ${URL}"
