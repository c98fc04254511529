"""Examples at the end of a command's help."""

from __future__ import annotations


def examples(*lines: str) -> str:
    """Lay out example command lines for click, which must not fill them into a paragraph.

    Parameters
    ----------
    *lines : str
        One command line each.
    """
    heading = "Examples:" if len(lines) > 1 else "Example:"
    return "\n".join(["\b", heading, *(f"  {line}" for line in lines)])
