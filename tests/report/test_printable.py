"""Is there one door for text from outside, and nothing that slips through it?"""

from __future__ import annotations

import unicodedata
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgtui.report.printable import printable

UNSAFE: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("wg0", "wg0"),
        ("Küche (2. OG) – нас", "Küche (2. OG) – нас"),
        ("[/bold]", "[/bold]"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\r\tc\x00\x7f\x9b", "a\\x0ab\\x0d\\x09c\\x00\\x7f\\x9b"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\u2066\u200b\ufeff\u2028", "\\u2066\\u200b\\ufeff\\u2028"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_could_be_obeyed_is_made_visible(text: str, shown: str) -> None:
    """Control characters, overrides, invisible and broken ones; everything else stays as it is."""
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_unsafe_comes_out(text: str) -> None:
    """Whatever goes in, surrogates included."""
    assert [char for char in printable(text) if unicodedata.category(char) in UNSAFE] == []


@given(st.text(st.characters(exclude_categories=())))
def test_it_may_be_applied_twice(text: str) -> None:
    """What is printable already is not changed."""
    assert printable(printable(text)) == printable(text)


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))))
def test_harmless_text_is_left_alone(text: str) -> None:
    """In any script."""
    assert printable(text) == text
