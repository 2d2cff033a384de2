from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from avatar_core.reporting.html.markup import Markup, clean, joined, tag


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<b>&\"'") == "<p>&lt;b&gt;&amp;&quot;&#x27;</p>"
    assert tag("p", tag("b", "x"), None, "y") == "<p><b>x</b>y</p>"
    assert joined(["<", Markup("<")]) == "&lt;<"


def test_attributes_are_escaped_and_named_as_html_names_them() -> None:
    made = tag("a", href='"><script>', class_="x", aria_label="é", hidden=True, id=None, lang=False)
    assert made == ('<a href="&quot;&gt;&lt;script&gt;" class="x" aria-label="é" hidden></a>')
    assert tag("meta", name="n", content="c") == '<meta name="n" content="c">'
    assert tag("rect", x=1.5, y=1234567.0) == '<rect x="1.5" y="1234567"></rect>'


def test_unseen_characters_are_shown_by_their_number() -> None:
    unseen = ["\x00", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\u200f", "\ud800", "\ufffe"]
    for character in unseen:
        assert clean(f"a{character}b") == f"a⟨U+{ord(character):04X}⟩b"
    assert len(unseen) == 9
    assert clean("line\nnext\ttab é 日本 😀") == "line\nnext\ttab é 日本 😀"


@given(st.text())
def test_any_text_can_be_written_and_opens_no_element(text: str) -> None:
    made = tag("p", text, title=text)
    made.encode("utf-8")
    assert made.count("<") == 2
    assert made.count('"') == 2
