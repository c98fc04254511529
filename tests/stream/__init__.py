"""Tests of the stream: Faust, Kafka, RocksDB around an engine that is easy to check."""
