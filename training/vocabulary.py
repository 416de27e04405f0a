"""The encoder's vocabulary: rebuild the packaged tokenizer, drop the pieces no ticket uses, cut the model down to fit.

A multilingual vocabulary is four fifths of a small encoder's parameters. Chinese tickets use an eighth of it; the rest
goes, and every text the pruned tokenizer is made for is cut exactly as before.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers import decoders as decode
from tokenizers import normalizers as normal
from tokenizers import pre_tokenizers as split
from tokenizers import processors as process
from tokenizers.models import Unigram

from model.errors import UnusableEncoder
from training.e5s1 import E5S1

COMMON = 10_000  # Latin words with a smaller id are kept; XLM-R's pieces stand in order of frequency
INNER = 3  # Latin pieces within a word up to this length are kept: any abbreviation can be put together from them
_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "BOPOMOFO", "HIRAGANA", "KATAKANA", "COMBINING", "VARIATION")  # single: Ω, の
_HAN = re.compile("[〇々\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_BYTE = re.compile("<0x[0-9A-F]{2}>")
_WORD_START = "▁"
_TILDE, _STANDIN = "～", "\ue0ff"  # the only character in use that XLM-R keeps and NFKC would change


@dataclass(frozen=True)
class Pruned:
    """A smaller tokenizer. `kept[new id]` is the old id; `same_cut` the share of texts cut as before, 0–1."""

    tokenizer: Tokenizer
    kept: tuple[int, ...]
    same_cut: float


def packaged_tokenizer(weights: E5S1) -> Tokenizer:
    """The tokenizer of XLM-R, with all its 250,002 pieces, from the packaged file alone.

    Args:
        weights: the parsed file.

    Returns:
        The tokenizer; it puts `<s>` and `</s>` around a text.
    """
    scored = [(piece, float(score)) for piece, score in zip(weights.pieces, weights.scores, strict=True)]
    tokenizer = Tokenizer(Unigram(scored, weights.special["unk"], False))
    tokenizer.normalizer = _normaliser(weights.characters)
    tokenizer.pre_tokenizer = split.Metaspace(replacement=_WORD_START, prepend_scheme="always", split=True)
    tokenizer.decoder = decode.Metaspace(replacement=_WORD_START, prepend_scheme="always", split=True)
    bos, eos = (weights.pieces[weights.special[name]] for name in ("bos", "eos"))
    specials = [weights.pieces[number] for number in weights.special.values()] + ["<mask>"]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in specials])
    tokenizer.post_processor = process.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, weights.special["bos"]), (eos, weights.special["eos"])],
    )
    return tokenizer


def prunable(tokenizer: Tokenizer) -> bool:
    """Whether pieces can be left out without harm: true of unigram tokenizers, XLM-R's kind.

    Args:
        tokenizer: any.

    Returns:
        False for WordPiece and BPE, whose pieces depend on each other and whose Chinese vocabularies are small.
    """
    return isinstance(tokenizer.model, Unigram)


def prune(tokenizer: Tokenizer, texts: Sequence[str]) -> Pruned:
    """Keep what Chinese tickets can use, and whatever the given texts do use.

    Args:
        tokenizer: one that is `prunable`; it is not changed.
        texts: texts that must be cut as before, as the encoder will see them.

    Returns:
        The smaller tokenizer.
    """
    before = [found.ids for found in tokenizer.encode_batch(list(texts))]
    used = {piece for ids in before for piece in ids}
    parts = json.loads(tokenizer.to_str())
    vocabulary = parts["model"]["vocab"]
    used |= {added["id"] for added in parts["added_tokens"]} | {parts["model"]["unk_id"]}
    # an unknown character costs ten more than the rarest piece: that one stays, so the price does too
    used.add(min(range(len(vocabulary)), key=lambda number: vocabulary[number][1]))
    kept = [number for number, (piece, _) in enumerate(vocabulary) if number in used or _wanted(number, piece)]
    kept += sorted(number for number in used if number >= len(vocabulary))
    smaller = Tokenizer.from_str(json.dumps(_renumbered(parts, {old: new for new, old in enumerate(kept)})))
    after = [found.ids for found in smaller.encode_batch(list(texts))]
    same = sum(ids == [kept[piece] for piece in cut] for ids, cut in zip(before, after, strict=True))
    return Pruned(smaller, tuple(kept), same / len(before) if before else 1.0)


def keep_rows(model: Any, kept: Sequence[int]) -> None:
    """Cut a model's word embeddings down to a pruned vocabulary, in place.

    Args:
        model: a transformers encoder.
        kept: old id of each new one.
    """
    new = {old: number for number, old in enumerate(kept)}
    table, config = model.get_input_embeddings(), model.config
    table.weight = type(table.weight)(table.weight.detach()[list(kept)].clone())
    table.num_embeddings = config.vocab_size = len(kept)
    table.padding_idx = new.get(table.padding_idx)
    for name in ("bos_token_id", "pad_token_id", "eos_token_id"):
        setattr(config, name, new.get(getattr(config, name, -1)))


def keep_layers(model: Any, layers: int, choice: str) -> None:
    """Cut a model's stack of layers down, in place.

    Args:
        model: a transformers encoder.
        layers: how many are kept.
        choice: `first`, or `even` steps from the first to the last.

    Raises:
        UnusableEncoder: it has fewer, or no stack of the usual kind.
    """
    stack = getattr(getattr(model, "encoder", None), "layer", None)
    if stack is None or not 1 <= layers <= len(stack):
        have = "层数不可裁减的结构" if stack is None else f"{len(stack)} 层"
        raise UnusableEncoder(f"要保留 {layers} 层,而 {model.config.model_type} 编码器是 {have};请改 layers")
    step = 1 if choice == "first" else (len(stack) - 1) / max(layers - 1, 1)
    model.encoder.layer = type(stack)(stack[round(number * step)] for number in range(layers))
    model.config.num_hidden_layers = layers


def _wanted(number: int, piece: str) -> bool:
    core = piece.removeprefix(_WORD_START)
    letters = [sign for sign in core if sign.isalpha() or unicodedata.category(sign).startswith("M")]
    foreign = [sign for sign in letters if not sign.isascii() and not _HAN.match(sign)]
    if foreign:
        return len(core) == 1 and unicodedata.name(core, "").startswith(_SCRIPTS)
    if len(letters) < len(core) or any(not sign.isascii() for sign in letters) or _BYTE.fullmatch(piece):
        return True  # digits, punctuation, Chinese
    return number < COMMON or len(core) == 1 or (piece == core and len(core) <= INNER)


def _renumbered(parts: dict[str, Any], new: Mapping[int, int]) -> dict[str, Any]:
    model = parts["model"]
    model["vocab"] = [entry for number, entry in enumerate(model["vocab"]) if number in new]
    model["unk_id"] = new[model["unk_id"]]
    for added in parts["added_tokens"]:
        added["id"] = new[added["id"]]
    for token in (parts["post_processor"] or {}).get("special_tokens", {}).values():
        token["ids"] = [new[number] for number in token["ids"]]
    return parts


def _normaliser(characters: Mapping[str, str]) -> normal.Normalizer:
    """NFKC is the file's table but for control characters, odd spaces and the full-width tilde."""
    gone = [sign for sign, other in characters.items() if not other]
    space = [sign for sign, other in characters.items() if other == " " != sign]
    steps: list[normal.Normalizer] = [
        normal.Replace(Regex(f"[{''.join(map(re.escape, signs))}]"), other)
        for signs, other in ((gone, ""), (space, " "))
        if signs
    ]
    return normal.Sequence(
        [
            *steps,
            normal.Replace(_TILDE, _STANDIN),
            normal.NFKC(),
            normal.Replace(_STANDIN, _TILDE),
            normal.Replace(Regex(" {2,}"), " "),
        ]
    )
