"""What `deploy/` ships is true: variables, commands, paths and settings are those of the code."""

import re
import socket
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from intercom_assets.launch.services import DAGSTER_VARIABLES
from intercom_assets.orchestration.workspace_names import INTERCOM_WORKSPACE
from intercom_assets.sync import environment
from intercom_assets_tests.commands import misunderstood

DEPLOY = Path(str(files("intercom_assets"))) / "deploy"
ROOT = DEPLOY.parents[1]
OURS = {
    value
    for name, value in vars(environment).items()
    if name == value
    and name.endswith(("_URL", "_TOKEN", "_CONFIG", "_ENABLED", "_VERSION", "_WEBHOOK", "_SECRET"))
} | {INTERCOM_WORKSPACE}
DAGSTERS = {
    "DAGSTER_HOME",
    "DAGSTER_DATABASE_URL",
    "DAGSTER_EVENT_BATCH_SIZE",
    "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS",
    "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR",
    "DAGSTER_GRPC_TIMEOUT_SECONDS",
    "DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD",
}
MEASURED = DAGSTER_VARIABLES


def shipped(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def of_dagster() -> dict[str, Any]:
    return dict(shipped("dagster.yaml"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(shipped("compose.yaml"))


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return dict(shipped("kubernetes.yaml"))


def variables_of(text: str) -> set[str]:
    return set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", text, re.MULTILINE))


def test_every_file_is_in_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["intercom_assets"]

    for file in DEPLOY.iterdir():
        assert any(fnmatch(f"deploy/{file.name}", pattern) for pattern in patterns), file


def test_the_file_of_variables_names_those_that_the_code_reads() -> None:
    """And all of them, but the one that compose.yaml sets itself."""
    assert variables_of((DEPLOY / "intercom_assets.env").read_text()) == OURS - {
        environment.SYNC_DATABASE_URL
    }


def test_the_image_has_what_it_copies_and_sets_what_was_measured() -> None:
    text = (DEPLOY / "Dockerfile").read_text()

    for name in re.findall(r"\$deploy/([\w.]+)", text):
        assert (DEPLOY / name).is_file(), name
    copied = [words.split() for words in re.findall(r"^COPY (.*) /source", text, re.MULTILINE)]
    assert {name for names in copied for name in names} == {
        "pyproject.toml",
        "setup.cfg",
        "README.md",
        "intercom_assets",
    }
    settings = dict(re.findall(r"\b(DAGSTER_\w+)=(\S+)", text))
    assert settings == {"DAGSTER_HOME": "/dagster", **MEASURED}
    assert "USER dagster" in text


# --- compose --------------------------------------------------------------------------------------


def test_the_services_of_compose_are_those_that_are_needed(compose: dict[str, Any]) -> None:
    assert compose["services"].keys() == {
        *("database", "setup", "code", "daemon", "webserver", "listen")
    }
    assert compose["services"]["webserver"]["ports"] == ["127.0.0.1:3000:3000"]
    assert "ports" not in compose["services"]["database"]
    assert (
        compose["services"]["setup"]["build"]["dockerfile"] == "intercom_assets/deploy/Dockerfile"
    )
    assert compose["services"]["setup"]["build"]["context"].endswith(":-../..}")


def test_every_command_of_compose_is_understood(compose: dict[str, Any]) -> None:
    ours = [s for s in compose["services"].values() if s["image"] == "intercom_assets"]
    commands = [service["command"] for service in ours]

    assert len(commands) == 5
    assert [wrong for words in commands if (wrong := misunderstood(words))] == []


def test_the_listener_is_started_where_it_is_asked_for_and_on_loopback(
    compose: dict[str, Any],
) -> None:
    listen = compose["services"]["listen"]
    assert listen["profiles"] == ["webhooks"]
    assert listen["ports"] == ["127.0.0.1:8080:8080"]


def test_the_listener_on_kubernetes_runs_a_command_that_is_understood() -> None:
    text = (DEPLOY / "kubernetes-listen.yaml").read_text()
    deployment, service, ingress = yaml.safe_load_all(text)
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    paths = ingress["spec"]["rules"][0]["http"]["paths"]

    assert misunderstood(container["command"]) is None
    assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["containerPort"]
    assert [path["path"] for path in paths] == ["/webhooks", "/inbox/"]


def test_every_variable_of_compose_is_one_that_is_read(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        if service["image"] == "intercom_assets":
            assert service["environment"].keys() <= OURS | DAGSTERS
            assert service["env_file"] == "intercom_assets.env"
    assert of_dagster()["storage"]["postgres"]["postgres_url"] == {"env": "DAGSTER_DATABASE_URL"}


def test_the_files_that_are_edited_are_those_that_are_read(compose: dict[str, Any]) -> None:
    """The image has some of them too; what lies beside compose.yaml goes before."""
    for name in ("code", "daemon", "webserver", "setup"):
        mounted = dict(volume.split(":")[:2] for volume in compose["services"][name]["volumes"])
        for file in ("dagster.yaml", "workspace.yaml"):
            assert mounted[f"./{file}"] == f"/dagster/{file}"
            assert (DEPLOY / file).is_file()


def test_webserver_and_daemon_find_the_code(compose: dict[str, Any]) -> None:
    [entry] = shipped("workspace.yaml")["load_from"]
    server = entry["grpc_server"]
    command = compose["services"][server["host"]]["command"]

    assert str(server["port"]) == command[command.index("--port") + 1]
    for name in ("daemon", "webserver"):
        command = compose["services"][name]["command"]
        assert command[-2:] == ["--workspace", "/dagster/workspace.yaml"]
        waits_for = compose["services"][name]["depends_on"]
        assert waits_for == {server["host"]: {"condition": "service_healthy"}}


def test_the_code_is_healthy_once_its_port_is_open(compose: dict[str, Any]) -> None:
    [entry] = shipped("workspace.yaml")["load_from"]
    port = entry["grpc_server"]["port"]
    python, _, program = compose["services"]["code"]["healthcheck"]["test"][1:]

    assert python == "python"
    assert f"('localhost', {port})" in program
    with socket.create_server(("localhost", 0)) as listening:
        tried = program.replace(str(port), str(listening.getsockname()[1]))
        assert subprocess.run([sys.executable, "-c", tried], check=False).returncode == 0
    assert (
        subprocess.run(
            [sys.executable, "-c", tried], check=False, stderr=subprocess.DEVNULL
        ).returncode
        == 1
    )


def test_the_database_is_healthy_once_it_can_be_reached_from_outside(
    compose: dict[str, Any],
) -> None:
    """While the image makes its database, it answers on its own socket only."""
    assert "--host" in compose["services"]["database"]["healthcheck"]["test"]


# --- Kubernetes -----------------------------------------------------------------------------------


def test_kubernetes_has_the_settings_of_dagster_yaml(values: dict[str, Any]) -> None:
    dagster, daemon = of_dagster(), values["dagsterDaemon"]
    monitoring = dagster["run_monitoring"]

    assert daemon["runCoordinator"]["config"]["customRunCoordinator"] == dagster["run_coordinator"]
    assert values["additionalInstanceConfig"]["concurrency"] == dagster["concurrency"]
    assert daemon["runMonitoring"]["startTimeoutSeconds"] == monitoring["start_timeout_seconds"]
    assert daemon["runMonitoring"]["pollIntervalSeconds"] == monitoring["poll_interval_seconds"]
    assert daemon["runRetries"] == {
        "enabled": dagster["run_retries"]["enabled"],
        "maxRetries": dagster["run_retries"]["max_retries"],
        "retryOnAssetOrOpFailure": dagster["run_retries"]["retry_on_asset_or_op_failure"],
    }
    assert daemon["sensors"]["numWorkers"] == dagster["sensors"]["num_workers"]
    for kind in ("sensor", "schedule"):
        assert (
            values["retention"][kind]["purgeAfterDays"]
            == (dagster["retention"][kind]["purge_after_days"])
        )


def test_every_pod_has_the_variables_and_the_code_is_ours(values: dict[str, Any]) -> None:
    [code] = values["dagster-user-deployments"]["deployments"]
    for pod in (values["dagsterWebserver"], values["dagsterDaemon"], code):
        assert {each["name"]: each["value"] for each in pod["env"]} == MEASURED
        assert pod["envSecrets"] == [{"name": "intercom-assets"}]
    assert code["includeConfigInLaunchedRuns"] == {"enabled": True}
    assert misunderstood(["dagster", "api", "grpc", "-p", "1", *code["dagsterApiGrpcArgs"]]) is None
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "k8s" in extras["optional-dependencies"]
