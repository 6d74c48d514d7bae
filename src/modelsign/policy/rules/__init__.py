"""The policy/rules layer."""
