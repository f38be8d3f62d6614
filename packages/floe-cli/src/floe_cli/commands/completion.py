"""`floe completion bash|zsh|fish`."""

import click
from click.shell_completion import get_completion_class

from floe_cli.console import emit
from floe_cli.options import shared_options


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@shared_options
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what completes commands and names in a shell.

    \b
    bash, in ~/.bashrc:                      eval "$(floe completion bash)"
    zsh, in ~/.zshrc (after compinit):       eval "$(floe completion zsh)"
    fish, in ~/.config/fish/config.fish:     floe completion fish | source

    Jobs, backfills and sensors are completed from floe.yaml, asset keys and what Python modules define from what was
    compiled and last loaded; nothing is imported for it.
    """
    completion = get_completion_class(shell)
    assert completion is not None
    emit(completion(ctx.find_root().command, {}, "floe", "_FLOE_COMPLETE").source().rstrip())
