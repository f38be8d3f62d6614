"""dbt as a command whose processes are forked from one that has imported dbt.

Importing dbt takes longer than most of what tests let it do. The command has its own process, whose output,
environment, working directory, signals and exit code are dbt's; none of them has anything open that another one had.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

_COMMAND = """\
#!{python} -IS
import json, os, signal, socket, sys

with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    request = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(request).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(request)
    dbt = int.from_bytes(server.recv(4), "big")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os.kill(dbt, number))
    code = server.recv(1)
sys.exit(code[0] if code else 1)
"""

_SERVER = """
import gc, json, os, select, socket, sys, threading, time, traceback
from multiprocessing.util import _exit_function
import dbt.adapters.duckdb
from dbt.cli.main import cli

def run(connection):
    head, descriptors, *_ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as request:
        arguments, folder, environment = json.loads(request.read(int.from_bytes(head, "big")))
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    connection.sendall(os.getpid().to_bytes(4, "big"))
    threading.Thread(target=end_with_command, args=(connection,), daemon=True).start()
    sys.argv = ["dbt", *arguments]
    try:
        cli()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    _exit_function()  # as Python ends: what is left of semaphores would be warned of in dbt's output
    connection.sendall(bytes([code]))
    os._exit(code)

def end_with_command(connection):
    connection.recv(1)
    os._exit(1)

gc.freeze()
children = []
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind(sys.argv[1])
    listening.listen()
    print("ready", flush=True)
    while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
        connection, _ = listening.accept()
        children.append(os.fork())
        if not children[-1]:
            listening.close()
            run(connection)
        connection.close()
for child in children:
    os.waitpid(child, 0)
"""


@contextmanager
def open_dbt_server(folder: Path) -> Iterator[Path]:
    """Gives the command, a file in *folder*."""
    address = folder / "socket"
    command = folder / "dbt"
    command.write_text(_COMMAND.format(python=sys.executable, address=str(address)))
    command.chmod(0o755)
    server = [sys.executable, "-u", "-c", _SERVER, str(address)]
    with subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield command
        process.stdin.close()


@contextmanager
def used_by_floe(command: Path) -> Iterator[None]:
    """Have floe call *command* in this process; in other processes it calls its own dbt."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("floe_dagster.dbt.parse", "floe_dagster.resources.dbt"):
            patch.setattr(f"{module}.find_dbt", lambda: str(command))
        patch.setattr("floe_dagster.dbt.cli.FloeDbtCliResource._cli_version", Version(version("dbt-core")))
        yield
