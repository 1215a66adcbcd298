"""What the environment says -> what is opened, or the one sentence that says what to do."""

from dataclasses import replace
from pathlib import Path

import pytest

from intercom_assets.database.failures import AppUnavailable
from intercom_assets.intercom.errors import Refusal, Unauthorized, VersionUnknown
from intercom_assets.mapping.load import SAMPLE
from intercom_assets.mapping.problems import MappingError
from intercom_assets.simulator.server import serving
from intercom_assets.simulator.simulator import Simulator
from intercom_assets.sync.environment import (
    Configuration,
    ConfigurationError,
    open_services,
    opened,
    read_environment,
)

URL = "postgresql://app:hunter2@127.0.0.1:5432/app"


def test_an_empty_environment_is_the_defaults() -> None:
    printed = read_environment({})

    assert printed == Configuration()
    assert printed.base_url == "https://api.intercom.io"
    assert printed.api_version == "2.16"
    assert printed.mapping_folder is None


def test_what_is_set_is_taken_and_blank_is_the_same_as_absent() -> None:
    printed = read_environment(
        {
            "APP_DATABASE_URL": f" {URL}\n",
            "SYNC_DATABASE_URL": " ",
            "INTERCOM_ACCESS_TOKEN": "tok",
            "INTERCOM_BASE_URL": "",
            "INTERCOM_SYNC_CONFIG": "/etc/mapping",
            "INTERCOM_SYNC_ENABLED": "Yes",
        }
    )

    assert (printed.app_url, printed.sync_url, printed.token) == (URL, URL, "tok")
    assert printed.base_url == "https://api.intercom.io"
    assert printed.mapping_folder == Path("/etc/mapping")
    assert printed.refusal is None


def test_our_tables_may_be_elsewhere() -> None:
    elsewhere = "postgresql://sync@127.0.0.1/sync"

    printed = read_environment({"APP_DATABASE_URL": URL, "SYNC_DATABASE_URL": elsewhere})

    assert (printed.app_url, printed.sync_url) == (URL, elsewhere)


@pytest.mark.parametrize("switch", ["true", "1", "yes", "on", "True", "ON"])
def test_the_switch_is_on(switch: str) -> None:
    assert Configuration(token="tok", switch=switch).refusal is None


@pytest.mark.parametrize("switch", ["", "false", "0", "no", "off", "enabled", "2"])
def test_anything_else_is_off(switch: str) -> None:
    refusal = Configuration(token="tok", switch=switch).refusal

    assert refusal is not None
    assert refusal.startswith("The sync is switched off: INTERCOM_SYNC_ENABLED")


def test_a_missing_token_is_said_only_when_the_switch_is_on() -> None:
    assert "ACCESS_TOKEN" in str(Configuration(switch="on").refusal)
    assert "ACCESS_TOKEN" not in str(Configuration().refusal)


def test_the_samples_mapping_is_used_only_where_it_is_named() -> None:
    printed = Configuration(app_url=URL, token="tok", switch="on")

    assert str(printed.refusal).startswith("INTERCOM_SYNC_CONFIG is not set: nothing is written")
    assert printed.refusal == printed.unmapped
    assert "INTERCOM_SYNC_CONFIG" not in str(replace(printed, switch="").refusal)
    assert replace(printed, mapping_folder=SAMPLE).refusal is None


def test_neither_token_nor_password_is_shown() -> None:
    shown = repr(Configuration(app_url=URL, sync_url=URL, token="tok-123"))

    assert "hunter2" not in shown
    assert "tok-123" not in shown


def test_opening_connects_to_nothing() -> None:
    with opened(Configuration(app_url=URL, sync_url=URL)) as services:
        assert services.settings.batch_size == 10_000
        assert services.intercom.counters().calls == {}


def test_the_version_of_the_environment_is_the_one_that_is_asked_for() -> None:
    simulator = Simulator()
    with serving(simulator) as address:
        printed = {"APP_DATABASE_URL": URL, "INTERCOM_ACCESS_TOKEN": "demo-token"}
        answer = read_environment(
            {**printed, "INTERCOM_BASE_URL": address, "INTERCOM_API_VERSION": "9.9"}
        )
        with opened(answer) as services, pytest.raises(VersionUnknown):
            services.intercom.me()
        services.intercom.close()


def test_a_proxy_that_cannot_be_used_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://ada:pass@127.0.0.1:1080")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    with pytest.raises(ConfigurationError, match="the proxy that the environment names") as answer:
        open_services(Configuration(app_url=URL, token="tok"))
    assert "pass" not in str(answer.value)


@pytest.mark.parametrize(
    ("configuration", "error", "sentence"),
    [
        (Configuration(), ConfigurationError, "APP_DATABASE_URL is not set"),
        (
            Configuration(app_url=URL, mapping_folder=Path("/nowhere")),
            MappingError,
            "INTERCOM_SYNC_CONFIG: the mapping's folder /nowhere does not exist",
        ),
        (
            Configuration(app_url=URL, token="tok", base_url="http://api.intercom.io"),
            ConfigurationError,
            "INTERCOM_BASE_URL: Intercom's address must be https",
        ),
        (
            Configuration(app_url=URL, token="töken \n"),
            ConfigurationError,
            "INTERCOM_ACCESS_TOKEN: the access token holds",
        ),
        (
            Configuration(app_url=URL, token="tok", api_version="2.16\r\nX-Odd: 1"),
            ConfigurationError,
            "INTERCOM_API_VERSION: Intercom's API version is written as 2.16",
        ),
    ],
)
def test_a_mistake_is_one_sentence(
    configuration: Configuration, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as mistake:
        open_services(configuration)

    assert str(mistake.value).startswith(sentence)
    assert "hunter2" not in str(mistake.value)


def test_sentences_say_what_to_do_and_end_once() -> None:
    refused = Unauthorized(Refusal("Access Token Invalid", 401, "token_unauthorized"))

    assert refused.sentence.endswith("set INTERCOM_ACCESS_TOKEN to a token of this workspace.")
    assert AppUnavailable("the app's database cannot be reached: no.").sentence == (
        "The app's database cannot be reached: no; nothing is lost, changes wait until it can be "
        "read again."
    )


def test_a_tilde_in_the_mappings_folder_is_the_home_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    read = read_environment({"INTERCOM_SYNC_CONFIG": "~/mapping"})

    assert read.mapping_folder == tmp_path / "mapping"
