"""Budgets: how many bytes, members, levels and operations a reader will spend.

Every parser takes its bounds from here, so that any input ends in bounded time and memory.
Budgets count operations, bytes and depth; never seconds.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

JSON_DEPTH: Final = 64
"""Levels of nesting in any JSON document."""
BUNDLE_BYTES: Final = 256 * MIB
"""A bundle; one million files make about 225 MB."""
BUNDLE_VALUES: Final = 20_000
"""Objects, lists and members in one bundle, its payload not counted: a value in memory takes far more than on disk."""
TRUST_ROOT_BYTES: Final = 4 * MIB
"""A Sigstore trust root or trust configuration; the public one has 10 kB."""
TRUST_ROOT_MEMBERS: Final = 200
"""Logs, or authorities of one kind, in a trust root."""
PROOFS: Final = 32
"""Log entries, or timestamps, in one bundle."""
CHECKPOINT_BYTES: Final = 64 * KIB
"""A log's checkpoint with all its signatures."""
INSPECTED_VALUES: Final = 5_000_000
"""Objects, lists and members of a payload nobody verified that `inspect` reads; one million files have four million."""
INSPECTED_PART_BYTES: Final = 64 * KIB
"""A certificate or timestamp in a bundle that `inspect` describes."""
KEY_BYTES: Final = 64 * KIB
"""A PEM file with one key."""
ANSWER_BYTES: Final = 1 * MIB
"""What a server may answer to one request, unless the caller says otherwise."""
TOKEN_BYTES: Final = 64 * KIB
"""An identity token; those of continuous integration have some 2 kB."""
KMS_ANSWER_BYTES: Final = 1 * MIB
"""An answer of a key management service; Vault lists every version of a key."""
CERTIFICATE_BYTES: Final = 64 * KIB
"""One certificate in DER; with ML-DSA-87 throughout it has some 8 KB."""
CERTIFICATE_FILE_BYTES: Final = 4 * MIB
"""A file of certificates."""
CERTIFICATES: Final = 1000
"""Certificates in one file."""
CERTIFICATE_NAMES: Final = 500
"""Alternative names, or constraints on names, in one certificate."""
CHAIN_CERTIFICATES: Final = 100
"""Certificates that may stand between a leaf and the roots, those of the bundle and those of the caller together."""
CHAIN_LENGTH: Final = 10
"""Certificates in one chain, leaf and root included."""
CHAIN_STEPS: Final = 1000
"""Steps of the search for chains, and so signatures checked in it."""
CHAINS: Final = 20
"""Chains that are examined for one leaf."""
CRL_BYTES: Final = 64 * MIB
"""A certificate revocation list."""
OCSP_BYTES: Final = 1 * MIB
"""An OCSP response."""
POLICY_BYTES: Final = 1 * MIB
"""A trust policy."""
STORE_BYTES: Final = 256 * MIB
"""An attestation store (``model.intoto.jsonl``)."""
STORE_LINES: Final = 10_000
"""Bundles in an attestation store."""
EVIDENCE_FILES: Final = 1000
"""Signature files at a model's default places that one verdict reads."""
EVIDENCE_BYTES: Final = 512 * MIB
"""Signatures and attestations at a model's default places, together; the last one read may go beyond it."""
SNAPSHOT_BYTES: Final = 256 * GIB
"""A private copy of a model in memory, unless the caller says otherwise."""
DIGESTS_BYTES: Final = 512 * MIB
"""A list of digests; one million files make about 400 MB."""
DIGEST_PARTS: Final = 10_000
"""Shares into which the hashing of one model is divided."""
LARGEST_FILE: Final = 2**63
"""More bytes than any file has."""
MODEL_FILES: Final = 4_000_000
"""Files in one model."""
NAME_BYTES: Final = 4096
"""A resource name, in UTF-8."""
MODEL_DEPTH: Final = 200
"""Levels of folders in one model."""
SCAN_INPUT_BYTES: Final = 1 * GIB
"""A model on standard input, which is kept in memory."""
SCAN_DEPTH: Final = 8
"""Containers inside containers that a scan follows."""
SCAN_MEMBERS: Final = 1_000_000
"""Members of all containers in one file."""
SCAN_UNPACKED_BYTES: Final = 4 * GIB
"""Bytes that a scan unpacks from one file, all its members together."""
SCAN_PEAK_BYTES: Final = 1 * GIB
"""Memory for the scan of one file; the bounds of all readers are chosen so that none takes more than twice as much."""
SCAN_WORK: Final = 32 * 1024 * 1024
"""Units of work (see ``scan/work.py``) that a scan spends on a file of any size; a unit is a byte that is looked at."""
SCAN_WORK_PER_BYTE: Final = 64
"""Units of work beyond these for each byte of the file."""
SCAN_UNPACKED_PER_WORK: Final = 16
"""Bytes that are unpacked for one unit of work; looking at them is counted apart."""
SCAN_MEMORY_BYTES: Final = 8 * MIB
"""Unpacked bytes of one stream that are kept in memory; longer ones go to an unnamed file on disk."""
SCAN_JSON_BYTES: Final = 64 * MIB
"""A JSON document in a model; the largest tokenizers have some 35 MB."""
SCAN_JSON_ROOM: Final = 1 * GIB
"""Memory that a JSON document may come to when it is read, as estimated from its marks."""
SECRETS_BYTES: Final = 1 * MIB
"""A text that is searched for keys and tokens; longer ones are vocabularies."""
TORCHSCRIPT_BYTES: Final = 16 * MIB
"""Source of the TorchScript program in one archive."""
TAR_HEADER_BYTES: Final = 1 * MIB
"""A long name, or the records of one pax header, in a tar archive."""
ARCHIVE_HEADER_BYTES: Final = 64 * MIB
"""The header of a 7z archive, unpacked; a million members take some 60 MB."""
RAR_HEADER_BYTES: Final = 2 * MIB
"""The header of one member of a RAR archive, as the format itself bounds it."""
SAFETENSORS_HEADER_BYTES: Final = 100_000_000
"""The header of a safetensors file, as the format itself bounds it."""
NUMPY_HEADER_BYTES: Final = 1 * MIB
"""The header of a .npy file; NumPy itself trusts 10,000 characters."""
XML_BYTES: Final = 256 * MIB
"""An XML document in a model; one with the numbers of a large forest has some 100 MB."""
XML_TAG_BYTES: Final = 16 * MIB
"""A tag with its attributes, or a comment, of an XML document, which are held as a whole; a picture in an SVG image is
the largest there is. Small attributes take twenty times their bytes."""
XML_DEPTH: Final = 1000
"""Elements inside elements; a decision tree in PMML is one for each of its levels."""
PROTOBUF_FIELDS: Final = 64_000_000
"""Fields of one protobuf file that a scan walks."""
PROTOBUF_DEPTH: Final = 100
"""Messages inside messages, as protobuf's own parsers bound them."""
PROTOBUF_TEXT_BYTES: Final = 32 * MIB
"""A protobuf message in text; a graph without its weights has some 10 MB."""
PROTOBUF_KEPT: Final = 100_000
"""Values of one field that are kept while its message is read."""
PLAIN_PARTS: Final = 200_000
"""Chunks, boxes, pages or segments of a picture, sound or film; the largest have some ten thousand."""
PROTOBUF_OUTLINE: Final = 1_000_000
"""Outermost fields looked at to tell whether a file is a protobuf message."""
SOURCE_BYTES: Final = 512 * 1024
"""A file of Python source; the longest of transformers have some 300,000."""
SOURCE_BRACKETS: Final = 60
"""Levels of brackets in Python source; CPython's own bound is 200, and its parser's stack differs between versions."""
SOURCE_DEPTH: Final = 300
"""Levels of a syntax tree; what an interpreter takes starts at about 1500 and differs between versions."""
YAML_BYTES: Final = 512 * 1024
"""A YAML document; configurations of training runs have some 100,000."""
YAML_EVENTS: Final = 100_000
"""Events of a YAML document's parser."""
TOML_BYTES: Final = 256 * 1024
"""A TOML document, or a list of packages."""
INI_BYTES: Final = 256 * 1024
"""An INI file; a pipeline's has some 5 kB."""
NOTEBOOK_BYTES: Final = 64 * MIB
"""A notebook, pictures in its outputs included."""
GGUF_ENTRIES: Final = 100_000
"""Entries of metadata of a GGUF file, or lists in one of them; large models have some 100."""
GGUF_TENSORS: Final = 100_000
"""Tensors of a GGUF file; large models have some 2,000."""
GGUF_DEPTH: Final = 8
"""Lists in lists of a GGUF file's metadata."""
TEMPLATE_CHARACTERS: Final = 256 * 1024
"""A Jinja template; the longest chat templates have some 30,000."""
TEMPLATES_CHARACTERS: Final = 1 * MIB
"""All templates of one document together."""
TEMPLATE_DEPTH: Final = 100
"""Brackets in brackets, or blocks in blocks, of a template."""
SCAN_FINDINGS: Final = 1000
"""Findings kept of one file; one more says how many were left out."""
BASELINE_BYTES: Final = 16 * MIB
"""A baseline of accepted findings."""
TRACES: Final = 1000
"""Pickles of one scan that are disassembled."""
TRACE_OPCODES: Final = 2_000_000
"""Opcodes that the disassembly of one pickle goes through."""
TRACE_LINES: Final = 5000
"""Lines of one disassembly that are shown."""
SCAN_LZMA_MEMORY_BYTES: Final = 128 * MIB
"""Memory an LZMA or XZ decoder may ask for; `xz -9` needs 65 MiB."""
SCAN_ZSTD_WINDOW_BYTES: Final = 128 * MIB
"""The window of a Zstandard frame, as its own tools bound it; `zstd --ultra -22` uses all of it."""
SCAN_FRAMES: Final = 1_000_000
"""Streams that follow each other as one, such as the blocks that `bgzip` and `pzstd` write."""
HDF5_METADATA_BYTES: Final = 256 * MIB
"""Headers, indexes and texts of one HDF5 file; the numbers of its datasets are not read."""
HDF5_REREAD: Final = 4
"""How often the bytes of an HDF5 file may be read again, counted over all its parts."""
HDF5_STEPS: Final = 4_000_000
"""Objects, messages and entries of one HDF5 file."""
STREAM_STEPS: Final = 50_000_000
"""Fields of a file that is a stream of small fields (MessagePack, UBJSON, R, Torch)."""
STREAM_FIELD_BYTES: Final = 16 * MIB
"""A field of such a file that is kept while it is looked at; longer ones are skipped or refused."""
STREAM_DEPTH: Final = 1000
"""Levels of nesting in such a file."""
LIGHTGBM_LINE_BYTES: Final = 64 * MIB
"""One line of a LightGBM model, such as the names of all features."""
R_TASKS: Final = 1_000_000
"""Parts of an R file that are open at once: a list is as deep as it is long."""
R_NAME_BYTES: Final = 4096
"""A text of an R file that is kept: names of classes and packages."""
INERT_BYTES: Final = 16 * MIB
"""A text or JSON file that may stand in a model without being signed."""
PICKLE_WALKED_BYTES: Final = 16 * GIB
"""Bytes of opcodes in one stream of pickles, an upper bound of its operations; skipped literals do not count."""
PICKLE_STACK: Final = 4_000_000
"""Values on the stack, and marks, of one pickle."""
PICKLE_TUPLES: Final = 16_000_000
"""Tuples and values in them that one pickle makes: they are kept, since calls are judged by their arguments."""
PICKLE_OBJECTS: Final = 4_000_000
"""Objects that one file's pickles make of classes with state or items, and values in a memo that are not plain data."""
PICKLE_MEMO: Final = 64_000_000
"""Entries in the memo of one pickle."""
PICKLE_MEMO_GAPS: Final = 4_000_000
"""Entries in the memo of one pickle beyond a gap, which take more room."""
PICKLE_LINE: Final = 16 * MIB
"""A line of a pickle's text opcodes; CPython has no bound."""
PICKLE_DEPTH: Final = 8
"""Pickles inside pickles that a scan follows."""
PICKLE_NAME_BYTES: Final = 64 * MIB
"""Characters of all names that the pickles of one reading import."""
PICKLE_GLOBALS: Final = 100_000
"""Different names that one file's pickles import."""
REVOCATION_BYTES: Final = 64 * MIB
"""A revocation list in its bundle."""
REVOCATION_ENTRIES: Final = 100_000
"""Entries in a revocation list."""
EXACT_INTEGER: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exactly (RFC 8259, section 6)."""
