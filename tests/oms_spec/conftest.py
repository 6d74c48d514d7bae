"""What the tests of the specification share: a model, a key, and the two ways as a user of the library goes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import omsbundles
import pytest

from modelsign.artifact.model import open_artifact
from modelsign.signing.keys import generate
from modelsign.signing.sign import sign_model
from modelsign.signing.verify import VerifyOptions, verify_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from modelsign.signing.keys import SigningKey
    from modelsign.verdict import VerifyResult


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return generate()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return omsbundles.put(tmp_path / "model")


@pytest.fixture
def sign(key: SigningKey) -> Callable[..., bytes]:
    """Sign a model; ``opening`` goes to ``open_artifact``, the rest to ``sign_model``."""

    def signing(model: Path, *, by: Any = key, opening: dict[str, Any] | None = None, **options: Any) -> bytes:
        with open_artifact(model, **(opening or {})) as artifact:
            return sign_model(artifact, by, **options).bundle

    return signing


@pytest.fixture
def verify(key: SigningKey) -> Callable[..., VerifyResult]:
    """Verify a model against one bundle."""

    def verifying(
        model: Path, bundle: bytes, *, by: Any = key.public, opening: dict[str, Any] | None = None, **options: Any
    ) -> VerifyResult:
        opening = {"ignore_paths": options.get("ignore_paths", ()), **(opening or {})}
        with open_artifact(model, **opening) as artifact:
            return verify_model(artifact, bundle, [by], options=VerifyOptions(**options))

    return verifying


@pytest.fixture
def refused(verify: Callable[..., VerifyResult]) -> Callable[..., list[str]]:
    """Return the codes of the reasons for which a model is refused; there is at least one."""

    def refusing(*arguments: Any, **options: Any) -> list[str]:
        result = verify(*arguments, **options)
        assert result.reasons
        assert int(result.exit_status) != 0
        return [reason.code for reason in result.reasons]

    return refusing
