"""Reasons that come from the gate in front of the loaders."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "LOAD_DENIED",
        ExitStatus.NEGATIVE,
        "the policy denies the model, so it is not loaded",
        "Read the failed rules in the message; `modelsign check MODEL --policy P` shows all of them.",
        "The policy was evaluated over a private copy of the model and at least one enforced rule failed. No byte "
        "reached a loader. The exception carries the whole verdict as `result`.",
    ),
    Reason(
        "LOAD_UNDECIDED",
        ExitStatus.UNDECIDED,
        "the policy could not decide about the model, so it is not loaded",
        "Read the open rules in the message and supply what they miss.",
        "An enforced rule was neither passed nor failed. A gate treats that as a refusal: no byte reached a loader. "
        "The exception carries the whole verdict as `result`.",
    ),
    Reason(
        "LOAD_NOT_CLEAN",
        ExitStatus.NEGATIVE,
        "the file to load is not clean",
        "Run `modelsign scan MODEL` to see what the file holds; convert weights to safetensors.",
        "The policy allows the model, and still the gate hands a file to a loader only if the scan says `clean`. "
        "A file that is merely `unverified` is handed over only when the caller says `insecure_unverified=True`; "
        "one that is unsafe, incomplete or unsupported never is.",
    ),
    Reason(
        "LOAD_AMBIGUOUS",
        ExitStatus.NEGATIVE,
        "the file can be read as more than one format",
        "Save the model again in one plain format.",
        "The scan's reading picks the loader. A file with several readings could show the scanner one face and the "
        "loader another, so no loader is picked.",
    ),
    Reason(
        "LOAD_FILE_NOT_NAMED",
        ExitStatus.USAGE,
        "the model holds several files that could be loaded",
        "Name the one to load: modelsign.load(path, file='model.safetensors', ...).",
    ),
    Reason(
        "LOAD_NO_SUCH_FILE",
        ExitStatus.USAGE,
        "the model's manifest holds no file of that name",
        "Use a name from `modelsign digest MODEL --format json`, relative to the model, with forward slashes.",
        "Only files that the manifest covers are in the private copy; evidence and ignored files are not.",
    ),
    Reason(
        "LOAD_NOTHING",
        ExitStatus.NOTHING,
        "the model holds no file that could be loaded",
        "Use modelsign.verified(...) and open the files you need, or name one with file=.",
    ),
    Reason(
        "LOAD_NO_LOADER",
        ExitStatus.UNDECIDED,
        "there is no loader for this format",
        "Use `with modelsign.verified(...) as model:` and hand model.path to the library that reads the format.",
    ),
    Reason(
        "LOAD_LIBRARY_MISSING",
        ExitStatus.UNDECIDED,
        "the library that reads this format is not installed",
        "Install the extra that the message names.",
    ),
    Reason(
        "LOAD_GLOBAL_REFUSED",
        ExitStatus.NEGATIVE,
        "the file asked for a name that the scan had not accepted",
        "Treat the file as hostile and report it: it showed the scanner something else than the loader.",
        "A pickle may import exactly the names that the scan found in the same bytes. An import of any other name "
        "means that the loader reads the bytes differently from the scanner.",
    ),
    Reason(
        "LOAD_FAILED",
        ExitStatus.UNDECIDED,
        "the library could not read the file",
        "Check that the installed version of the library can read what was saved.",
        "The verdict was ALLOW and the loader was started, but it raised an error of its own, which is attached as "
        "the cause.",
    ),
    Reason(
        "SNAPSHOT_CLOSED",
        ExitStatus.USAGE,
        "the private copy of the model is gone",
        "Use the model inside the `with modelsign.verified(...)` block.",
    ),
)
