"""Published bypasses and vulnerabilities, each rebuilt inert: an id, what it is, a file, and what must come of it.

One module per area; ``ALL`` joins them, and ``NOT_OURS`` names what no file can show, with the reason. The payload is
never more than the name of ``os.system`` with the argument ``true``; nothing here is ever run.
"""

from __future__ import annotations

from attacks import archives, documents, fickling, graphs, keras, opcodes, picklescan, pytorch, techniques
from attacks.attack import Attack
from attacks.not_ours import NOT_OURS

AREAS: dict[str, tuple[Attack, ...]] = {
    "Advisories of picklescan: names it did not know": picklescan.NAMES,
    "Advisories of picklescan: files it did not read": picklescan.FILES,
    "Advisories of fickling": fickling.ATTACKS,
    "Issues of modelscan and other scanners, and what was found in the wild": techniques.ATTACKS,
    "Pickles that read otherwise than they look": opcodes.ATTACKS,
    "PyTorch": pytorch.ATTACKS,
    "NumPy, joblib, scikit-learn, skops and archives": archives.ATTACKS,
    "Keras": keras.ATTACKS,
    "TensorFlow, ONNX, GGUF and other graphs": graphs.ATTACKS,
    "Configurations, templates and code beside the weights": documents.ATTACKS,
}
ALL: tuple[Attack, ...] = tuple(attack for attacks in AREAS.values() for attack in attacks)

__all__ = ["ALL", "AREAS", "NOT_OURS", "Attack"]
