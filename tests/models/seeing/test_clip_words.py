"""CLIP's words: cut and joined as the tokenizers library does it, out of either kind of file."""

from __future__ import annotations

import json

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models.seeing.clip_words import END, START, _byte_letters, cut, read_words

TEXTS = [
    "a photo of a cat", "A  Cat,\tSAT\n there!!!", "it's 2026: we'll don't I've you're he'd I'm", "naïve café façade",
    "nai\u0308ve", "dog/cat & 3.14% of #7", "日本の絵", "🎨🖌️ paint", "x" * 90, "", "  ", "cats cat's 'cats'",
    "½ Ⅷ ٣ café9a_b",
    "<|startoftext|> a <|endoftext|>", "don''t", "ça va? — oui…", "ß İ ﬁ",
]  # fmt: skip


def tiny() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Every byte, alone and as a word's end; some pairs; the two marks."""
    letters = _byte_letters()
    merges = [("c", "a"), ("ca", "t</w>"), ("t", "h"), ("th", "e"), ("a", "t"), ("d", "o"), ("do", "g</w>")]
    merges += [("ca", "t"), ("o", "f</w>"), ("Ã", "©</w>"), ("p", "h"), ("ph", "o"), ("pho", "t"), ("phot", "o</w>")]
    names = [*letters, *(letter + "</w>" for letter in letters), *("".join(pair) for pair in merges), START, END]
    return {name: n for n, name in enumerate(names)}, merges


def tokenizer_json(vocabulary, merges, pairs=False) -> bytes:
    """As published for CLIP: the same cutting, the tiny vocabulary."""
    pattern = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    added = [
        {"id": vocabulary[m], "content": m, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": m == START, "special": True} for m in (START, END)
    ]  # fmt: skip
    table = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}]},
        "post_processor": {"type": "RobertaProcessing", "sep": [END, vocabulary[END]],
                           "cls": [START, vocabulary[START]], "trim_offsets": False, "add_prefix_space": False},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": END, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "</w>", "fuse_unk": False, "vocab": vocabulary,
                  "merges": [list(p) if pairs else " ".join(p) for p in merges]},
    }  # fmt: skip
    return json.dumps(table).encode()


@pytest.mark.parametrize("text", TEXTS)
def test_numbers_are_those_of_the_tokenizers_library(text):
    from tokenizers import Tokenizer

    blob = tokenizer_json(*tiny())
    assert read_words({"words": blob})(text, 300) == Tokenizer.from_str(blob.decode()).encode(text).ids


def test_both_kinds_of_files_give_the_same():
    vocabulary, merges = tiny()
    lines = "#version: 0.2\n" + "\n".join(" ".join(pair) for pair in merges) + "\n"
    older = read_words({"vocab": json.dumps(vocabulary).encode(), "merges": lines.encode()})
    pairs = read_words({"words": tokenizer_json(vocabulary, merges, pairs=True)})
    newer = read_words({"words": tokenizer_json(vocabulary, merges)})
    for text in TEXTS:
        assert older(text) == newer(text) == pairs(text)


def test_a_text_that_is_too_long_is_cut_and_still_ends():
    words = read_words({"words": tokenizer_json(*tiny())})
    found = words("a cat " * 90, 77)
    assert len(found) == 77 and found[0] == words.vocabulary[START] and found[-1] == words.vocabulary[END]


def test_texts_are_cut_into_words_digits_and_signs():
    assert cut("It's 42 — ok?!") == ["it", "'s", "4", "2", "—", "ok", "?!"]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"words": b"{"}, "no JSON"),
        ({"words": b"\xff\xfe"}, "no JSON"),
        ({"words": b'{"model": {"type": "Unigram"}}'}, "no byte-pair encoding"),
        ({"words": b'{"model": {"type": "BPE", "end_of_word_suffix": "</w>"}}'}, "no 'vocab'"),
        ({"vocab": b'{"a": -1}', "merges": b"a b"}, "no table of whole numbers"),
        ({"vocab": b'{"a": 1}', "merges": b"a b c"}, "no pairs"),
        ({"vocab": b'{"a": 1}', "merges": b"a b"}, "startoftext"),
        ({"vocab": b'{"a": 1}'}, "no 'merges'"),
        ({"words": b"[" * 100_000}, "no JSON"),
    ],
)
def test_what_is_no_list_of_words_is_said_with_a_sentence(files, why):
    with pytest.raises(ModelFault, match=why):
        read_words(files)
