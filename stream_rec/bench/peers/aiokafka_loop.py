"""A bare aiokafka consume→produce loop: what asyncio costs without Faust around it.

Records are taken as they are at hand and forwarded without waiting for each acknowledgement. Runs
until it is terminated.
"""

from __future__ import annotations

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from stream_rec.bench.peers.route import Route
from stream_rec.kafka_clients import aiokafka_config, fetch_max_wait_ms


def run(route: Route) -> None:
    """Forward records until the process is terminated."""
    uvloop.run(_forward(route))


async def _forward(route: Route) -> None:
    kafka = route.kafka
    consumer = AIOKafkaConsumer(
        route.source,
        group_id=route.group_id,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=fetch_max_wait_ms(kafka),
        max_partition_fetch_bytes=kafka.fetch_partition_bytes_max,
        **aiokafka_config(kafka),
    )
    producer = AIOKafkaProducer(
        acks="all",
        enable_idempotence=not kafka.embedded,
        linger_ms=kafka.linger_ms,
        **aiokafka_config(kafka),
    )
    async with consumer, producer:
        while True:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    await producer.send(route.target, record.value, record.key)
