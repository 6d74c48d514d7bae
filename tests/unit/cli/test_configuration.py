"""Configuration files: what each may set, and that a file merely found can never choose what is trusted."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from commandline import modelsign as run

from modelsign.cli import config
from modelsign.errors import UsageError


@pytest.fixture
def places(tmp_path):
    """A home, and a repository with a folder in it; nothing is configured."""
    home, repository = tmp_path / "home", tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    (repository / "models" / "m").mkdir(parents=True)
    (home / ".config" / "modelsign").mkdir(parents=True)
    return home, repository


@pytest.fixture
def explain(places):
    """Run ``modelsign explain USAGE`` in the repository's folder, in a home of its own."""
    home, repository = places

    def explained(*arguments, environ=None, cwd=repository / "models" / "m"):
        surroundings = {"HOME": str(home), "XDG_CONFIG_HOME": "", "XDG_CONFIG_DIRS": str(home / "xdg")}
        return run("explain", "USAGE", *arguments, environ={**surroundings, **(environ or {})}, cwd=cwd)

    return explained


def test_without_configuration_the_answer_is_text(explain):
    assert explain().stdout.startswith("USAGE (reason)")


@pytest.mark.parametrize("where", [".", "models", "models/m"])
def test_a_file_found_upward_to_the_repository_sets_presentation(explain, places, where):
    (places[1] / where / "modelsign.toml").write_text('format = "json"\n')
    assert explain().document["command"] == "explain"


def test_the_table_of_a_pyproject_sets_presentation(explain, places):
    (places[1] / "pyproject.toml").write_text('[tool.modelsign]\nformat = "json"\n')
    assert explain().document["exit_code"] == 0


@pytest.mark.parametrize("text", ["[tool.other]\nx = 1\n", "not toml: modelsign", "tool = 1 # modelsign\n"])
def test_a_pyproject_that_is_not_about_modelsign_is_left_alone(explain, places, text):
    (places[1] / "pyproject.toml").write_text(text)
    assert explain().exit_code == 0


def test_nothing_above_the_repository_is_looked_at(explain, places):
    (places[1].parent / "modelsign.toml").write_text('format = "json"\n')
    assert explain().stdout.startswith("USAGE (reason)")


def test_outside_a_repository_only_the_working_directory_is_looked_at(explain, places, tmp_path):
    inner = tmp_path / "loose" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "loose" / "modelsign.toml").write_text('format = "json"\n')
    assert explain(cwd=inner).stdout.startswith("USAGE (reason)")
    assert explain(cwd=inner.parent).document["exit_code"] == 0
    assert places


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[verify]\nkey = ["attacker.pub"]\n', "verify"),
        ('key = "attacker.pub"\n', "key"),
        ('[check]\npolicy = "allow-all.yaml"\n', "check"),
        ("[sign]\ninsecure-anything = true\n", "sign"),
        ("[scan]\nignore-paths = ['evil.pkl']\n", "scan"),
        ('output = "/etc/passwd"\n', "output"),
        ("force = true\n", "force"),
        ('config = "other.toml"\n', "config"),
        ("[explain]\nformat = 'json'\n", "explain"),
    ],
)
@pytest.mark.parametrize("form", ["modelsign.toml", "pyproject.toml"])
def test_a_found_file_that_sets_anything_else_is_a_usage_error_that_names_the_key(explain, places, text, key, form):
    if form == "pyproject.toml":
        text = "[tool.modelsign]\n" + text if not text.startswith("[") else text.replace("[", "[tool.modelsign.", 1)
    (places[1] / form).write_text(text)
    got = explain("--format", "json")
    assert got.exit_code == 2
    assert got.codes == ["CONFIG_REFUSED"]
    assert f"{key!r}" in got.document["reasons"][0]["message"]
    assert form in got.document["reasons"][0]["message"]


def test_no_config_ignores_every_file(explain, places):
    (places[1] / "modelsign.toml").write_text("key = 1\n")
    assert explain("--no-config").exit_code == 0
    assert explain(environ={"MODELSIGN_NO_CONFIG": "1"}).exit_code == 0


@pytest.mark.parametrize(
    "text",
    ["format = 3\n", "progress = 'no'\n", "verbose = true\n", "verbose = 'x'\n", "quiet = 1\n", "this is not TOML"],
)
def test_a_value_of_the_wrong_kind_is_refused(explain, places, text):
    (places[1] / "modelsign.toml").write_text(text)
    assert explain("--format", "json").codes == ["CONFIG_REFUSED"]


def test_a_format_this_command_does_not_have_is_passed_over_in_a_file(explain, places):
    (places[1] / "modelsign.toml").write_text('format = "sarif"\n')
    assert explain().stdout.startswith("USAGE (reason)")


def test_a_format_nobody_has_is_a_usage_error(explain, places):
    (places[1] / "modelsign.toml").write_text('format = "yaml"\n')
    assert explain().exit_code == 2


def test_the_users_own_file_sets_any_flag_of_any_command(explain, places):
    own = places[0] / ".config" / "modelsign" / "config.toml"
    own.write_text('[explain]\nformat = "json"\n[verify]\nkey = ["mine.pub"]\n')
    assert explain().document["exit_code"] == 0


def test_the_systems_file_is_weaker_than_the_users(explain, places):
    system, own = places[0] / "xdg" / "modelsign", places[0] / ".config" / "modelsign"
    system.mkdir(parents=True)
    (system / "config.toml").write_text('format = "json"\n')
    assert explain().document["exit_code"] == 0
    (own / "config.toml").write_text('format = "text"\n')
    assert explain().stdout.startswith("USAGE")


def test_a_file_that_is_named_sets_any_flag(explain, tmp_path):
    (tmp_path / "c.toml").write_text('[explain]\nformat = "json"\n')
    assert explain("--config", tmp_path / "c.toml").document["exit_code"] == 0
    assert explain(environ={"MODELSIGN_CONFIG": str(tmp_path / "c.toml")}).document["exit_code"] == 0


def test_a_named_file_is_stronger_than_a_found_one_and_weaker_than_a_flag(explain, places, tmp_path):
    (places[1] / "modelsign.toml").write_text('format = "json"\n')
    (tmp_path / "c.toml").write_text('format = "text"\n')
    assert explain("--config", tmp_path / "c.toml").stdout.startswith("USAGE")
    assert explain("--config", tmp_path / "c.toml", "--format", "json").document["exit_code"] == 0


def test_a_named_file_that_is_not_there_is_refused(explain, tmp_path):
    assert explain("--config", tmp_path / "none", "--format", "json").codes == ["CONFIG_REFUSED"]


@pytest.mark.parametrize("text", ["[explain]\nfromat = 'json'\n", "fromat = 'json'\n", "[explian]\nformat = 'json'\n"])
def test_a_key_that_no_command_has_is_a_usage_error(explain, tmp_path, text):
    (tmp_path / "c.toml").write_text(text)
    assert explain("--config", tmp_path / "c.toml", "--format", "json").codes == ["CONFIG_REFUSED"]


def test_progress_is_set_by_its_positive_name(tmp_path):
    (tmp_path / "c.toml").write_text("progress = false\nquiet = true\nverbose = 2\n")
    found = config.sources(named=str(tmp_path / "c.toml"), environ={}, cwd=str(tmp_path), user=False, discover=False)
    flags = ("no_progress", "quiet", "verbose", "color")
    assert config.flag_defaults(found, command="explain", commands=("explain",), flags=flags) == {
        "no_progress": True,
        "quiet": True,
        "verbose": 2,
    }


def test_a_table_of_a_nested_command_reaches_that_command_alone(tmp_path):
    (tmp_path / "c.toml").write_text("[key.generate]\nalgorithm = 'p384'\n[key.show]\n")
    found = config.sources(named=str(tmp_path / "c.toml"), environ={}, cwd=str(tmp_path), user=False, discover=False)
    assert config.flag_defaults(found, command="key generate", commands=("key",), flags=("algorithm",)) == {
        "algorithm": "p384"
    }
    with pytest.raises(UsageError, match="has no flag 'algorithm'"):
        config.flag_defaults(found, command="key generate", commands=("key",), flags=("format",))


def test_configuration_is_not_read_where_only_help_is_wanted(explain, places):
    (places[1] / "modelsign.toml").write_text("key = 1\n")
    assert explain("--help").exit_code == 0


def test_elsewhere_than_on_linux_the_system_says_where_configuration_lies(monkeypatch, tmp_path):
    places = type("Places", (), {"site_config_dir": str(tmp_path / "site"), "user_config_dir": str(tmp_path / "user")})
    monkeypatch.setattr(config.os, "uname", lambda: type("Uname", (), {"sysname": "Darwin"}))
    monkeypatch.setattr("platformdirs.PlatformDirs", lambda *_args, **_options: places)
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "config.toml").write_text("quiet = true\n")
    (found,) = config.sources(named=None, environ={}, cwd=str(tmp_path), discover=False)
    assert found.path == str(tmp_path / "user" / "config.toml")
    assert not found.discovered


def test_a_home_that_may_not_be_searched_holds_no_configuration(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root may become somebody else")
    (tmp_path / "home/.config").mkdir(parents=True)
    (tmp_path / "home").chmod(0o700)
    program = (
        "import os\n"
        "from modelsign.cli import config\n"
        "from modelsign import files\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"print(config.sources(named=None, environ={{'HOME': '{tmp_path}/home'}}, cwd='{tmp_path}/home/x'))"
    )
    got = subprocess.run([sys.executable, "-c", program], cwd="/", capture_output=True, text=True, check=False)
    assert (got.stdout, got.stderr) == ("()\n", "")


@pytest.mark.parametrize("place", ["nowhere.toml", "."])
def test_a_named_file_that_cannot_be_read_is_a_refused_configuration(tmp_path, place):
    got = run("explain", "--format", "json", "--config", place, cwd=tmp_path)
    assert (got.exit_code, got.codes) == (2, ["CONFIG_REFUSED"])
