"""What a process exempts from garbage collection, and that the rest is still collected."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import pytest

from stream_rec.garbage import without_collection

EXEMPTS = """
import gc
from stream_rec.garbage import keep_for_good

class Node: pass
def forget_cycle():
    node = Node(); node.itself = node
forget_cycle()
keep_for_good()
assert gc.get_freeze_count() > 1000, gc.get_freeze_count()
assert not any(isinstance(found, Node) for found in gc.get_objects(generation=2))
assert len(gc.get_objects()) < 100, "what is there is looked at again"
forget_cycle()
assert gc.collect() > 0, "what comes later is not collected"
"""


def test_what_is_built_is_looked_at_no_more_and_what_comes_later_is() -> None:
    subprocess.run([sys.executable, "-c", EXEMPTS], check=True)


def test_nothing_is_collected_meanwhile_and_again_afterwards() -> None:
    class Node:
        itself: Node

    with pytest.raises(ValueError, match="in between"), without_collection():
        raise ValueError("in between")
    assert gc.isenabled()
    with without_collection():
        node = Node()
        node.itself = node
        seen = weakref.ref(node)
        del node
        assert seen() is not None
    gc.collect()
    assert seen() is None
