"""What a fitted cascade leaves behind so that the next one need not start anew: the folder `weights-<hash>`.

It holds the trainable encoder (`training.export.keep_weights`), its heads, and what encoders said out of fold.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import UnusableEncoder
from model.labels import text_hash
from training.stack import EncoderHeld

OUT_OF_FOLD, STATE, NAMES = "out_of_fold.npz", "heads.safetensors", "heads.json"
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """Decision values of encoders for n tickets that they had not learned from.

    `hashes` (n) of the texts; `codes`, `cues`: names of the columns of `leaf_values` (n, n_codes) and
    `cue_values` (n, n_cues).
    """

    hashes: Sequence[str]
    codes: Sequence[str]
    cues: Sequence[str]
    leaf_values: Matrix
    cue_values: Matrix

    @property
    def held(self) -> EncoderHeld:
        """As `stack` takes them."""
        return EncoderHeld(self.leaf_values, self.cue_values)

    def write(self, folder: Path) -> None:
        """Keep them beside the weights.

        Args:
            folder: of the weights.
        """
        np.savez(
            folder / OUT_OF_FOLD, leaf_values=self.leaf_values, cue_values=self.cue_values,
            hashes=np.array(self.hashes), codes=np.array(self.codes), cues=np.array(self.cues),
        )  # fmt: skip

    def rows(self, texts: Sequence[str]) -> list[int | None]:
        """Where each text stands.

        Args:
            texts: n texts as sent.

        Returns:
            n row numbers, None for a text that is new.
        """
        place = {name: row for row, name in enumerate(self.hashes)}
        return [place.get(text_hash(text)) for text in texts]


@dataclass(frozen=True)
class Former:
    """An earlier fit to go on from: its folder, its heads (names and tensors), and what was seen out of fold."""

    folder: Path
    heads: dict[str, Any]
    seen: Seen


def read_former(folder: Path, codes: Sequence[str], cues: Sequence[str]) -> Former:
    """Read the folder of an earlier fit.

    Args:
        folder: `weights-<hash>` of a cascade's run.
        codes: leaves of the policy in force.
        cues: heads behind the leaves.

    Returns:
        The earlier fit.

    Raises:
        UnusableEncoder: the folder is not there or not whole, or its heads are those of other categories.
    """
    from safetensors.torch import load_file  # only a warm start needs it, and it needs torch

    missing = [name for name in (OUT_OF_FOLD, STATE, NAMES) if not (folder / name).is_file()]
    if missing:
        raise UnusableEncoder(f"{folder} 缺 {'、'.join(missing)},不能接着训练;请从头训练(去掉 --warm)")
    names = json.loads((folder / NAMES).read_text(encoding="utf-8"))
    if names != [*codes, *cues]:
        raise UnusableEncoder(f"{folder.name} 的类目或标记与现行的不同,不能接着训练;请从头训练(去掉 --warm)")
    with np.load(folder / OUT_OF_FOLD) as file:
        hashes, own, own_cues = (file[name].tolist() for name in ("hashes", "codes", "cues"))
        seen = Seen(hashes, own, own_cues, file["leaf_values"], file["cue_values"])
    return Former(folder, load_file(folder / STATE), seen)


def write_heads(model: Any, names: Sequence[str], folder: Path) -> None:
    """Keep the heads and their normalisation beside the weights.

    Args:
        model: a `TriageEncoder`, fine-tuned.
        names: of its heads.
        folder: of the weights.
    """
    from safetensors.torch import save_file

    state = {name: value.contiguous() for name, value in model.state_dict().items() if name.split(".")[0] in ("heads", "norm")}
    save_file(state, folder / STATE)
    (folder / NAMES).write_text(json.dumps(list(names), ensure_ascii=False), encoding="utf-8")
