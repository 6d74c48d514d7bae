"""Reasons that come from the walk over a model's files, their names and their bytes."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "NO_SUCH_MODEL",
        ExitStatus.USAGE,
        "there is no model at this path",
        "Check the spelling of MODEL; it is a folder or a file.",
    ),
    Reason(
        "EMPTY_MODEL",
        ExitStatus.NOTHING,
        "the model holds no file",
        "Name the folder that holds the weights; a download may have failed.",
        "A signature over nothing would say nothing, and OMS v1.0 forbids it. Signatures, attestations and .git do "
        "not count as files of the model.",
    ),
    Reason(
        "FILE_CHANGED_WHILE_READ",
        ExitStatus.UNDECIDED,
        "a file was written to while it was read",
        "Let whatever writes to the model finish, then run again.",
    ),
    Reason(
        "FILE_UNREADABLE",
        ExitStatus.UNDECIDED,
        "a file of the model cannot be read",
        "Check the permissions of the file and the health of the disk.",
    ),
    Reason(
        "SPECIAL_FILE",
        ExitStatus.NEGATIVE,
        "the model holds something that is neither a file nor a folder",
        "Remove FIFOs, sockets and devices from the model.",
        "Such an entry has no bytes that could be signed, and a loader that opens it may hang or read anything.",
    ),
    Reason(
        "MODEL_TOO_DEEP",
        ExitStatus.UNDECIDED,
        "the model has too many levels of folders",
        "Check that MODEL is the folder you meant.",
    ),
    Reason(
        "MODEL_TOO_LARGE",
        ExitStatus.UNDECIDED,
        "the model has too many files",
        "Check that MODEL is the folder you meant.",
    ),
    Reason(
        "SNAPSHOT_TOO_LARGE",
        ExitStatus.UNDECIDED,
        "the model does not fit into a private copy",
        "Raise the limit, or free memory.",
        "What is judged must be what is loaded, so the bytes are copied into sealed memory first.",
    ),
    Reason(
        "SNAPSHOT_FAILED",
        ExitStatus.UNDECIDED,
        "no private copy of the model could be made",
        "Raise the limit on open files (ulimit -n), or free memory.",
    ),
    Reason(
        "LINK_NOT_ALLOWED",
        ExitStatus.NEGATIVE,
        "the model holds a symbolic link",
        "Replace the link by the file, or pass --allow-symlinks to follow links that stay inside the model.",
        "That a signer allowed links does not allow them here: whoever verifies decides whether they are followed.",
    ),
    Reason(
        "LINK_LEAVES_MODEL",
        ExitStatus.NEGATIVE,
        "a symbolic link leads out of the model",
        "Copy the file into the model, or name the folder it leads into with --link-root.",
        "A link out of the model can show other bytes tomorrow. The Hugging Face cache keeps its blobs beside the "
        "snapshots: --link-root .../blobs admits exactly that.",
    ),
    Reason(
        "LINK_TO_DIRECTORY",
        ExitStatus.NEGATIVE,
        "a symbolic link leads to a folder",
        "Replace the link by the folder itself.",
        "A linked folder is not walked by the reference implementation, so what is added in it later would be in "
        "no manifest and yet be loaded.",
    ),
    Reason(
        "LINK_CYCLE",
        ExitStatus.NEGATIVE,
        "symbolic links lead in a circle",
        "Remove the link.",
    ),
    Reason(
        "LINK_DANGLING",
        ExitStatus.NEGATIVE,
        "a symbolic link leads nowhere",
        "Remove the link, or restore the file it leads to.",
    ),
    Reason(
        "NAME_NOT_UTF8",
        ExitStatus.NEGATIVE,
        "a file's name is not UTF-8",
        "Rename the file.",
        "A manifest is JSON, and JSON is UTF-8: such a name cannot be written down, so it cannot be signed.",
    ),
    Reason(
        "NAME_CONTROL_CHARACTER",
        ExitStatus.NEGATIVE,
        "a file's name holds a control character",
        "Rename the file, or pass --insecure-names.",
        "Control characters and bidirectional overrides make a name look like another one in a report. A newline "
        "is refused always, because the tree digest is written line by line.",
    ),
    Reason(
        "NAME_LEAVES_MODEL",
        ExitStatus.NEGATIVE,
        "a name is not a plain path inside the model",
        "Do not use this bundle; ask its signer for a new one.",
        "Absolute names, empty parts, '.' and '..' would read a file outside the model, or one file under two names.",
    ),
    Reason(
        "NAME_TOO_LONG",
        ExitStatus.NEGATIVE,
        "a file's name is too long",
        "Rename the file.",
    ),
    Reason(
        "NAME_COLLIDES_NORMALISED",
        ExitStatus.NEGATIVE,
        "two names differ only by Unicode normalisation",
        "Rename one of the files, or pass --insecure-names.",
        "On file systems that normalise, one of the two files would take the place of the other.",
    ),
    Reason(
        "NAME_COLLIDES_CASE",
        ExitStatus.NEGATIVE,
        "two names differ only by letter case",
        "Rename one of the files, or pass --insecure-names.",
        "On file systems that ignore case, one of the two files would take the place of the other.",
    ),
    Reason(
        "LOADABLE_UNDER_GIT_PATH",
        ExitStatus.NEGATIVE,
        "a file that could be loaded stands where no manifest looks",
        "Remove the file, sign it with --no-ignore-git-paths, or pass --insecure-unsigned-loadable.",
        "OMS leaves .gitattributes, .github and .gitignore out of the manifest. Only plain text and plain JSON are "
        "admitted there: anybody could put weights there and nobody would notice.",
    ),
    Reason(
        "IGNORE_PATH_OUTSIDE",
        ExitStatus.USAGE,
        "a path to ignore is not inside the model",
        "Give --ignore-paths relative to the model, such as `--ignore-paths logs`.",
    ),
    Reason(
        "IGNORE_PATH_IS_PATTERN",
        ExitStatus.USAGE,
        "a path to leave out looks like a pattern",
        "Name each path exactly, or rename the file: OMS records paths and no patterns.",
        "OMS v1.0, section 6.2.1: the paths a signer leaves out are exact and hold none of the characters * ? [. With "
        "them, another reader could leave out more than the signer did.",
    ),
    Reason(
        "IGNORE_MATCHES_NOTHING",
        ExitStatus.USAGE,
        "a path to ignore is not there",
        "Check the spelling; --ignore-paths are relative to the model and exact.",
    ),
    Reason(
        "SIGNATURE_NOT_A_FILE",
        ExitStatus.NEGATIVE,
        "something else stands in the place of a signature",
        "Name a regular file (- is standard input); one of a default name in the model must go, and be fetched again.",
        "model.sig, model.sig.d/*.sig and model.intoto.jsonl are in no manifest. Only regular files are admitted "
        "there, since a folder or a link of that name could hold weights that nobody signed.",
    ),
)
