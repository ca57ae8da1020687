"""GitHub's GraphQL API as far as the adapter uses it: repositories by name, followed through renames, with what they hold."""

from __future__ import annotations

import json
import re
from typing import Any

from site_double import Asked, Reply

_SELECTED = re.compile(
    r"(r\d+): repository\(owner: \$(\w+), name: \$(\w+), followRenames: true\) \{ \.\.\.R (.*?) \}(?= r\d+:| \} fragment)"
)
_FIELD = re.compile(r"(q\d+): (\w+)\(\w+: \$(\w+)\) \{ __typename \}")


def repository(name: str, holds: dict[str, set[str | int]] | None = None, **fields: Any) -> dict[str, Any]:
    """An entry; `holds` are the values each field knows."""
    base = {"nameWithOwner": name, "isArchived": False, "archivedAt": None, "isPrivate": False, "isDisabled": False}
    return {**base, **fields, "holds": holds or {}}


def github(repositories: dict[str, dict[str, Any]], seen: list[dict[str, Any]] | None = None) -> Any:
    """A rule for the double: answers a query about `repositories`, by lower-case name."""

    def answer(asked: Asked) -> Reply:
        question = json.loads(asked.body)
        if seen is not None:
            seen.append(question)
        values, data, errors = question["variables"], {}, []
        for alias, owner, name, fields in _SELECTED.findall(question["query"]):
            full = f"{values[owner]}/{values[name]}"
            entry = repositories.get(full)
            if entry is None:
                data[alias] = None
                message = f"Could not resolve to a Repository with the name '{full}'."
                errors.append({"type": "NOT_FOUND", "path": [alias], "locations": [{"line": 1, "column": 1}], "message": message})
                continue
            data[alias] = {key: value for key, value in entry.items() if key != "holds"}
            for field, kind, variable in _FIELD.findall(fields):
                known = values[variable] in entry["holds"].get(kind, set())
                data[alias][field] = {"__typename": "Found"} if known else None
                if not known and kind != "object":
                    errors.append({"type": "NOT_FOUND", "path": [alias, field], "message": f"Could not resolve to {kind}."})
        return Reply(200, json.dumps({"data": data, **({"errors": errors} if errors else {})}).encode())

    return answer
