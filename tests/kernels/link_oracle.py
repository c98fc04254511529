"""Link rows read back as dictionaries, and the laws that any state of the pool must keep."""

from __future__ import annotations

import numpy as np

from stream_rec.kernels.links import FIRST_BLOCK, LinkRows, block_places

Counts = tuple[int, int, int]


def links_of(rows: LinkRows, item: int) -> dict[int, Counts]:
    """Return the links of a row as ``{neighbour: (near, wide, after)}``."""
    start, length = int(rows.start[item]), int(rows.length[item])
    places = range(start, start + length)
    return {
        int(rows.neighbour[place]): (
            int(rows.near[place]),
            int(rows.wide[place]),
            int(rows.after[place]),
        )
        for place in places
    }


def free_blocks(rows: LinkRows) -> list[tuple[int, int]]:
    """Return start and size of every free block."""
    blocks = []
    for size, head in enumerate(rows.free.tolist()):
        block = head
        while block >= 0:
            blocks.append((block, FIRST_BLOCK << size))
            block = int(rows.neighbour[block])
    return blocks


def check_pool(rows: LinkRows, limit: int) -> None:
    """Assert that rows keep their bounds, repeat no link, and that no two blocks overlap."""
    for item in range(len(rows.start)):
        length = int(rows.length[item])
        assert length <= min(limit, int(rows.capacity[item]))
        assert len(links_of(rows, item)) == length, "a link stands twice"
    used = [
        (int(rows.start[item]), int(rows.capacity[item])) for item in np.flatnonzero(rows.capacity)
    ]
    taken = sorted(used + free_blocks(rows))
    assert all(size <= block_places(limit) for _, size in taken)
    end = 0
    for start, size in taken:
        assert start == end, "blocks overlap or a place is lost"
        end = start + size
    assert end == rows.used[0]
