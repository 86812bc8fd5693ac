"""Sentences that look like English from a distance."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from mlvalidate.data.draws import Draws

Texts = npt.NDArray[np.object_]

# Below this many characters a text is made of letters, not of words; a text of no greatest length
# to speak of ends here.
SHORTEST_TEXT, LONGEST_TEXT = 16, 10_000
# A sentence is an opening, a middle and an end out of as many phrases each.
PHRASES = 1024
PHRASE_WORDS = ((2, 4), (1, 4), (1, 4))

_TEXT = """
the a our their this every some no two many new old early late small large quick slow first last
good poor clear open customer order account service product team report store delivery price
invoice support question answer payment contract month week morning city market device screen
battery package return refund office manager friend family school garden river window table paper
letter number result reason change problem plan offer visit call arrived worked asked showed moved
found needed wanted helped opened closed paid kept sent bought sold wrote read stayed waited
agreed noticed expected in on at with without for from about after before near over under and but
because while again often never always soon today well very quite almost together outside inside
later already still perhaps
"""
WORDS = tuple(_TEXT.split())


def draw_texts(size: int, draws: Draws, length: tuple[int, int] | None) -> Texts:
    """Return ``size`` texts: sentences of 4 to 12 words, or cut to ``length`` characters."""
    if length is None:
        return _draw_sentences(size, draws)
    least = max(length[0], 1)
    most = min(length[1], max(least, LONGEST_TEXT))
    targets = least + draws.below(most - least + 1, size).astype(np.int64)
    texts = _draw_sentences(size, draws)
    while True:
        sizes = np.fromiter(map(len, texts), dtype=np.int64, count=size)
        short = sizes < targets
        if not short.any():
            break
        texts[short] = texts[short] + " " + _draw_sentences(int(short.sum()), draws)
    cut: Any = [_cut(text, target) for text, target in zip(texts, targets.tolist(), strict=True)]
    return np.array(cut, dtype=object)


def _draw_sentences(size: int, draws: Draws) -> Texts:
    openings, middles, ends = _phrases()
    sentences: Texts = openings[draws.below(PHRASES, size).astype(np.intp)]
    for phrases in (middles, ends):
        sentences = sentences + phrases[draws.below(PHRASES, size).astype(np.intp)]
    return sentences


@cache
def _phrases() -> list[Texts]:
    """Return openings, middles and ends, which begin with a blank; the same on every call."""
    draws = Draws(0, "phrases")
    found: list[Texts] = []
    for least, most in PHRASE_WORDS:
        counts = (least + draws.below(most - least + 1, PHRASES)).tolist()
        words = iter(draws.below(len(WORDS), PHRASES * most).tolist())
        phrases = [" ".join(WORDS[next(words)] for _ in range(count)) for count in counts]
        found.append(np.array(phrases, dtype=object))
    openings, middles, ends = found
    capitalised = np.array([text.capitalize() for text in openings], dtype=object)
    return [capitalised, " " + middles, " " + ends + "."]


def _cut(text: str, target: int) -> str:
    cut = text[:target]
    return f"{cut[:-1]}." if cut.endswith(" ") else cut
