"""Laws of the configuration: precedence, misspelt keys, bounds, secrets."""

import re
import tomllib
from pathlib import Path

import pytest

from stream_rec.config import Settings, load_settings, load_settings_with_origins
from stream_rec.config_sources import env_name, known_keys
from stream_rec.errors import ConfigError

CONFIG_DIR = Path(__file__).parent.parent / "config"
NOT_IN_DEFAULT_FILE = {
    "sasl_username",
    "sasl_password",
    "ssl_cafile",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_password",
}


@pytest.fixture
def config_file(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "my.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_default_file_equals_the_defaults_of_the_code():
    assert load_settings(CONFIG_DIR / "default.toml") == Settings()


def test_default_file_names_every_setting():
    text = (CONFIG_DIR / "default.toml").read_text(encoding="utf-8")
    for section, *rest in known_keys():
        name = rest[-1] if rest else section
        pattern = rf"^# {name} = " if name in NOT_IN_DEFAULT_FILE else rf"\b{name}\b = "
        assert re.search(pattern, text, re.MULTILINE), f"{section}.{name} is not documented"


@pytest.mark.parametrize("name", ["default.toml", "embedded.toml", "docker.toml"])
def test_every_line_of_a_shipped_file_is_explained(name):
    lines = (CONFIG_DIR / name).read_text(encoding="utf-8").splitlines()
    in_types, explained = False, False
    for line in lines:
        in_types = line == "[events.types]" or (in_types and not line.startswith("["))
        if line.startswith("#"):
            explained = True
        elif not line or line.startswith("["):
            explained = False
        else:
            assert explained or in_types or "producer_queue_kib_max" in line, line


@pytest.mark.parametrize("name", ["default.toml", "embedded.toml", "docker.toml"])
def test_every_shipped_file_is_valid(name):
    assert isinstance(load_settings(CONFIG_DIR / name), Settings)


def test_environment_wins_over_file_and_override_wins_over_both(config_file):
    path = config_file("[kafka]\nbroker = 'file:1'\nlinger_ms = 7\n[topics]\nevents = 'file'\n")
    loaded = load_settings_with_origins(
        path,
        {"kafka.broker": "override:3"},
        {"STREAM_REC_KAFKA__BROKER": "env:2", "STREAM_REC_TOPICS__EVENTS": "env"},
    )
    assert loaded.settings.kafka.broker == "override:3"
    assert loaded.settings.topics.events == "env"
    assert loaded.settings.kafka.linger_ms == 7
    assert loaded.origins == {
        "kafka.broker": "override (--set)",
        "topics.events": "environment variable STREAM_REC_TOPICS__EVENTS",
        "kafka.linger_ms": str(path),
    }


def test_load_settings_reads_the_environment_of_the_process(monkeypatch):
    monkeypatch.setenv("STREAM_REC_WORKER__WEB_PORT", "7000")
    assert load_settings().worker.web_port == 7000
    assert Settings().worker.web_port == 6066


def test_environment_texts_become_the_type_of_their_setting():
    environment = {
        "STREAM_REC_MODEL__HALF_LIVES_S": "[60, 120.5]",
        "STREAM_REC_MODEL__EXCLUDE_SEEN": "false",
        "STREAM_REC_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "STREAM_REC_KAFKA__SASL_USERNAME": "12e3",
        "STREAM_REC_KAFKA__SASL_PASSWORD": "007",
    }
    settings = load_settings_with_origins(environment=environment).settings
    assert settings.model.half_lives_s == (60.0, 120.5)
    assert settings.model.exclude_seen is False
    assert settings.kafka.sasl_username == "12e3"
    assert settings.kafka.sasl_password.get_secret_value() == "007"


def test_variables_of_tests_and_command_line_are_not_settings():
    environment = {
        "STREAM_REC_TEST_KAFKA": "kafka:9092",
        "STREAM_REC_METRICS_KEY": "of docker-compose.yml",
        "STREAM_REC_DATA": "logs",
        "STREAM_REC_CONFIG": "my.toml",
    }
    assert load_settings_with_origins(environment=environment).settings == Settings()


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("[kafka]\nbrokr = 'a:1'", "kafka.brokr", "kafka.broker"),
        ("[kafak]\nbroker = 'a:1'", "kafak.broker", "kafka.broker"),
        ("[kafka]\npartitions = 3", "kafka.partitions", "topics.partitions"),
        ("appid = 'a'", "appid", "app_id"),
        ("[events.types.view]\nweigth = 1", "events.types.view.weigth", "events.types.view.weight"),
        ("[events.types.listen]\nweigth = 1", "events.types.listen.weigth", "listen.weight"),
        ("[model]\nhalf_life_s = [1]", "model.half_life_s", "model.half_lives_s"),
    ],
)
def test_misspelt_key_in_a_file_names_file_and_nearest_key(config_file, text, wrong, right):
    path = config_file(text)
    with pytest.raises(ConfigError) as error:
        load_settings(path)
    message = str(error.value)
    assert message.startswith(f"{wrong} is not a setting, in {path}; did you mean ")
    assert message.endswith(f"{right}?")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("STREAM_REC_KAFKA_BROKER", "STREAM_REC_KAFKA__BROKER"),
        ("STREAM_REC_KAFKA__BROKR", "STREAM_REC_KAFKA__BROKER"),
        ("STREAM_REC_APPID", "STREAM_REC_APP_ID"),
    ],
)
def test_misspelt_environment_variable_names_the_nearest_one(wrong, right):
    with pytest.raises(ConfigError, match=rf"^{wrong} .* the environment; did you mean {right}\?$"):
        load_settings_with_origins(environment={wrong: "1"})


def test_misspelt_override_names_the_nearest_key():
    with pytest.raises(ConfigError, match=r"--set.*did you mean model\.list_length\?"):
        load_settings(overrides={"model.list_lenght": "10"})


def test_key_like_no_other_refers_to_the_documented_file():
    with pytest.raises(ConfigError, match=r"see config/default\.toml"):
        load_settings(overrides={"zzzz": 1})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("topics.partitions", 0, "topics.partitions: expected greater than 0, came 0, in override"),
        ("topics.partitions", "three", "came 'three'"),
        ("kafka.broker", "kafka", "expected host:port"),
        ("kafka.compression", "rar", "'none', 'gzip', 'snappy', 'lz4' or 'zstd', came 'rar'"),
        ("model.half_lives_s", "[60, -1]", "model.half_lives_s: expected greater than 0"),
        ("model.half_lives_s", "60, 1", "model.half_lives_s: expected JSON, came '60, 1'"),
        ("kafka.heartbeat_interval_s", 5.0, "heartbeat_interval_s expects at most a third"),
        ("kafka.delivery_timeout_ms", 12_000, "delivery_timeout_ms expects less than"),
        ("kafka.ssl_cafile", "ca.pem", "expect kafka.security_protocol = SSL or SASL_SSL"),
        ("kafka.security_protocol", "SASL_SSL", "expects kafka.sasl_username and"),
        ("topics.min_insync_replicas", 2, "at most topics.replication_factor (1), came 2"),
        ("topics.dlq", "events", "five different names"),
        ("events.types.view.weight", 0, "expects a number other than 0"),
        ("events.types.view.scale", "[5, 1]", "scale expects [lowest, highest], came [5.0, 1.0]"),
        ("events.types.view.weight", "nan", "finite number"),
        ("model.learning_rate", float("inf"), "finite number"),
    ],
)
def test_value_out_of_range_says_what_was_expected_and_what_came(key, value, message):
    with pytest.raises(ConfigError) as error:
        load_settings(overrides={key: value})
    assert message in str(error.value)
    assert "override (--set)" in str(error.value)


def test_all_wrong_values_are_named_at_once():
    with pytest.raises(ConfigError) as error:
        load_settings(overrides={"topics.partitions": 0, "model.list_length": 1000})
    assert len(str(error.value).splitlines()) == 2


def test_unreadable_file_is_a_config_error(tmp_path, config_file):
    with pytest.raises(ConfigError, match="No such file"):
        load_settings(tmp_path / "missing.toml")
    with pytest.raises(ConfigError, match=r"expected TOML, in .*line 1"):
        load_settings(config_file("kafka ! 1"))


@pytest.mark.parametrize("key", ["kafka.sasl_password", "kafka.ssl_password"])
@pytest.mark.parametrize("value", ["hunter2", ["hunter2"], 2222])
def test_secrets_are_in_no_message_and_no_representation(key, value):
    try:
        shown = repr(load_settings(overrides={key: value}))
    except ConfigError as error:
        shown = str(error)
    assert "hunter2" not in shown
    assert "2222" not in shown


def test_event_types_are_added_to_the_builtin_ones():
    types = load_settings(overrides={"events.types.listen.weight": "0.5"}).events.types
    assert types["listen"].weight == 0.5
    assert types["rating"].scale == (0.0, 10.0)


def test_what_is_not_given_of_a_builtin_type_stays():
    rating = load_settings(overrides={"events.types.rating.scale": [1, 5]}).events.types["rating"]
    assert rating.scale == (1.0, 5.0)
    assert rating.value_required


def test_builtin_types_can_be_left_out(config_file):
    path = config_file("[events]\nbuiltin_types = false\n[events.types]\nlisten = {}\n")
    assert set(load_settings(path).events.types) == {"listen"}
    with pytest.raises(ConfigError, match="at least one type"):
        load_settings(overrides={"events.builtin_types": "false"})


def test_changelogs_are_named_after_the_application(config_file):
    default = tomllib.loads((CONFIG_DIR / "default.toml").read_text(encoding="utf-8"))
    default["app_id"] = "films"
    assert load_settings(overrides={"app_id": "films"}) == Settings.model_validate(default)
    assert Settings(app_id="films").topics.profiles_changelog == "films-profiles-changelog"


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Settings().model.list_length = 3


def test_env_name_is_the_inverse_of_reading_it():
    for key in known_keys():
        name = env_name(key)
        assert tuple(name.removeprefix("STREAM_REC_").lower().split("__")) == key
