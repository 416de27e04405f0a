"""What a bundle says of itself to a reader."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from model.labels import digest, text_hash
from model.policy import Policy
from model.ticket import LabelledTicket
from training.split import author_of


def model_card(tickets: Sequence[LabelledTicket], metrics: dict[str, float], policy: Policy) -> str:
    """The bundle's model card.

    Args:
        tickets: what was learned from.
        metrics: out-of-fold figures by name.
        policy: versions.

    Returns:
        Markdown.
    """
    rows = "\n".join(f"| {name} | {value:.3f} |" for name, value in metrics.items())
    return f"""# Model card

Linear classifier (jieba words and character n-grams, TF-IDF, linear separators), in a cascade with a fine-tuned
encoder behind it; {len(tickets)} written tickets by {len({author_of(t) for t in tickets})} authors, taxonomy
{policy.taxonomy.version}, guideline {policy.taxonomy.guideline}.

Use: proposes category, desk and cues for a person. Flags are cues, never verdicts; do not use it to decide
about a person. The tickets were written for this project, not taken from a utility: figures are optimistic.

Out-of-fold by author:

| metric | value |
|---|---|
{rows}
"""


def about(tickets: Sequence[LabelledTicket], settings: dict[str, Any], metrics: dict[str, float]) -> dict[str, Any]:
    """What the manifest says of data, settings and figures; rows by id and hash, never by text.

    Args:
        tickets: what was learned from.
        settings: of the fit.
        metrics: out-of-fold figures.

    Returns:
        A JSON-ready mapping.
    """
    return {
        "data": {
            "digest": digest(tickets),
            "tickets": len(tickets),
            "leaves": dict(Counter(t.category for t in tickets)),
            "rows": {t.id: text_hash(t.text)[:16] for t in tickets},
        },
        "metrics": {"out_of_fold": metrics},
        "settings": settings,
    }
