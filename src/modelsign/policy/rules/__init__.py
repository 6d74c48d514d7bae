"""Rule kinds of a trust policy, one file each, each ending in one ``RULE_KIND``."""
