"""Errors that an operator or a user must mend.

    StreamRecError
    ├── ConfigError          a setting is missing, misspelt or out of range
    ├── InvalidEventError        an event cannot be used; it goes to the dead-letter topic
    ├── RowFormatError       a stored row cannot be read by this build
    ├── TopicError           a topic is missing or has the wrong partitions or cleanup policy
    ├── StateError           the state on disk or in a changelog contradicts Kafka or this worker
    ├── DeliveryError        Kafka did not acknowledge a record that must not be lost
    └── InputError           a file given to a command cannot be read as an event log

Every message says what was expected, what came, where, and what to do.
"""

from __future__ import annotations


class StreamRecError(Exception):
    """Base of all errors that this package raises on purpose."""


class ConfigError(StreamRecError):
    """A setting is missing, misspelt or out of range."""


class InvalidEventError(StreamRecError):
    """An event cannot be used.

    Parameters
    ----------
    code : str
        Stable, machine-readable reason, e.g. ``"not_json"``; the key of the DLQ counters.
    reason : str
        What was expected and what came, for a person.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class RowFormatError(StreamRecError):
    """A stored row cannot be read by this build."""


class TopicError(StreamRecError):
    """A topic is missing or has the wrong partitions or cleanup policy."""


class StateError(StreamRecError):
    """The state on disk or in a changelog contradicts Kafka or this worker."""


class DeliveryError(StreamRecError):
    """Kafka did not acknowledge a record that must not be lost."""


class InputError(StreamRecError):
    """A file given to a command cannot be read as an event log."""
