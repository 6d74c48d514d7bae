"""Confines a process, and keeps one ready to be asked: rlimits, no-new-privileges, Landlock, seccomp, a zygote.

Knows nothing of models and scans: a program (``confined/_program.py``) says what its children answer.
"""
