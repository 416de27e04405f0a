"""The categories in force over HTTP, with what the policy says of each: desk, measures, first-contact card."""

from typing import Any

from fastapi import FastAPI, Request

from model.policy import Policy
from model.taxonomy import Leaf
from serving.api.office import policy_of
from serving.store.columns import Json


def install(app: FastAPI) -> None:
    """Add the call.

    Args:
        app: the application.
    """

    @app.get(
        "/v1/categories",
        tags=["类目"],
        summary="类目体系:名称、班组、管控措施、首次联系卡(依据的章节)、成因;线索、报备事项与班组的名称",
    )
    def categories(request: Request) -> Json:
        return described(policy_of(request))


def described(policy: Policy) -> Json:
    """The policy as people read it.

    Args:
        policy: in force.

    Returns:
        JSON-ready; `categories` in the order of the taxonomy.
    """
    taxonomy = policy.taxonomy
    return {
        "version": taxonomy.version,
        "categories": [_leaf(leaf, policy) for leaf in taxonomy],
        "groups": {group.code: group.name for group in taxonomy.groups},
        "flags": dict(taxonomy.flags),
        "filings": {filing.code: filing.name for filing in taxonomy.filings},
        "desks": list(policy.routing.desks),
        "review_desk": policy.routing.review_desk,
    }


def _leaf(leaf: Leaf, policy: Policy) -> dict[str, Any]:
    route, entry = policy.routing.routes[leaf.code], policy.measures.leaves[leaf.code]
    names = {group.code: group.name for group in policy.taxonomy.groups}
    return {
        "code": leaf.code,
        "name": leaf.name,
        "group": leaf.group,
        "group_name": names[leaf.group],
        "causes": [policy.taxonomy.causes[cause] for cause in leaf.causes],
        "desk": route.desk,
        "support": list(route.support),
        "never": list(route.never),
        "promise": route.promise,
        "section": entry.section,
        "measures": list(entry.measures),
        "card": entry.card.model_dump(mode="json"),
    }
