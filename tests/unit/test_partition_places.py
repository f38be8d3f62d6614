from datetime import UTC, datetime

import pytest

from floe_core.partition_places import PlaceValue, dimension_of, fill_in, find_places

VALUES: dict[str, PlaceValue] = {
    "partition_key": "2024-03-01|eu",
    "partition_keys": ("2024-03-01|eu", "2024-03-01|us"),
    "partition_key_region": "eu",
    "partition_start": datetime(2024, 3, 1, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("value", "filled_in"),
    [
        ("", ""),
        (7, 7),
        ("{partition_key_region}", "eu"),
        ("{partition_start}", "2024-03-01T00:00:00+00:00"),
        ("from {partition_start:%Y-%m-%d} on", "from 2024-03-01 on"),
        ("{partition_start:%H:%M}", "00:00"),
        ("{partition_keys}", ["2024-03-01|eu", "2024-03-01|us"]),
        ("in {partition_keys}", "in 2024-03-01|eu,2024-03-01|us"),
        ({"a": ["{partition_key_region}", 1]}, {"a": ["eu", 1]}),
        ("{{ partition_key }} {{partition_key}} {start} {}", "{{ partition_key }} {{partition_key}} {start} {}"),
        ('{"partition_key_region": 1}', '{"partition_key_region": 1}'),
    ],
)
def test_places_are_filled_in_and_other_braces_stay(value: object, filled_in: object) -> None:
    assert fill_in(value, VALUES) == filled_in


def test_a_place_without_a_value() -> None:
    with pytest.raises(KeyError):
        fill_in({"a": ["{partition_end}"]}, VALUES)


def test_places_are_found_wherever_they_stand() -> None:
    value = {"a": ["{partition_start:%Y}", {"b": "{partition_key} {other}"}], "c": 1}

    assert [(place.name, place.format) for place in find_places(value)] == [
        ("partition_start", "%Y"),
        ("partition_key", ""),
    ]


def test_the_key_of_a_dimension_names_it() -> None:
    names = ("partition_key_region", "partition_keys_region", "partition_key", "partition_keys", "partition_start")

    assert [dimension_of(name) for name in names] == ["region", "region", None, None, None]
