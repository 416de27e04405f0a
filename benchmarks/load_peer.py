"""A peer of the load benchmark: the encoder of a bundle served by FastAPI as one would at first.

`python load_peer.py BUNDLE PORT`. Needs fastapi, onnxruntime, tokenizers, numpy; nothing of ours: a leaf and its
confidence, no masking, no rules, no flags, no route.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_TOKENS = 256  # longer texts are cut, as a plain pipeline does


class Classifier:
    """Tokenizer, ONNX session and heads, without windows, threads left as the library sets them."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_TOKENS)
        self._tokenizer.enable_padding()
        self._session = onnxruntime.InferenceSession(str(folder / "encoder.onnx"), providers=["CPUExecutionProvider"])
        with np.load(folder / "heads.npz", allow_pickle=False) as heads:
            self._leaves = [str(leaf) for leaf in heads["leaves"]]
            self._weights, self._intercepts = heads["weights"], heads["intercepts"]

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Leaf and confidence of each text."""
        encoded = self._tokenizer.encode_batch([f"query: {text}" for text in texts])
        ids = np.array([one.ids for one in encoded], dtype=np.int64)
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        mean, most = self._session.run(["mean", "most"], {"input_ids": ids, "attention_mask": mask})
        values = np.hstack([mean, most]) @ self._weights + self._intercepts
        values = values[:, : len(self._leaves)]
        shares = np.exp(values - values.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        best = shares.argmax(axis=1)
        rows = zip(best, shares, strict=True)
        return [{"label": self._leaves[column], "score": float(row[column])} for column, row in rows]


def main() -> None:
    """Serve with FastAPI until stopped."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    import uvicorn
    from fastapi import FastAPI

    app, classifier = FastAPI(), Classifier(folder)

    @app.post("/predict")
    def predict(body: dict[str, str]) -> dict[str, Any]:
        return classifier([body["text"]])[0]

    @app.get("/livez")
    def livez() -> dict[str, str]:
        return {"status": "alive"}

    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main()
