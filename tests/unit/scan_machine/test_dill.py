"""dill's and cloudpickle's files: arrays are read as the calls they stand for, helpers that carry code stay unsafe."""

from __future__ import annotations

import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

MAKE = b"cdill._dill\n_create_array\n"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n"
PARTS = b"(cnumpy\nndarray\nK\x00\x85C\x01bt"
DTYPE = (
    b"cnumpy\ndtype\n(X\x02\x00\x00\x00i8\x89\x88tR(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)
STATE = b"(K\x01K\x01\x85" + DTYPE + b"\x89C\x08" + bytes(8) + b"t"


def scanned(body):
    return scan_file(BytesReading(b"\x80\x04" + body + b"."), "model.dill")


def rules(body):
    return {finding.rule for finding in scanned(body).findings}


@pytest.mark.parametrize("attributes", [b"", b"N"])
def test_an_array_of_dill_s_is_clean(attributes):
    assert scanned(MAKE + b"(" + ARRAY + PARTS + STATE + attributes + b"tR").findings == ()


@pytest.mark.parametrize(
    "body",
    [
        MAKE + b"(cposix\nsystem\nX\x04\x00\x00\x00true\x85" + STATE + b"tR",
        MAKE + b"(" + ARRAY + b"cposix\nsystem\nX\x04\x00\x00\x00true\x85R" + STATE + b"tR",
        MAKE + b"(" + MAKE + b"(cposix\nsystem\nX\x04\x00\x00\x00true\x85N" + b"t" + STATE + b"tR",
        b"cdill._dill\n_create_function\n)R",
        b"cdill._dill\n_load_type\nX\x04\x00\x00\x00type\x85R",
        b"cdill._dill\n_import_module\nX\x02\x00\x00\x00os\x85R",
        b"cdill\n_dill._create_code\n)R",
        b"ccloudpickle.cloudpickle\n_make_function\n)R",
        b"ccloudpickle.cloudpickle\nsubimport\nX\x02\x00\x00\x00os\x85R",
    ],
)
def test_what_runs_code_is_unsafe(body):
    assert scanned(body).outcome is Outcome.UNSAFE


@pytest.mark.parametrize(
    "body",
    [
        MAKE + b"(cmine\nmake\n)" + STATE + b"tR",
        MAKE + b"(" + ARRAY + PARTS + b"X\x01\x00\x00\x00atR",
        MAKE + b"(" + ARRAY + PARTS + STATE + b"}tR",
        MAKE + b"(" + ARRAY + PARTS + STATE + b"NNtR",
        MAKE + b")R",
        MAKE + b"(" + ARRAY + b"(cmine\nArray\nK\x00\x85C\x01bt" + STATE + b"tR",
    ],
)
def test_an_array_of_other_parts_is_not_clean(body):
    assert scanned(body).outcome in {Outcome.UNVERIFIED, Outcome.UNSAFE}
