"""Which files a rule is about: gitignore's syntax, in time linear in the name."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsign.policy.files import check_patterns, concerned

NAMES = ["a.bin", "sub/a.bin", "sub/deep/a.bin", "a", "sub/b", "x/sub/b", "sub.bin/c", "a[b]", "!a", "#a", "a b"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["*.bin"], ["a.bin", "sub.bin/c", "sub/a.bin", "sub/deep/a.bin"]),
        (["/*.bin"], ["a.bin", "sub.bin/c"]),
        (["sub"], ["sub/a.bin", "sub/b", "sub/deep/a.bin", "x/sub/b"]),
        (["sub/"], ["sub/a.bin", "sub/b", "sub/deep/a.bin", "x/sub/b"]),
        (["/sub/"], ["sub/a.bin", "sub/b", "sub/deep/a.bin"]),
        (["sub/b"], ["sub/b"]),
        (["**/sub/b"], ["sub/b", "x/sub/b"]),
        (["sub/**"], ["sub/a.bin", "sub/b", "sub/deep/a.bin"]),
        (["sub/**/a.bin"], ["sub/a.bin", "sub/deep/a.bin"]),
        (["sub/*/a.bin"], ["sub/deep/a.bin"]),
        (["**"], NAMES),
        (["*"], NAMES),
        (["**/"], [name for name in NAMES if "/" in name]),
        (["a.bin/"], []),
        (["?"], ["a", "sub/b", "x/sub/b", "sub.bin/c"]),
        (["[ab]"], ["a", "sub/b", "x/sub/b"]),
        (["[!a-z]a"], ["!a", "#a"]),
        (["x[^c]sub"], []),
        (["a\\[b]"], ["a[b]"]),
        (["a\\[b\\]"], ["a[b]"]),
        (["\\!a", "\\#a"], ["!a", "#a"]),
        (["a b"], ["a b"]),
        (["*", "!*.bin"], [name for name in NAMES if ".bin" not in name]),
        (["*", "!sub/", "sub/b"], [name for name in NAMES if "sub/" not in name or name == "sub/b"]),
        (["*", "!*"], []),
        (["A.BIN"], []),
        ([], NAMES),
    ],
)
def test_patterns_mean_what_git_says(patterns, expected):
    check_patterns(tuple(patterns))
    assert concerned(NAMES, tuple(patterns)) == sorted(expected)


@pytest.mark.parametrize(
    "pattern", ["*_*_*_*_*_*_*.bin", "*a*a*a*a*a*a*a*a*a*a*b", "**/*_*/**/*_*/**/x", "*?*?*?*?*?*?*z"]
)
@pytest.mark.parametrize("name", ["_" * 120 + ".pt", "a" * 255, "_/" * 2000 + "y"])
def test_no_name_makes_a_pattern_slow(pattern, name):
    started = time.process_time()
    assert concerned([name], (pattern,)) == []
    assert time.process_time() - started < 2


parts = st.text("ab*?.", min_size=1, max_size=4).filter(lambda part: "**" not in part and part not in {".", ".."})
one_pattern = st.builds(
    lambda lead, parts, tail: lead + "/".join(parts) + tail,
    st.sampled_from(["", "/"]),
    st.lists(parts | st.just("**"), min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
)
one_name = st.lists(st.text("ab.", min_size=1, max_size=3).filter(lambda part: part.strip(".")), min_size=1, max_size=4)


@given(one_pattern.filter(lambda pattern: not pattern.endswith("**/")), one_name.map("/".join))
def test_a_pattern_agrees_with_another_implementation(pattern, name):
    # A pattern that ends in **/ is about folders to git (git check-ignore), and about files too to pathspec.
    pathspec = pytest.importorskip("pathspec", reason="the implementation to compare with is not installed")
    found = concerned([name], (pattern,)) == [name]
    assert found == pathspec.GitIgnoreSpec.from_lines([pattern]).match_file(name), (pattern, name)


@given(st.text(max_size=20), st.text(min_size=1, max_size=20))
def test_any_text_is_a_pattern_or_a_value_error(pattern, name):
    try:
        check_patterns((pattern,))
    except ValueError:
        return
    concerned([name], (pattern,))
