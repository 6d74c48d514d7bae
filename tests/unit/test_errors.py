"""The exception tree and the catalog behind it."""

from __future__ import annotations

import pytest

from modelsign import errors
from modelsign.errors import ExitStatus, ModelsignError, NothingToCheck, Refused, Undecided, UsageError, error
from modelsign.reasons import CATALOG

CLASSES = {
    ExitStatus.NEGATIVE: Refused,
    ExitStatus.USAGE: UsageError,
    ExitStatus.UNDECIDED: Undecided,
    ExitStatus.NOTHING: NothingToCheck,
    ExitStatus.INTERRUPTED: Undecided,
}


@pytest.mark.parametrize("code", sorted(CATALOG))
def test_the_class_of_an_error_follows_from_its_code(code):
    fault = error(code, "this case")
    assert type(fault) is CLASSES[CATALOG[code].exit_status]
    assert fault.code == code
    assert fault.exit_status == CATALOG[code].exit_status
    assert fault.advice == CATALOG[code].advice
    assert fault.message == str(fault) == "this case"
    assert fault.details == {}


def test_advice_may_be_said_better_for_one_case():
    assert error("USAGE", "m", advice="Do this.").advice == "Do this."


def test_details_are_a_copy():
    facts = {"name": "x"}
    fault = error("USAGE", "m", details=facts)
    facts["name"] = "y"
    assert fault.details == {"name": "x"}


def test_an_unknown_code_is_a_bug():
    with pytest.raises(KeyError):
        error("NO_SUCH_CODE", "m")


def test_every_error_is_a_modelsign_error_and_every_name_is_exported():
    for name in ("Refused", "UsageError", "Undecided", "NothingToCheck"):
        assert issubclass(getattr(errors, name), ModelsignError)
    assert {name for name in vars(errors) if name[0].isupper() and isinstance(getattr(errors, name), type)} <= set(
        errors.__all__
    )


def test_the_exit_statuses_are_those_scripts_rely_on():
    assert {status.name: int(status) for status in ExitStatus} == {
        "OK": 0,
        "NEGATIVE": 1,
        "USAGE": 2,
        "UNDECIDED": 3,
        "NOTHING": 4,
        "INTERRUPTED": 130,
    }
