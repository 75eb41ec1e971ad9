"""Words while one still speaks: what is shown stays, and it does not stand still."""

from __future__ import annotations

import json

import pytest

from pleinair.models.hearing.agreement import Agreement, spelt

WRONG = [
    "And sure", "And sure the", "In short, the period", "In short, the period was", "In short, the period was so"
]  # fmt: skip


def shown(*guesses: str) -> list[str]:
    agreement = Agreement()
    return [agreement(guess) for guess in guesses]


def test_what_two_guesses_agree_on_is_shown_and_the_last_guess_waits():
    assert shown("it was the best", "It was the best of times, it was", "It was the best of times, it was worse") == [
        "", "It was the best", "It was the best of times, it was",
    ]  # fmt: skip


def test_marks_and_capitals_may_change_and_what_is_shown_does_not():
    assert shown("It was the age...", "It was the age.", "it was the age, it was", "It was the age; it was old") == [
        "", "It was the age", "It was the age", "It was the age; it was",
    ]  # fmt: skip


def test_one_word_that_is_spelt_in_turns_does_not_stop_the_rest():
    rows = shown("the noisiest men", "the noise-est men insisted", "the noisiest men insisted on")
    assert rows == ["", "the", "the noisiest men insisted"]


def test_a_word_that_is_heard_otherwise_later_does_not_stop_the_rest():
    before, after = "We're all going", "We were all going direct to heaven"
    assert shown(before, before, after, after)[1:] == [before, before, "We're all going direct to heaven"]


def test_what_was_wrong_altogether_is_taken_back_when_two_guesses_say_so():
    rows = shown(
        "And sure", "And sure the", "In short, the period", "In short, the period was", "In short, the period was so"
    )
    assert rows == ["", "And sure", "And sure", "In short, the period", "In short, the period was"]


def test_another_language_for_a_moment_shows_nothing_new():
    rows = shown("Bonjour à tous", "Bonjour à tous les", "Bonne your at toes lay ami", "Bonjour à tous les amis")
    assert rows == ["", "Bonjour à tous", "Bonjour à tous", "Bonjour à tous les"]


@pytest.mark.parametrize(
    "words, keys",
    [
        ("  It's — noise-est, Ärger!  ", ["its", "noiseest", "ärger"]),
        ("今日は。", ["今", "日", "は"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("... — !", []),
        ("", []),
    ],
)
def test_words_are_found_in_any_script(words, keys):
    found = spelt(words)
    assert [key for key, _, _ in found] == keys
    assert all(words[begin:end].strip(".,!—…。 ") == words[begin:end] for _, begin, end in found)


def test_it_goes_on_where_another_one_was():
    guesses = [
        "And sure",
        "And sure the",
        "In short, the period",
        "In short, the period was",
        "In short, the period was so",
    ]
    for at in range(len(guesses)):
        one, other = Agreement(), Agreement()
        for guess in WRONG[:at]:
            one(guess)
        other.load(json.loads(json.dumps(one.save())))
        assert [one(g) for g in WRONG[at:]] == [other(g) for g in WRONG[at:]] and other.save() == one.save()


def test_the_next_utterance_begins_anew():
    agreement = Agreement()
    agreement("one two")
    agreement("one two")
    agreement.reset()
    assert agreement.shown == "" and agreement("one two three") == ""
