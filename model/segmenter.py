"""Cut Chinese text into words: jieba with the dictionary of the trade, in a tokenizer of our own."""

import logging
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path


class Segmenter:
    """jieba with its own dictionary (分词器). Loads on first use; `warm()` does it at start-up.

    Args:
        dictionary: jieba user dictionary, one `word frequency tag` a line.
    """

    def __init__(self, dictionary: Path) -> None:
        self.dictionary = dictionary

    def warm(self) -> None:
        """Load the dictionary now (about 0.6 s the first time on a machine)."""
        self.cut("停电")

    def cut(self, text: str) -> list[str]:
        """Cut into words, without blanks.

        Args:
            text: normalised, masked text.

        Returns:
            The words in order; placeholders such as ⟦电话⟧ stay whole.
        """
        return [word for word, _ in self.cut_with_offsets(text)]

    def cut_with_offsets(self, text: str) -> list[tuple[str, int]]:
        """Cut into words and say where each begins.

        Args:
            text: normalised, masked text.

        Returns:
            (word, start) pairs in order, blanks left out.
        """
        words: list[tuple[str, int]] = []
        position = 0
        pending = -1  # start of a placeholder being read
        for word in self._tokenizer.cut(text, HMM=False):
            if word == "⟦":
                pending = position
            position += len(word)
            if pending >= 0:
                if word == "⟧":
                    words.append((text[pending:position], pending))
                    pending = -1
                elif position - pending > 6:  # a stray bracket, not a placeholder
                    pending = -1
            elif word.strip():
                words.append((word, position - len(word)))
        return words

    def knows(self, word: str) -> bool:
        """Whether a word stands in jieba's or our dictionary.

        Args:
            word: any word.

        Returns:
            True if it does.
        """
        return bool(self._tokenizer.FREQ.get(word))

    @cached_property
    def _tokenizer(self) -> Any:
        import warnings

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
        with self.dictionary.open("rb") as file:
            tokenizer.load_userdict(file)
        return tokenizer
