"""What was published and no model file can show: a fault of a scanner's own program, or of a loader's service."""

from __future__ import annotations

NOT_OURS: dict[str, str] = {
    "GHSA-wccx-j62j-r448": "fickling's hook left pickle.loads and _pickle.loads alone. Nothing is hooked while "
    "scanning.",
    "GHSA-fphw-536r-4p88": "fickling's hook left the pure-Python unpickler alone. Nothing is hooked while scanning; "
    "the gate (docs/explanation.md) hands loaders a sealed copy of what was scanned.",
    "trailofbits/fickling#309": "A context manager left its hooks behind. Nothing is hooked while scanning.",
    "protectai/modelscan#357": "A configuration file in the working directory was read and obeyed. A scan here reads "
    "no configuration that it was not given.",
    "promptfoo/modelaudit's whitelist": "Severities fell with the name of the repository. No name of a repository, an "
    "organisation or a file lowers an outcome here.",
    "promptfoo/modelaudit's imports": "A verdict moved with what was installed. Nothing installed is looked at here.",
    "CVE-2026-0897": "Keras runs out of memory on a dataset of an immense shape. The shape is read and never allocated "
    "here; the loader's memory is the loader's.",
    "CVE-2025-33253": "NeMo unpickled what its service received. A pickle is judged as such (CVE-2020-13092).",
    "CVE-2026-31214": "A script of ml-engineering unpickles checkpoints. A pickle is judged as such (CVE-2020-13092).",
}
