"""The demo's directory: gone afterwards unless it was given, and closed to other people."""

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from intercom_assets.cli.main import main
from intercom_assets.supervision.processes import Processes
from intercom_assets.supervision.workdir import demo_place, private_directory


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_without_a_name_it_is_temporary() -> None:
    with demo_place() as place:
        (place / "file").touch()
        assert rights(place) == (0o711 if os.geteuid() == 0 else 0o700)
    assert not place.exists()


def test_a_named_one_is_made_and_kept(tmp_path: Path) -> None:
    with demo_place(tmp_path / "a" / "demo") as place:
        (place / "file").touch()
    with demo_place(tmp_path / "a" / "demo") as place:
        assert (place / "file").exists()


def test_the_rights_of_one_that_exists_are_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with demo_place(tmp_path):
        assert rights(tmp_path) == 0o755


def test_a_relative_name_holds_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with demo_place(Path("here")) as place:
        assert place == tmp_path / "here"


def test_logs_are_for_our_eyes_only(tmp_path: Path) -> None:
    assert rights(private_directory(tmp_path / "dagster")) == 0o700
    with Processes(tmp_path / "processes", {}) as processes:
        assert rights(processes.home) == 0o700


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere", "/sys", "/dev/null/x"])
@pytest.mark.parametrize("more", [["--once"], ["--play", "c"]])
def test_a_data_dir_that_cannot_be_is_one_sentence(
    tmp_path: Path, place: str, more: list[str]
) -> None:
    (tmp_path / "file").write_text("")

    done = CliRunner().invoke(main, ["demo", "--data-dir", str(tmp_path / place), *more])

    assert done.exit_code in (1, 2)
    assert isinstance(done.exception, SystemExit)
    assert str(tmp_path / place) in done.stderr
    assert "Traceback" not in done.output
