"""Laws of the clients' configuration: the same security reaches every client."""

import shutil
import ssl
import subprocess

import pytest
from confluent_kafka import KafkaException, Producer
from faust import SASLCredentials, SSLCredentials
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from stream_rec.config import KafkaSettings
from stream_rec.errors import ConfigError
from stream_rec.kafka_clients import (
    confluent_config,
    confluent_consumer_config,
    confluent_producer_config,
    faust_broker_options,
    fetch_max_wait_ms,
    kafka_python_config,
    kafka_python_producer_config,
)

LOGIN = {"sasl_username": "recommender", "sasl_password": "hunter2"}


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Create a self-signed certificate and its key, protected by the passphrase "open"."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("certificates")
    cert, key = folder / "client.pem", folder / "client.key"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-passout"]
    command += ["pass:open", "-subj", "/CN=client", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return {"ssl_cafile": cert, "ssl_certfile": cert, "ssl_keyfile": key, "ssl_password": "open"}


def test_plain_settings_set_no_security_option():
    kafka = KafkaSettings(broker="a:1,b:2")
    assert confluent_config(kafka) == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "PLAINTEXT",
    }
    assert kafka_python_config(kafka) == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "PLAINTEXT",
    }
    options = faust_broker_options(kafka)
    assert options["broker"] == "kafka://a:1;kafka://b:2"
    assert "broker_credentials" not in options


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_login_reaches_every_client(mechanism):
    kafka = KafkaSettings(security_protocol="SASL_PLAINTEXT", sasl_mechanism=mechanism, **LOGIN)
    librdkafka = confluent_config(kafka)
    python = kafka_python_config(kafka)
    aiokafka = credentials_to_aiokafka_auth(faust_broker_options(kafka)["broker_credentials"])
    assert librdkafka["sasl.mechanism"] == mechanism
    assert (librdkafka["sasl.username"], librdkafka["sasl.password"]) == ("recommender", "hunter2")
    for client in (python, aiokafka):
        assert client["security_protocol"] == "SASL_PLAINTEXT"
        assert client["sasl_mechanism"] == mechanism
        assert client["sasl_plain_username"] == "recommender"
        assert client["sasl_plain_password"] == "hunter2"


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
def test_certificates_reach_every_client(certificates, protocol):
    login = LOGIN if protocol == "SASL_SSL" else {}
    kafka = KafkaSettings(security_protocol=protocol, **login, **certificates)
    librdkafka = confluent_producer_config(kafka)
    assert librdkafka["ssl.ca.location"] == str(certificates["ssl_cafile"])
    assert librdkafka["ssl.certificate.location"] == str(certificates["ssl_certfile"])
    assert librdkafka["ssl.key.location"] == str(certificates["ssl_keyfile"])
    assert librdkafka["ssl.key.password"] == "open"
    assert librdkafka["ssl.endpoint.identification.algorithm"] == "https"
    context = kafka_python_config(kafka)["ssl_context"]
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert [subject["subject"] for subject in context.get_ca_certs()] == [
        ((("commonName", "client"),),)
    ]
    aiokafka = credentials_to_aiokafka_auth(faust_broker_options(kafka)["broker_credentials"])
    assert aiokafka["security_protocol"] == protocol
    assert isinstance(aiokafka["ssl_context"], ssl.SSLContext)


def test_librdkafka_accepts_every_option_that_is_set(certificates):
    kafka = KafkaSettings(security_protocol="SASL_SSL", **LOGIN, **certificates)
    for config in (confluent_producer_config(kafka), confluent_config(kafka)):
        assert isinstance(Producer(config), Producer)
        with pytest.raises(KafkaException, match=r"no\.such\.option"):
            Producer(config | {"no.such.option": 1})


def test_host_name_check_can_be_switched_off_everywhere():
    kafka = KafkaSettings(security_protocol="SSL", ssl_check_hostname=False)
    assert confluent_config(kafka)["ssl.endpoint.identification.algorithm"] == "none"
    assert not kafka_python_config(kafka)["ssl_context"].check_hostname
    assert kafka_python_config(kafka)["ssl_check_hostname"] is False


def test_faust_gets_the_credentials_of_its_protocol():
    tls = faust_broker_options(KafkaSettings(security_protocol="SSL"))["broker_credentials"]
    both = KafkaSettings(security_protocol="SASL_SSL", **LOGIN)
    assert isinstance(tls, SSLCredentials)
    assert isinstance(faust_broker_options(both)["broker_credentials"], SASLCredentials)


@pytest.mark.parametrize("password", [None, "wrong"])
def test_wrong_passphrase_is_an_error_that_does_not_show_it(certificates, password):
    kafka = KafkaSettings(security_protocol="SSL", **(certificates | {"ssl_password": password}))
    with pytest.raises(ConfigError, match=r"ssl_password.*client\.key") as error:
        kafka_python_config(kafka)
    assert "wrong" not in str(error.value)


def test_missing_certificate_names_file_and_setting(tmp_path):
    kafka = KafkaSettings(security_protocol="SSL", ssl_cafile=tmp_path / "ca.pem")
    for configure in (confluent_config, kafka_python_config, faust_broker_options):
        with pytest.raises(ConfigError, match=r"came .*ca\.pem, in kafka\.ssl_cafile"):
            configure(kafka)


def test_embedded_broker_is_spoken_to_in_its_protocol():
    kafka = KafkaSettings(broker="127.0.0.1:5", embedded=True)
    assert kafka_python_config(kafka)["api_version"] == (2, 0)
    assert kafka_python_producer_config(kafka)["enable_idempotence"] is False
    assert fetch_max_wait_ms(kafka) == 5
    assert confluent_consumer_config(kafka, "g")["fetch.wait.max.ms"] == 5


def test_real_broker_gets_idempotent_producers():
    kafka = KafkaSettings()
    assert kafka_python_producer_config(kafka)["enable_idempotence"] is True
    assert confluent_producer_config(kafka)["enable.idempotence"] is True
    assert confluent_producer_config(kafka)["delivery.timeout.ms"] == 10_000
    assert "api_version" not in kafka_python_config(kafka)


def test_embedded_without_an_address_says_where_to_get_one():
    for configure in (confluent_config, kafka_python_config, faust_broker_options):
        with pytest.raises(ConfigError, match="print its address"):
            configure(KafkaSettings(broker="embedded"))


def test_extra_options_win():
    config = confluent_producer_config(KafkaSettings(), linger_ms=50, client_id="x")
    assert config["linger.ms"] == 50
    assert config["client.id"] == "x"


def test_names_that_librdkafka_spells_with_underscores_keep_them():
    config = confluent_config(KafkaSettings(), log_level=0, error_cb=print)
    assert config["log_level"] == 0
    assert isinstance(Producer(config), Producer)
