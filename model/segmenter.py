"""Cut Chinese text into words: jieba with the dictionary of the trade, in a tokenizer of our own.

rjieba (jieba in Rust, about six times as fast, a third of the memory) cuts where it is installed; jieba itself is the
fallback. Both cut alike: `tests/unit/test_segmenter.py` and `benchmarks/speed.py` compare them.
"""

import logging
import re
import tempfile
import warnings
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from platformdirs import user_cache_path

from model.text import CLOSE, OPEN

_PLACEHOLDER = re.compile(f"({OPEN}[^{OPEN}{CLOSE}]{{1,4}}{CLOSE})")
Cut = Callable[[str], list[str]]


class Segmenter:
    """Words of a text (分词器). Loads on first use; `warm()` does it at start-up.

    Args:
        dictionary: jieba user dictionary, one `word frequency tag` a line.
        fallback: cut with jieba even where rjieba is installed.
    """

    def __init__(self, dictionary: Path, *, fallback: bool = False) -> None:
        self.dictionary = dictionary
        self.fallback = fallback

    def warm(self) -> None:
        """Load the dictionary now (rjieba 0.1 s; jieba 0.6 s the first time on a machine)."""
        self.cut("停电")

    def cut(self, text: str) -> list[str]:
        """Cut into words, without blanks.

        Args:
            text: normalised, masked text.

        Returns:
            The words in order; placeholders such as ⟦电话⟧ stay whole.
        """
        return [piece for piece in self.pieces(text) if not piece.isspace()]

    def pieces(self, text: str) -> list[str]:
        """Cut into words and blanks; joined they are the text.

        Args:
            text: normalised, masked text.

        Returns:
            The pieces in order, none empty.
        """
        if OPEN not in text:
            return self._cut(text)
        parts = _PLACEHOLDER.split(text)  # every second part is a placeholder
        return [piece for n, part in enumerate(parts) for piece in ([part] if n % 2 else self._cut(part))]

    @cached_property
    def _cut(self) -> Cut:
        if not self.fallback:
            try:
                return _rust(self.dictionary)
            except ImportError:  # no wheel for this machine
                logging.getLogger(__name__).info("rjieba is not installed: jieba cuts")
        return _python(self.dictionary)


def _rust(dictionary: Path) -> Cut:
    import rjieba

    tokenizer = rjieba.Jieba()
    for line in dictionary.read_text(encoding="utf-8").splitlines():
        word, frequency, tag, *_ = [*line.split(), *[""] * 3]
        if word:
            tokenizer.add_word(word, int(frequency) if frequency else None, tag or None)

    def cut(text: str) -> list[str]:
        try:
            return list(tokenizer.cut(text, False))
        except UnicodeEncodeError:  # a lone surrogate, which Rust has no letter for
            return list(tokenizer.cut(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), False))

    return cut


def _python(dictionary: Path) -> Cut:
    with warnings.catch_warnings():  # jieba 0.42.1 imports pkg_resources and has stray escapes
        warnings.simplefilter("ignore")
        import jieba
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    cache = user_cache_path("complaint-triage")
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        tokenizer.tmp_dir = str(cache)
    except OSError:
        tokenizer.tmp_dir = tempfile.mkdtemp(prefix="complaint-triage-")  # ours alone
    tokenizer.initialize()
    with dictionary.open("rb") as file:
        tokenizer.load_userdict(file)
    tokenizer.total = sum(tokenizer.FREQ.values())  # jieba counts a word twice that both dictionaries hold
    return lambda text: list(tokenizer.cut(text, HMM=False))
