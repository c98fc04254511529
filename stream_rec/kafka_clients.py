"""What every Kafka client must be told: address, security, and the embedded broker's limits.

stream_rec uses three clients: confluent-kafka (reading, publishing, administration), kafka-python
(the producers) and aiokafka (under Faust). Each spells the same things differently; this is the one
place that knows how. Secrets go into what is returned and nowhere else.

The embedded broker (librdkafka's mock cluster) knows an older protocol and does not wake a waiting
fetch: kafka-python needs ``api_version`` and no idempotence, and every consumer a short wait.
"""

from __future__ import annotations

import ssl
import uuid
from typing import Any

from stream_rec.errors import ConfigError
from stream_rec.settings import KafkaSettings

EMBEDDED_API_VERSION = (2, 0)
EMBEDDED_FETCH_MAX_WAIT_MS = 5
PARTITIONER = "murmur2_random"
"""librdkafka's name of what Java clients and kafka-python do: all of a key in one partition."""
MESSAGE_BYTES_MAX = 1_000_000
"""Of a record that we produce, and of what librdkafka puts into one batch: a topic takes 1,048,588,
with what frames them, where it is not configured otherwise."""


def fetch_max_wait_ms(kafka: KafkaSettings) -> int:
    """Return how long a fetch may wait; the embedded broker always waits the whole time."""
    return EMBEDDED_FETCH_MAX_WAIT_MS if kafka.embedded else kafka.fetch_max_wait_ms


def confluent_config(kafka: KafkaSettings, **extra: Any) -> dict[str, Any]:
    """Configure any confluent-kafka client (librdkafka's names).

    Parameters
    ----------
    kafka : KafkaSettings
        Address and security.
    **extra
        More of librdkafka's properties, ``_`` for ``.``: ``group_id="tail"``; they win.

    Examples
    --------
    >>> confluent_config(KafkaSettings(broker="kafka:9092"), group_id="tail")
    {'bootstrap.servers': 'kafka:9092', 'security.protocol': 'PLAINTEXT', 'group.id': 'tail'}
    """
    config: dict[str, Any] = {
        "bootstrap.servers": _address(kafka),
        "security.protocol": kafka.security_protocol,
    }
    if kafka.embedded:
        # It ends with whoever started it: clients that end a moment later need not complain.
        config["log_level"] = 0
    if kafka.uses_sasl:
        config |= {
            "sasl.mechanism": kafka.sasl_mechanism,
            "sasl.username": kafka.sasl_username,
            "sasl.password": _secret(kafka.sasl_password),
        }
    if kafka.uses_tls:
        given = {
            "ssl.ca.location": _file(kafka, "ssl_cafile"),
            "ssl.certificate.location": _file(kafka, "ssl_certfile"),
            "ssl.key.location": _file(kafka, "ssl_keyfile"),
            "ssl.key.password": _secret(kafka.ssl_password),
            "ssl.endpoint.identification.algorithm": "https"
            if kafka.ssl_check_hostname
            else "none",
        }
        config |= {name: value for name, value in given.items() if value is not None}
    return config | {_librdkafka_name(name): value for name, value in extra.items()}


def confluent_producer_config(kafka: KafkaSettings, **extra: Any) -> dict[str, Any]:
    """Configure the worker's producer: idempotent, acknowledged by all, with bounded queues."""
    limits = {
        "enable_idempotence": True,
        "acks": "all",
        "delivery_timeout_ms": kafka.delivery_timeout_ms,
        "linger_ms": kafka.linger_ms,
        "queue_buffering_max_messages": kafka.producer_queue_records_max,
        "queue_buffering_max_kbytes": kafka.producer_queue_kib_max,
        "message_max_bytes": MESSAGE_BYTES_MAX,
        "compression_type": kafka.compression,
    }
    return confluent_config(kafka, **(limits | extra))


def confluent_consumer_config(kafka: KafkaSettings, group_id: str, **extra: Any) -> dict[str, Any]:
    """Configure a consumer of ours that commits nothing by itself."""
    limits = {
        "group_id": group_id,
        "enable_auto_commit": False,
        "fetch_wait_max_ms": fetch_max_wait_ms(kafka),
        "fetch_min_bytes": kafka.fetch_min_bytes,
        "max_partition_fetch_bytes": kafka.fetch_partition_bytes_max,
    }
    return confluent_config(kafka, **(limits | extra))


def confluent_reader_config(kafka: KafkaSettings, **extra: Any) -> dict[str, Any]:
    """Configure a consumer without a group: it is assigned partitions, each from an offset on.

    librdkafka wants the name of a group all the same. Where an offset does not exist any more,
    reading goes on at the first one that does.
    """
    alone = {"group_id": f"unused-{uuid.uuid4()}", "auto_offset_reset": "earliest"}
    return confluent_consumer_config(kafka, **(alone | extra))


def kafka_python_config(kafka: KafkaSettings) -> dict[str, Any]:
    """Configure any kafka-python client: keyword arguments for producers and consumers alike."""
    config: dict[str, Any] = {
        "bootstrap_servers": _address(kafka).split(","),
        "security_protocol": kafka.security_protocol,
    }
    if kafka.uses_sasl:
        config |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.sasl_username,
            "sasl_plain_password": _secret(kafka.sasl_password),
        }
    if kafka.uses_tls:
        config["ssl_context"] = ssl_context(kafka)
        config["ssl_check_hostname"] = kafka.ssl_check_hostname
    if kafka.embedded:
        config["api_version"] = EMBEDDED_API_VERSION
    return config


def kafka_python_producer_config(kafka: KafkaSettings) -> dict[str, Any]:
    """Configure a kafka-python producer: idempotent wherever the broker can be."""
    return kafka_python_config(kafka) | {"acks": "all", "enable_idempotence": not kafka.embedded}


def aiokafka_config(kafka: KafkaSettings) -> dict[str, Any]:
    """Configure a bare aiokafka client: keyword arguments for producers and consumers alike."""
    foreign = ("api_version", "ssl_check_hostname")
    return {
        name: value for name, value in kafka_python_config(kafka).items() if name not in foreign
    }


def faust_broker_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Configure a Faust app's connection: keyword arguments for ``faust.App``.

    The transport in the broker's URL is aiokafka's; an app with a transport of its own replaces the
    URL's scheme and keeps the rest.
    """
    options: dict[str, Any] = {
        "broker": ";".join(f"kafka://{address}" for address in _address(kafka).split(",")),
        "broker_session_timeout": kafka.session_timeout_s,
        "broker_heartbeat_interval": kafka.heartbeat_interval_s,
        "broker_request_timeout": kafka.request_timeout_s,
        "topic_allow_declare": False,
    }
    credentials = _faust_credentials(kafka)
    return options if credentials is None else options | {"broker_credentials": credentials}


def ssl_context(kafka: KafkaSettings) -> ssl.SSLContext:
    """Build the TLS context that kafka-python and aiokafka share.

    Raises
    ------
    ConfigError
        A certificate or key is missing or cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=_file(kafka, "ssl_cafile"))
        certificate = _file(kafka, "ssl_certfile")
        if certificate is not None:
            # An empty password instead of None: a protected key must not ask on the terminal.
            password = _secret(kafka.ssl_password) or ""
            context.load_cert_chain(certificate, _file(kafka, "ssl_keyfile"), password)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            "expected PEM certificates with a matching key and kafka.ssl_password, in "
            f"kafka.ssl_cafile ({kafka.ssl_cafile}), ssl_certfile ({kafka.ssl_certfile}) or "
            f"ssl_keyfile ({kafka.ssl_keyfile}): {error}"
        ) from None
    context.check_hostname = kafka.ssl_check_hostname
    return context


def _librdkafka_name(name: str) -> str:
    """Spell a keyword as librdkafka does: a few names and all callbacks have "_" themselves."""
    is_spelt_so = name in ("log_level", "on_commit", "on_delivery") or name.endswith("_cb")
    return name if is_spelt_so else name.replace("_", ".")


def _faust_credentials(kafka: KafkaSettings) -> Any:
    from faust import SASLCredentials, SSLCredentials

    context = ssl_context(kafka) if kafka.uses_tls else None
    if kafka.uses_sasl:
        return SASLCredentials(
            username=kafka.sasl_username,
            password=_secret(kafka.sasl_password),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context=context) if context is not None else None


def _address(kafka: KafkaSettings) -> str:
    if kafka.broker == "embedded":
        raise ConfigError(
            'kafka.broker = "embedded" has no address of its own: `stream-rec demo` and '
            "`stream-rec worker` start that broker and print its address; give that address with "
            "--set kafka.broker=127.0.0.1:PORT --set kafka.embedded=true"
        )
    return kafka.broker


def _secret(secret: Any) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _file(kafka: KafkaSettings, key: str) -> str | None:
    path = getattr(kafka, key)
    if path is None:
        return None
    if not path.is_file():
        raise ConfigError(f"expected a file that exists, came {path}, in kafka.{key}")
    return str(path)
