"""Programs that put events on Kafka, written with kafka-python as examples to copy.

``python -m producers.replay`` plays a recorded log, ``python -m producers.simulate`` invents one.
"""
