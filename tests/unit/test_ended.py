"""From an exit code or a signal to one value, and from that to one sentence."""

import signal

import pytest

from engine.jobs.ended import How, ended


@pytest.mark.parametrize(
    ("code", "last", "how", "words"),
    [
        (0, "", How.DONE, "The training is done."),
        (4, "stopped at step 3", How.CANCELLED, "The training was cancelled."),
        (2, "polyplive: Found 'x' instead of a recipe: correct it.", How.REFUSED, "(Found 'x' instead of"),
        (3, "polyplive: 3 files cannot be used.", How.DATA_REFUSED, "(3 files cannot be used)."),
        (5, "2 frames are missing", How.INCOMPLETE, "not everything (2 frames are missing)."),
        (1, "KeyError: 'dice'", How.FAILED, "The training failed (KeyError: 'dice')."),
        (1, "", How.FAILED, "The training failed (exit code 1)."),
        (1, "torch.OutOfMemoryError: CUDA out of memory. Tried", How.NO_MEMORY, "ran out of memory (torch."),
        (1, "MemoryError", How.NO_MEMORY, "take less at a time."),
        (-9, "", How.KILLED, "because the memory was full"),
        (137, "", How.KILLED, "because the memory was full"),
        (-11, "", How.CRASHED, "The training crashed (SIGSEGV)."),
        (134, "terminate called", How.CRASHED, "(SIGABRT: terminate called)"),
        (0xC0000005, "", How.CRASHED, "crashed (exit code 3221225477)."),
        (-2, "KeyboardInterrupt", How.CANCELLED, "was cancelled."),
        (-15, "", How.CANCELLED, "was cancelled."),
        (77, "", How.FAILED, "(exit code 77)"),
    ],
)
def test_each_way_to_end_has_its_sentence(code, last, how, words):
    found = ended(code, last)

    assert found.how is how
    assert words in found.sentence("The training")
    assert found.sentence("The training").count(".") - found.last.count(".") <= 2


@pytest.mark.parametrize("code", [-signal.SIGKILL, 1])
def test_what_had_to_be_killed_is_told_apart_from_what_the_system_killed(code):
    found = ended(code, asked=True, killed=True)

    assert (found.how, found.reason) == (How.OVERDUE, "no answer in time")
    assert "was stopped" in found.sentence("The build")


@pytest.mark.parametrize(("code", "how"), [(0, How.DONE), (4, How.CANCELLED)])
def test_what_ended_by_itself_just_before_it_was_killed_did_so(code, how):
    assert ended(code, asked=True, killed=True).how is how


def test_the_reason_for_the_log_has_code_or_signal_and_the_last_line():
    assert ended(-11, "Fatal error").reason == "signal SIGSEGV: Fatal error"
    assert ended(3).reason == "exit code 3"
