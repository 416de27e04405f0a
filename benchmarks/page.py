"""What a benchmark found, on the screen and in docs/."""

from collections.abc import Sequence
from pathlib import Path


def publish(lines: Sequence[str], write: Path | None) -> None:
    """Print a page and write it where asked.

    Args:
        lines: Markdown.
        write: the file, or None.
    """
    text = "\n".join(lines)
    print(text)
    if write:
        write.write_text(text + "\n", encoding="utf-8")
