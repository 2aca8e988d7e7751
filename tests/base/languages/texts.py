"""Texts with any character that a path, a name or an argument can have."""

from hypothesis import strategies as st

TELLING = "%?#'\"$\\/<>&|`*_[](){}=,;:!~@+-. \n\t\r0123456789azé語\u202e\u2028\x1b\x7f\udcff\udc80"
"""Characters that mean something in one language or another; the last are bytes that are no text."""

texts = st.text(
    st.one_of(
        st.sampled_from(TELLING),
        st.characters(exclude_characters="\0", exclude_categories=("Cs",)),
        st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, exclude_categories=()),
    ),
    max_size=40,
)
"""Any text without the zero byte, which no path, argument or environment can hold."""

WORDS = ("", "2026_11_30", "1e5", "007", "true", "null", "NULL", "inf", "-nan", "0x10", "1:30", "${x}", "it's")
"""Whole texts that a language may take for something else."""

path_parts = texts.filter(lambda text: text not in ("", ".", "..") and "/" not in text)
