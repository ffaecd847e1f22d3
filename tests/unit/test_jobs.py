"""A run folder tells what a job did, also after it was interrupted."""

from engine.files.whole import read_json_lines
from engine.jobs.events import RunFolder


def kinds_and_numbers(run):
    return [(line["n"], line["kind"]) for line in read_json_lines(run.path / "events.jsonl")]


def test_events_are_numbered_on_after_a_resume(tmp_path):
    RunFolder(tmp_path).event("start", job="train")
    run = RunFolder(tmp_path)
    run.event("done", outcome="ok")

    assert kinds_and_numbers(run) == [(1, "start"), (2, "done")]


def test_a_line_torn_by_a_crash_does_not_swallow_the_next_event(tmp_path):
    (tmp_path / "events.jsonl").write_text('{"n":1,"kind":"start"}\n{"n":2,"ki')
    RunFolder(tmp_path).event("done", outcome="ok")

    assert (tmp_path / "events.jsonl").read_text().splitlines()[-1].startswith('{"v":1,"n":3,')


def test_numbers_go_on_from_the_last_line_and_not_from_how_many_there_are(tmp_path):
    (tmp_path / "events.jsonl").write_text('{"v":1,"n":70,"t":1.0,"kind":"warn","text":"a"}\n{"v":1,"n"')
    run = RunFolder(tmp_path)
    run.event("done", outcome="ok")

    assert '"n":72,' in (tmp_path / "events.jsonl").read_text()


def test_the_echo_gets_every_line(tmp_path):
    lines = []
    RunFolder(tmp_path, echo=lines.append).event("progress", done=1, total=2)

    assert len(lines) == 1
    assert '"done":1' in lines[0]


def test_a_file_named_cancel_asks_for_the_end(tmp_path):
    run = RunFolder(tmp_path)
    assert not run.is_cancelled()

    (tmp_path / "cancel").touch()
    assert run.is_cancelled()

    run.clear_cancel()
    assert not run.is_cancelled()
