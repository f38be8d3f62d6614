import re
import sysconfig
from pathlib import Path

import pytest
from dagster_shared.error import SerializableErrorInfo

import floe_core.errors
import floe_dagster.user_code.functions
from floe_core.schemas.secrets import SecretRef
from floe_dagster.running.described_errors import describe_error
from floe_dagster.secrets import keep_hidden, read_secret

LIBRARY = sysconfig.get_path("purelib")
DBT_MESSAGE = """dagster_dbt.errors.DagsterDbtCliRuntimeError: The dbt CLI process with command

`dbt build --select fqn:*`

failed with exit code `1`. Check the stdout in the Dagster compute logs for the full information about the error.

Errors parsed from dbt logs:

5 of 7 ERROR creating sql table model main.stg_orders .......... [\x1b[31mERROR\x1b[0m in 0.10s]

\x1b[31mFailure in model stg_orders (models/silver/stg_orders.sql)\x1b[0m

  Binder Error: Referenced column "nope" not found in FROM clause!
"""


def error(
    message: str, *, frames: tuple[tuple[str, int, str, str], ...] = (), cls_name: str = "ValueError"
) -> SerializableErrorInfo:
    stack = [f'  File "{file}", line {line}, in {function}\n    {code}\n' for file, line, function, code in frames]
    return SerializableErrorInfo(message, stack, cls_name)


def test_only_the_users_own_lines_are_shown_the_deepest_last() -> None:
    cause = error(
        "ValueError: no rows\n",
        frames=(
            (f"{LIBRARY}/dagster/_core/execution/plan/utils.py", 57, "op_execution_error_boundary", "yield"),
            (str(Path.cwd() / "shop/assets.py"), 12, "bronze_orders", "return read(path)"),
            (f"{sysconfig.get_path('stdlib')}/contextlib.py", 158, "__exit__", "self.gen.throw(value)"),
            (str(Path.cwd() / "shop/files.py"), 3, "read", 'raise ValueError("no rows")'),
        ),
    )
    outer = error("DagsterExecutionStepExecutionError: Error occurred\n", cls_name="DagsterExecutionStepExecutionError")

    assert describe_error(outer._replace(cause=cause)) == (
        "shop/assets.py:12 in bronze_orders\n"
        "    return read(path)\n"
        "shop/files.py:3 in read\n"
        '    raise ValueError("no rows")\n'
        "ValueError: no rows"
    )


def test_an_error_that_the_user_raised_from_another_is_the_one_that_is_shown() -> None:
    shown = error("shop.errors.NoOrders: none today\n", cls_name="NoOrders")._replace(cause=error("KeyError: 'id'\n"))

    assert describe_error(shown) == "shop.errors.NoOrders: none today"


def test_a_dbt_failure_is_what_dbt_said() -> None:
    assert describe_error(error(DBT_MESSAGE, cls_name="DagsterDbtCliRuntimeError")) == (
        "Failure in model stg_orders (models/silver/stg_orders.sql)\n"
        "\n"
        '  Binder Error: Referenced column "nope" not found in FROM clause!'
    )


@pytest.mark.parametrize(
    ("info", "shown"),
    [
        pytest.param(None, "no error was recorded", id="nothing"),
        pytest.param(error("ValueError\n"), "ValueError", id="no frames"),
        pytest.param(
            error("dagster._core.definitions.events.Failure: closed\n", cls_name="Failure"), "Failure: closed", id="dg"
        ),
        pytest.param(
            error("floe_core.errors.CatalogError: error[FLOE-401]: there is no table 'a.b'\n"),
            "error[FLOE-401]: there is no table 'a.b'",
            id="a problem of floe",
        ),
        pytest.param(
            error("dagster._core.definitions.events.Failure: error[FLOE-410]: no result\n", cls_name="Failure"),
            "error[FLOE-410]: no result",
            id="a problem of floe that is not tried again",
        ),
    ],
)
def test_errors_with_little_to_show(info: SerializableErrorInfo | None, shown: str) -> None:
    assert describe_error(info) == shown


def test_a_long_way_through_the_users_files_is_cut_at_its_beginning() -> None:
    frames = tuple((f"/srv/shop/step{number}.py", number, "go", "go()") for number in range(1, 30))

    places = re.findall(r"step(\d+)\.py", describe_error(error("RecursionError: deep\n", frames=frames)))

    assert places == ["25", "26", "27", "28", "29"]


def test_frames_of_floe_are_not_the_users() -> None:
    files = (floe_dagster.user_code.functions.__file__, floe_core.errors.__file__, "/srv/shop/assets.py")
    told = describe_error(error("no", frames=tuple((file, 1, "build", "build()") for file in files)))

    assert "/srv/shop/assets.py:1" in told
    assert "floe_dagster" not in told
    assert "floe_core" not in told


def test_variables_that_are_kept_hidden_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_X", "love-lace")
    keep_hidden(["SHOP_X", "SHOP_NOT_SET"])

    assert describe_error(error("ValueError: love-lace\n")) == "ValueError: ***"


def test_no_secret_of_this_process_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_READ", "r3ad-from-the-environment")
    monkeypatch.setenv("SHOP_API_TOKEN", "only-called-like-one")
    monkeypatch.setenv("FLOE_SECRETS_DIR", "/run/secrets")
    read_secret(SecretRef(secret_ref="SHOP_READ"))

    described = describe_error(
        error("ValueError: r3ad-from-the-environment, only-called-like-one, /run/secrets, https://etl:pw@host/x\n")
    )

    assert described == "ValueError: ***, ***, /run/secrets, https://***@host/x"
