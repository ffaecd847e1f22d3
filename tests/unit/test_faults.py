"""Whatever went wrong is a sentence that a person would say."""

import pytest

from engine.faults import FaultCode, FaultError


def said(expected, got, remedy):
    return str(FaultError(FaultCode.ARGUMENT, expected, got, remedy))


@pytest.mark.parametrize(
    ("expected", "got", "remedy", "sentence"),
    [
        (
            "a video file at /x/a.mp4",
            "no such file",
            "check the name",
            "Found no such file instead of a video file at /x/a.mp4: check the name.",
        ),
        (
            "letter.mp4 to be a video file",
            "a text file",
            "choose another one",
            "letter.mp4 should be a video file, but is not (a text file): choose another one.",
        ),
        (
            "the reader to work",
            "ValueError: no",
            "start it again",
            "The reader should work, but does not (ValueError: no): start it again.",
        ),
        (
            "to write into /x",
            "No space left on device",
            "make room",
            "It was not possible to write into /x (No space left on device): make room.",
        ),
        ("a GPU", "none", "choose auto", "There should be a GPU, but there is none: choose auto."),
        (
            "a recording, to jump in it",
            "a live source",
            "record it and open the file",
            "Found a live source instead of a recording, to jump in it: record it and open the file.",
        ),
    ],
)
def test_parts_are_put_together_as_a_sentence(expected, got, remedy, sentence):
    assert said(expected, got, remedy) == sentence


def test_a_sentence_of_its_own_goes_before_the_parts():
    error = FaultError(FaultCode.ARGUMENT, "a", "b", "c", said="No signal. Check the cable.")

    assert str(error) == error.as_fault("source").sentence == "No signal. Check the cable."


def test_the_parts_stay_as_they_are_for_the_log():
    fault = FaultError(FaultCode.ARGUMENT, "a video", "none", "name one", said="Name a video.").as_fault("x")

    assert (fault.expected, fault.got, fault.remedy) == ("a video", "none", "name one")
