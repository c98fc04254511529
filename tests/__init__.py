"""The tests of stream_rec; the folders mirror the package."""
