"""What the worker is measured against: the least that consumes an event and produces a record."""
