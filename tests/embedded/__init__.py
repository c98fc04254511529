"""Tests of the whole pipeline on the embedded broker, with worker processes."""
