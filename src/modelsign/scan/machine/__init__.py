"""The abstract pickle machine: walks a pickle's opcodes and computes with symbols instead of objects.

It follows CPython's ``Modules/_pickle.c`` up to the first error CPython would raise; what it does beyond
that point only adds findings. It never imports, calls or builds what a pickle names.
"""

from __future__ import annotations
