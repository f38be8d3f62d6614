"""Resources of platform.yaml that cannot be built of the arguments that it gives."""

import pytest
from inline_snapshot import snapshot

from floe_cli.main import run_command_line
from plugins.user_project import UserProject

MAIL = """
import dagster as dg


class Mail(dg.ConfigurableResource):
    host: str
    port: int = 25
    password: str = ""


@dg.resource(config_schema={"host": str, "port": dg.Field(int, is_required=False)})
def configured(context): ...


class Plain:
    def __init__(self, host, port=25): ...


def anything(**options):
    raise ValueError(sorted(options))
"""


def told(project: UserProject, resource: str, capsys: pytest.CaptureFixture[str]) -> str:
    files = {"shop/__init__.py": "", "shop/mail.py": MAIL, "floe.yaml": "orchestration: {}\n", ".git/HEAD": ""}
    project.write({**files, "platform.yaml": f"resources:\n  mail: {resource}\n"})

    assert run_command_line(["validate"]) == 1

    return "\n".join(
        line
        for line in capsys.readouterr().err.splitlines()
        if line.lstrip().startswith(("error", "-->", "why", "fix"))
    )


@pytest.mark.parametrize("target", ["shop.mail.Mail", "shop.mail.Plain", "shop.mail.configured"])
def test_a_misspelt_argument(target: str, user_project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    text = told(user_project, f"{{target: {target}, args: {{hots: x}}}}", capsys)

    assert f"error[FLOE-373]: resource 'mail' cannot be built from '{target}'" in text
    assert "  resources.mail.args.hots\n" in text
    assert "  why: there is no argument 'hots'; it takes host, " in text
    assert text.endswith("  fix: did you mean 'host'?")


def test_a_misspelt_reference_to_a_secret(user_project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    resource = "{target: shop.mail.Mail, args: {host: h, password: {secret_reff: PASSWORD}}}"

    assert told(user_project, resource, capsys) == snapshot("""\
error[FLOE-373]: resource 'mail' cannot be built from 'shop.mail.Mail'
  --> platform.yaml:2:61  resources.mail.args.password.secret_reff
  why: a secret is named by {secret_ref: NAME}
  fix: did you mean 'secret_ref'?\
""")


def test_an_argument_that_is_too_few(user_project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(user_project, "{target: shop.mail.Plain, args: {port: 25}}", capsys) == snapshot("""\
error[FLOE-373]: resource 'mail' cannot be built from 'shop.mail.Plain'
  --> platform.yaml:2:3  resources.mail
  fix: give it the arguments that it takes, under `args`\
""")


def test_what_takes_any_argument_is_told_by_itself(
    user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(user_project, "{target: shop.mail.anything, args: {hots: x}}", capsys) == snapshot("""\
error[FLOE-373]: resource 'mail' cannot be built from 'shop.mail.anything'
  --> platform.yaml:2:3  resources.mail
  fix: give it the arguments that it takes, under `args`\
""")


@pytest.mark.parametrize("target", ["shop.mail.Mail", "shop.mail.configured"])
def test_arguments_of_another_type_than_the_config_of_a_resource_has(
    target: str, user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    text = told(user_project, f"{{target: {target}, args: {{host: [h], port: x}}}}", capsys)

    assert text.count(f"error[FLOE-373]: resource 'mail' cannot be built from '{target}'") == 2
    assert "  resources.mail.args.host\n" in text
    assert "  resources.mail.args.port\n" in text
    assert "  fix: write text\n" in text
    assert text.endswith("  fix: write a whole number")


@pytest.mark.parametrize("target", ["shop.mail.Mail", "shop.mail.configured"])
def test_an_argument_that_the_config_of_a_resource_needs(
    target: str, user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    text = told(user_project, f"{{target: {target}}}", capsys)

    assert text.endswith("  resources.mail\n  why: it lacks 'host'\n  fix: add 'host'")


def test_a_secret_of_another_type_is_not_shown(
    user_project: UserProject, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "hunter2-secret")

    resource = "{target: shop.mail.configured, args: {host: h, port: {secret_ref: PORT}}}"

    text = told(user_project, resource, capsys)
    assert "resources.mail.args.port" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("target", ["shop.mail.Mail", "shop.mail.configured", "shop.mail.Plain"])
def test_a_secret_that_is_not_set_hides_nothing_else(
    target: str, user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    args = "{hots: h, pasword: {secret_ref: MAILPW}, port: x, extra: 1}"

    text = told(user_project, f"{{target: {target}, args: {args}}}", capsys)

    assert "  resources.mail.args.hots\n" in text
    assert "  fix: did you mean 'host'?" in text
    assert "  resources.mail.args.extra\n" in text
    assert "  resources.mail.args.pasword\n" in text
    assert ("  resources.mail.args.port\n" in text) == (target != "shop.mail.Plain")  # which says nothing of types
    assert "it lacks" not in text


@pytest.mark.parametrize("target", ["shop.mail.Mail", "shop.mail.configured", "shop.mail.Plain"])
def test_an_argument_that_is_lacking_beside_a_secret_that_is_not_set(
    target: str, user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    text = told(user_project, f"{{target: {target}, args: {{port: {{secret_ref: PORT}}}}}}", capsys)

    assert text.count("error") == 1
    assert "  resources.mail\n  why: it lacks 'host'\n  fix: add 'host'" in text


@pytest.mark.parametrize("target", ["shop.mail.Mail", "shop.mail.configured", "shop.mail.Plain", "shop.mail.anything"])
def test_nothing_is_told_of_a_secret_that_is_not_set_but_that(
    target: str, user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"shop/__init__.py": "", "shop/mail.py": MAIL, "floe.yaml": "orchestration: {}\n", ".git/HEAD": ""}
    resource = f"{{target: {target}, args: {{host: {{secret_ref: HOST}}, port: 25}}}}"
    user_project.write({**files, "platform.yaml": f"resources:\n  mail: {resource}\n"})

    assert run_command_line(["validate"]) == 0

    assert "error" not in capsys.readouterr().err


IO_MANAGER = "resources:\n  io_manager: "
RETURNS = """
import dagster as dg


@dg.asset
def orders() -> list[int]:
    return [1]
"""


def write_io_project(project: UserProject, platform: str) -> None:
    files = {"shop/__init__.py": "", "shop/mail.py": MAIL, "shop/assets.py": RETURNS, ".git/HEAD": ""}
    floe_yaml = "orchestration: {asset_modules: [shop.assets]}\n"
    project.write({**files, "floe.yaml": floe_yaml, "platform.yaml": platform})


def test_an_io_manager_that_is_none(user_project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    write_io_project(user_project, f"{IO_MANAGER}{{target: shop.mail.Plain, args: {{host: h}}}}\n")

    assert run_command_line(["validate"]) == 1

    assert capsys.readouterr().err == snapshot("""\
error[FLOE-373]: resource 'io_manager' is built from 'shop.mail.Plain', which makes no I/O manager
  --> platform.yaml:2:24  resources.io_manager.target
   |  io_manager: {target: shop.mail.Plain, args: {host: h}}
  why: Dagster hands it what every asset and op returns that names no other I/O manager
  fix: derive the class from dagster.ConfigurableIOManager or dagster.IOManager, or give it another key
""")


@pytest.mark.parametrize(
    "resource",
    [
        "{target: dagster.FilesystemIOManager, args: {base_dir: {secret_ref: FOLDER}}}",
        "{target: dagster.InMemoryIOManager}",
    ],
    ids=["not known yet", "plain"],
)
def test_io_managers(resource: str, user_project: UserProject, capsys: pytest.CaptureFixture[str]) -> None:
    write_io_project(user_project, f"{IO_MANAGER}{resource}\n")

    assert run_command_line(["validate"]) == 0, capsys.readouterr().err


def test_a_resource_with_the_key_of_a_built_in_one(
    user_project: UserProject, capsys: pytest.CaptureFixture[str]
) -> None:
    write_io_project(
        user_project, "resources: {catalog: {target: shop.mail.Plain, args: {host: h}}, dbt: {target: builtins.dict}}\n"
    )

    assert run_command_line(["validate"]) == 0

    assert capsys.readouterr().err == snapshot("""\
warning[FLOE-373]: resource 'catalog' is not used: floe's own has that key
  --> platform.yaml:1:13  resources.catalog
   |  resources: {catalog: {target: shop.mail.Plain, args: {host: h}}, dbt: {target: builtins.dict}}
  why: what asks for a resource of a built-in key is given the built-in one
  fix: give it another key; a test passes its own as FloeDefinitions.from_compiled_artifacts(resources={'catalog': …})

floe.yaml is valid: 1 asset
""")
