"""What pickle programs are written with: names, texts, numbers and counts in sound and odd spellings."""

from __future__ import annotations

ALLOWED = (
    ("collections", "OrderedDict"), ("builtins", "set"), ("builtins", "getattr"), ("builtins", "complex"),
    ("numpy", "dtype"), ("numpy", "ndarray"), ("numpy._core.multiarray", "_reconstruct"), ("fractions", "Fraction"),
    ("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("builtins", "object"), ("datetime", "datetime"),
    ("functools", "partial"), ("_codecs", "encode"), ("torch._utils", "_rebuild_tensor_v2"), ("torch", "FloatStorage"),
    ("joblib.numpy_pickle", "NumpyArrayWrapper"), ("collections", "defaultdict"), ("decimal", "Decimal"),
    ("torch.nn.modules.linear", "Linear"), ("sklearn.linear_model._base", "LinearRegression"),
    ("torch.storage", "_load_from_bytes"), ("copyreg", "__newobj_ex__"), ("builtins", "bytearray"),
)  # fmt: skip
OLD = (
    ("__builtin__", "eval"), ("__builtin__", "set"), ("copy_reg", "_reconstructor"), ("UserDict", "UserDict"),
    ("cPickle", "loads"), ("exceptions", "ValueError"), ("itertools", "imap"), ("commands", "getoutput"),
    ("dbm", "whichdb"), ("whichdb", "whichdb"), ("__builtin__", "object"), ("StringIO", "StringIO"),
)  # fmt: skip
OTHERS = (
    ("os", "system"), ("posix", "system"), ("subprocess", "Popen"), ("mine", "Model"), ("mine.sub", "Outer.Inner"),
    ("torch", "os.system"), ("", "x"), ("os", ""), ("ä", "ö"), ("a b", "c"), ("mine", "x.__class__"), ("a\r", "b"),
    ("builtins", "exec"), ("operator", "attrgetter"), ("pickle", "loads"), ("\ud800", "x"), ("mine", "y" * 300),
)  # fmt: skip
WORDS = ("", "x", "os", "system", "__class__", "ä", "a.b", "f8", "latin1", "\u20ac", "\ud800", "a\nb", "\\", "z" * 300)
SOUND_WORDS = ("x", "os", "system", "__class__", "a.b", "f8", "latin1", "real", "z" * 300)
INTEGERS = (
    b"0", b"1", b"00", b"01", b"+1", b"-0", b" 1", b"\t7", b"0x1f", b"0X1F", b"-0x5", b"010", b"-010", b"0o17", b"0b11",
    b"1_0", b"1__0", b"_1", b"1_", b"0x", b"9" * 30, b"-" + b"9" * 30, b"9223372036854775807", b"9223372036854775808",
    b"1\0", b"1\0x", b"1 ", b"1\r", b"", b"-", b"+", b"0_0", b"08", b"\xb2", b"1L", b"0L", b"12LL", b"1e5", b"True",
    b"\x0b1", b"1\x00L", b"0" * 300 + b"1", b"--1", b"0xL", b"L", b"0x_1", b"0\0", b"02", b"-1", b"1\t", b"\0",
    b"\0\0x",
)  # fmt: skip
SOUND_INTEGERS = (b"00", b"01", b"0", b"1", b"2", b"7", b"-1", b"0x1f", b"-0x5", b"+1", b"9" * 30, b"1_0")
FLOATS = (
    b"1.5", b"nan", b"inf", b"-inf", b"infinity", b"NaN", b"1e5", b"-0.0", b"1_0.5", b"1e999", b" 1.5", b"1.5 ", b".5",
    b"5.", b".", b"", b"0x1p3", b"1.5\0x", b"1,5", b"1e", b"+1.5", b"1__0", b"\t1", b"1e-999", b"nan(1)", b"-nan",
    b"1.5\r", b"1e5L", b"snan", b"1" * 400,
)  # fmt: skip
STRINGS = (
    b"'a'", b'"a"', b"''", b"'", b'"', b"'a\"", b"a", b"'\\x6f\\x73'", b"'o\\163'", b"'\\x'", b"'\\xg1'", b"'\\400'",
    b"'\\777'", b"'\\n'", b"'\\q'", b"'a\\'", b"'os' ", b" 'os'", b"'os'\r", b"'\xe4'", b"'\\\\'", b"'a'b'", b"'os'\t",
    b"'\\u0041'", b"'\\8'", b"'\\0'", b"'\\x41\\", b"u'a'", b"b'a'", b"'sys\\x74em'", b"'\\1234'", b"'\\e'",
)  # fmt: skip
UNICODES = (
    b"a", b"", b"\\u006f\\u0073", b"\\u00e4", b"\\U0001F600", b"\\ud800", b"\\u12", b"\\U00110000", b"\\x41", b"\xe4",
    b"\\\\u0041", b"\\", b"\\\\", b"\\N{DIGIT ONE}", b"a\r", b"a\0b", b"\\u000a", b"syste\\u006d", b"\\U0000006f",
    b"\\u", b"\\\\\\u0041", b"\xff", b" os",
)  # fmt: skip
INDICES = (
    b"0", b"1", b"2", b" 1", b"1 ", b"+1", b"-0", b"01", b"1_0", b"1\0x", b"-1", b"", b"x", b"0x1", b"1L", b"\t2\r",
    b"9" * 20, b"9" * 41, b"0" * 5000 + b"1", b"1.0", b"\xa01", b"00", b"_1", b"1__0", b"300", b"-5",
)  # fmt: skip
PERSISTENT = (b"1", b"", b"a b", b"\xe4", b"x" * 300, b"1\r", b"\0", b"\\u0041")
EXTENSIONS = (0, 1, 2, 3, 5, 255, 256, 65535, 70000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
COUNTS = (0, 1, 2, 3, 5, 255, 256, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
