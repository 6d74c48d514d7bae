"""Reasons that come from the command line itself."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "USAGE",
        ExitStatus.USAGE,
        "the command was called wrongly",
        "Read `modelsign COMMAND --help` for the arguments it takes.",
    ),
    Reason(
        "INTERNAL",
        ExitStatus.UNDECIDED,
        "modelsign itself failed",
        "This is a bug in modelsign. Run again with -v and report what it prints.",
        "An exception nobody foresaw reached the top. No verdict was reached, so the answer "
        "is a refusal: treat the model as unverified.",
    ),
    Reason(
        "INTERRUPTED",
        ExitStatus.INTERRUPTED,
        "the command was interrupted",
        "Nothing was decided; run the command again.",
    ),
    Reason(
        "OUTPUT_EXISTS",
        ExitStatus.USAGE,
        "the output file exists already",
        "Choose another name, or pass --force to replace it.",
    ),
    Reason(
        "OUTPUT_UNWRITABLE",
        ExitStatus.UNDECIDED,
        "the output could not be written",
        "Check the permissions of the folder and the free space of the disk.",
        "Files are written beside their final name and renamed when complete, so what existed before is untouched.",
    ),
    Reason(
        "INPUT_UNREADABLE",
        ExitStatus.UNDECIDED,
        "an input file could not be read",
        "Check that the file exists and that you may read it.",
    ),
    Reason(
        "INPUT_TOO_LARGE",
        ExitStatus.UNDECIDED,
        "an input file is larger than its limit",
        "Check that the right file was named; the limit is in the message.",
    ),
    Reason(
        "JSON_MALFORMED",
        ExitStatus.UNDECIDED,
        "a JSON document is malformed",
        "Fetch the file again; it may be cut short or edited by hand.",
        "Documents are read strictly: duplicate keys, NaN, excess depth and excess size are errors, because two "
        "readers could understand such a document differently.",
    ),
    Reason(
        "CONFIG_REFUSED",
        ExitStatus.USAGE,
        "a configuration file cannot be used",
        "Correct the key the message names, or run with --no-config.",
        "A configuration file that is merely found (modelsign.toml, [tool.modelsign]) may set format, color, "
        "progress, quiet and verbose. Keys, roots, policies, ignore lists and --insecure switches come from the "
        "command line, the environment, or a file that you name, because whoever wrote a folder must not choose what "
        "is trusted in it.",
    ),
    Reason(
        "INSTALLATION_BROKEN",
        ExitStatus.UNDECIDED,
        "this installation lacks something the core needs",
        "Run `modelsign doctor` and install what it names.",
    ),
)
