"""A Dagster instance that several processes open before it is there."""

import subprocess
import sys
from pathlib import Path

OPEN = """
import sys
from pathlib import Path
from floe_core.project import ProjectFolder
from floe_core.schemas.platform_spec import PlatformSpec
from floe_dagster.running.instance import open_instance

print("ready", flush=True)
sys.stdin.readline()
open_instance(ProjectFolder(Path(sys.argv[1])), PlatformSpec(), environ={})
"""


def test_several_processes_make_one_new_instance_at_once(tmp_path: Path) -> None:
    (tmp_path / "floe.yaml").touch()
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", OPEN, str(tmp_path)]
    openers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(4)]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"

    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("\n")
        opener.stdin.flush()
    told = [opener.communicate()[1] for opener in openers]

    assert [opener.returncode for opener in openers] == [0] * len(openers), told
