"""Tests against a real Apache Kafka, and the brokers that they run on."""
