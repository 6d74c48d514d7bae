"""Hostile input for every parser: what they are fed, how it is changed, and how their answers are judged."""
