"""The HTTP service: a copy of lists and item view, kept up from Kafka, and a door to both."""
