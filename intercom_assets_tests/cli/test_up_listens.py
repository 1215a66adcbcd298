"""`up` with a client secret: it says where it would listen."""

from pathlib import Path

from intercom_assets_tests.cli.conftest import Shell


def test_up_listens_where_a_secret_is_set(shell: Shell, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    without = shell.run("up", "--dry-run", "--port", "39917", DAGSTER_HOME=home)
    with_one = shell.run(
        *("up", "--dry-run", "--port", "39917", "--listen-port", "39918"),
        DAGSTER_HOME=home,
        INTERCOM_CLIENT_SECRET="hush",
    )

    assert "for what Intercom sends" not in without.output
    assert "listen at 127.0.0.1, port 39918, for what Intercom sends" in with_one.output
    assert "hush" not in with_one.output
