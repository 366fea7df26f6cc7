"""The table of commands and the modules that it names say the same."""

import pytest
import typer
from typer.testing import CliRunner

from collector.cli import COMMANDS, Deferred, app


@pytest.mark.parametrize("name", COMMANDS)
def test_a_purpose_is_how_the_help_of_its_command_begins(name: str) -> None:
    command = typer.main.get_group(app).commands[name]
    assert isinstance(command, Deferred)
    assert command.load().help.split("\n\n")[0] == COMMANDS[name].purpose


def test_a_command_is_found_with_its_own_options_and_commands_of_its_own() -> None:
    runner = CliRunner()
    assert "--verbose" in runner.invoke(app, ["run", "--help"]).output
    assert "consumption" in runner.invoke(app, ["devices", "-h"]).output
    assert "--install-completion" not in runner.invoke(app, ["devices", "-h"]).output


def test_a_wrong_command_is_told_with_what_was_meant() -> None:
    runner = CliRunner()
    for words, meant in ((["stats"], "status"), (["devices", "lst"], "list")):
        result = runner.invoke(app, words)
        assert result.exit_code == 2
        assert f"Did you mean '{meant}'?" in result.output


def test_a_shell_completes_commands_of_commands() -> None:
    asked = {"_SITEWARD_COMPLETE": "complete_bash", "COMP_WORDS": "siteward devices co", "COMP_CWORD": "2"}
    result = CliRunner().invoke(app, [], env=asked, prog_name="siteward")
    assert result.output.split() == ["consumption"]
