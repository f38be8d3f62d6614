import dataclasses
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from floe_dagster.user_code.metadata_values import build_metadata


class Clock(dg.ConfigurableResource[Any]):
    hour: int = 6


@dataclasses.dataclass
class Point:
    x: int
    y: Decimal


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError


NESTED: list[object] = []
NESTED.append(NESTED)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(True, True, id="bool"),
        pytest.param(3, 3, id="int"),
        pytest.param(2**80, 2**80, id="large int"),
        pytest.param(0.5, 0.5, id="float"),
        pytest.param(float("nan"), "nan", id="nan"),
        pytest.param(float("inf"), "inf", id="infinity"),
        pytest.param("text", "text", id="text"),
        pytest.param("a\udc80b", "a\\udc80b", id="a lone surrogate"),
        pytest.param(Decimal("1265793.04"), 1265793.04, id="decimal"),
        pytest.param(Decimal("sNaN"), "sNaN", id="signalling nan"),
        pytest.param(np.int64(3), 3, id="numpy int"),
        pytest.param(np.float32(0.5), 0.5, id="numpy float"),
        pytest.param(np.bool_(True), True, id="numpy bool"),
        pytest.param(np.str_("x"), "x", id="numpy text"),
        pytest.param(np.datetime64("2024-01-01"), "2024-01-01", id="numpy date"),
        pytest.param(np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]], id="numpy array"),
        pytest.param(dt.date(2024, 1, 2), "2024-01-02", id="date"),
        pytest.param(dt.datetime(2024, 1, 2, 3), "2024-01-02T03:00:00", id="naive datetime"),
        pytest.param(dt.datetime(2024, 1, 2, tzinfo=dt.UTC), 1704153600.0, id="datetime"),
        pytest.param(pd.Timestamp("2024-01-02"), "2024-01-02T00:00:00", id="pandas timestamp"),
        pytest.param(pd.NaT, "NaT", id="pandas not a time"),
        pytest.param(pd.NA, "<NA>", id="pandas not available"),
        pytest.param(pd.Series([1, 2]), [1, 2], id="pandas series"),
        pytest.param(dt.timedelta(hours=1), "1:00:00", id="timedelta"),
        pytest.param(UUID(int=1), "00000000-0000-0000-0000-000000000001", id="uuid"),
        pytest.param(dg.DagsterEventType.RUN_START, "PIPELINE_START", id="enum"),
        pytest.param(Path("a/b"), "a/b", id="path"),
        pytest.param(b"\xff\x00", "2 bytes", id="bytes"),
        pytest.param([1, (2, {3})], [1, [2, [3]]], id="collections"),
        pytest.param({"a": {1: Decimal("0.5")}}, {"a": {"1": 0.5}}, id="mapping"),
        pytest.param({"id": 2**60}, {"id": str(2**60)}, id="a number JSON readers would round"),
        pytest.param([float("nan")], ["nan"], id="nan in a list"),
        pytest.param(Point(1, Decimal("2.5")), {"x": 1, "y": 2.5}, id="dataclass"),
        pytest.param(Clock(hour=3), {"hour": 3}, id="model"),
        pytest.param(range(3), [0, 1, 2], id="range"),
        pytest.param("x" * 3000, "x" * 3000, id="long text"),
        pytest.param(Unprintable(), "<Unprintable>", id="what cannot be printed"),
        pytest.param(dg.AssetKey("a"), dg.AssetKey("a"), id="asset key"),
        pytest.param(dg.MetadataValue.md("*a*"), "*a*", id="Dagster's own"),
    ],
)
def test_every_value_becomes_metadata(value: object, shown: object) -> None:
    metadata = build_metadata({"it": value})

    assert metadata["it"].value == shown
    assert dg.deserialize_value(
        dg.serialize_value(dg.AssetMaterialization("a", metadata=metadata)), dg.AssetMaterialization
    )


@pytest.mark.parametrize(
    "value", [NESTED, list(range(5_000)), {"deep": [[[[[[NESTED]]]]]]}], ids=["itself", "long", "deep"]
)
def test_values_without_end_are_cut(value: object) -> None:
    assert len(str(build_metadata({"it": value})["it"].value)) < 20_000


@pytest.mark.parametrize(
    ("returned", "count"),
    [
        pytest.param({"rows": 3}, 3, id="int"),
        pytest.param({"rows": np.int32(3)}, 3, id="numpy"),
        pytest.param({"rows": 3, "dagster/row_count": 4}, 4, id="said explicitly"),
        pytest.param({"rows": "three"}, None, id="text"),
        pytest.param({"rows": True}, None, id="bool"),
    ],
)
def test_rows_are_the_row_count(returned: dict[str, object], count: int | None) -> None:
    shown = build_metadata(returned).get("dagster/row_count")

    assert (shown.value if shown else None) == count
