"""A peer of the load benchmark: `transformers.pipeline` behind FastAPI, as its manual shows it.

`python load_transformers.py WEIGHTS PORT`; WEIGHTS is the `weights-…` folder of a training run (torch, float). Needs fastapi,
torch, transformers; nothing of ours. The head is made anew: a leaf means nothing, it costs what a trained one costs.
"""

import sys
from typing import Any

_LEAVES = 13
_TOKENS = 256  # longer texts are cut, as the manual does


def main() -> None:
    """Serve with FastAPI until stopped."""
    folder, port = sys.argv[1], int(sys.argv[2])
    import uvicorn
    from fastapi import FastAPI
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    network = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=_LEAVES).eval()
    classify = pipeline("text-classification", model=network, tokenizer=AutoTokenizer.from_pretrained(folder))
    app = FastAPI()

    @app.post("/predict")
    def predict(body: dict[str, str]) -> dict[str, Any]:
        return dict(classify(body["text"], truncation=True, max_length=_TOKENS)[0])

    @app.get("/livez")
    def livez() -> dict[str, str]:
        return {"status": "alive"}

    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main()
