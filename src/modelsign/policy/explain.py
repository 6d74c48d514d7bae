"""A policy in words: what it asks for, of whom, and what the caller must give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsign.policy.document import kind_of

if TYPE_CHECKING:
    from modelsign.policy.document import Policy

__all__ = ["explain", "explain_text"]


def explain(policy: Policy) -> dict[str, Any]:
    """Return the explanation as JSON types."""
    values = {name: declared.default_values or (f"${name}",) for name, declared in policy.parameters.items()}
    metadata = policy.header.metadata
    return {
        "name": metadata.name,
        "version": metadata.version,
        "description": metadata.description,
        "expires": metadata.expires,
        "parameters": [
            {
                "name": name,
                "type": declared.type,
                "description": declared.description,
                "required": declared.default is None,
                "default": list(declared.default_values or ()),
            }
            for name, declared in policy.parameters.items()
        ],
        "rules": [
            {
                "id": rule.id,
                "kind": kind_of(rule).id,
                "mode": rule.mode.value,
                "title": rule.title or kind_of(rule).title,
                "expected": kind_of(rule).expected(rule, values),
                "authenticates_all_bytes": kind_of(rule).authenticates_all_bytes,
                "advice": rule.advice,
            }
            for rule in policy.rules
        ],
        "waivers": [
            {"id": waiver.id, "rule": waiver.rule, "expires": waiver.expires, "reason": waiver.reason}
            for waiver in policy.waivers
        ],
    }


def explain_text(policy: Policy) -> str:
    """Return the explanation for people."""
    found = explain(policy)
    lines = [f"Policy {found['name']}, version {found['version']}"]
    lines += [found["description"].strip()] if found["description"] else []
    lines += [f"Allows nothing from {found['expires']} on."] if found["expires"] else []
    lines += ["", "The caller gives:"] if found["parameters"] else []
    for item in found["parameters"]:
        needed = "" if item["required"] else " (optional)"
        lines.append(f"  --set {item['name']}=…  {item['type']}{needed}: {item['description']}")
        lines += [f"      unless given: {value}" for value in item["default"]]
    lines += ["", "ALLOW only if every enforced rule is met:"]
    for item in found["rules"]:
        mark = "" if item["mode"] == "enforce" else " [warn only]"
        lines.append(f"  {item['id']}{mark}: {item['title']}")
        lines.append(f"      {item['expected']}")
    lines += ["", "Waived:"] if found["waivers"] else []
    lines += [f"  {item['rule']} until {item['expires']} ({item['id']}): {item['reason']}" for item in found["waivers"]]
    return "\n".join(lines) + "\n"
