"""Where settings come from, and what is told when they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from clustergraph import settings
from clustergraph.errors import SettingsError


def project(tmp_path: Path, text: str) -> Path:
    """A project folder with this settings file."""
    (tmp_path / settings.PROJECT_FILE).write_text(text)
    return tmp_path


def test_flag_wins_over_environment_over_file_over_default(tmp_path: Path) -> None:
    """The order in which values are looked for."""
    folder = project(tmp_path, '[server]\nport = 1\nhost = "a"\n[project]\nslug = "x"\n')
    env = {"CG_HOST": "b", "CG_PORT": "2"}
    found = settings.load(folder, environment=env, port=3)
    assert (found.port, found.host, found.slug, found.keep) == (3, "b", "x", 20)


def test_the_base_of_the_files_stays_when_another_is_published(tmp_path: Path) -> None:
    """Files are read with the base that the project's file names."""
    folder = project(tmp_path, '[project]\nbase = "https://a.example/"\n')
    found = settings.load(folder, environment={"CG_BASE": "http://b.example/"})
    assert (found.written_base, found.base) == ("https://a.example/", "http://b.example/")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[project", "not valid TOML"),
        ("[project]\ntitel = 'x'\n", r"unknown setting project\.titel"),
        ("[server]\nport = 'x'\n", "port must be a int"),
        ("[project]\nbase = 'example.org'\n", "base IRI 'example.org' cannot be used"),
        ("[project]\nlanguages = 'en'\n", "languages must be a list of strings"),
        ("[dataset]\ndefault-graph = 'both'\n", "default-graph"),
        ("slug = 'x'\n", "outside any table"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, message: str) -> None:
    """With the file, the key and what is allowed."""
    with pytest.raises(SettingsError, match=message):
        settings.load(project(tmp_path, text), environment={})


def test_a_folder_without_project_file_is_no_project(tmp_path: Path) -> None:
    """And the way to make one is named."""
    with pytest.raises(SettingsError, match="clustergraph init"):
        settings.load(tmp_path, environment={})


def test_a_project_is_found_from_below(tmp_path: Path) -> None:
    """The nearest folder upwards counts; without any, the one that comes with the program."""
    folder = project(tmp_path, "")
    below = folder / "a" / "b"
    below.mkdir(parents=True)
    assert settings.find_project(below) == folder.resolve()
    assert (settings.default_project() / settings.PROJECT_FILE).is_file()


def test_every_setting_has_a_help_text() -> None:
    """They are declared once, and told by the doctor."""
    assert all(help_text for _name, _key, _default, help_text in settings.declared())
