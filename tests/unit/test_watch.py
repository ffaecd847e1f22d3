from engine.live.watch import Watch, watched


def looked(since_s, *looks_s):
    watch = Watch()
    for now_s in looks_s:
        watch = watched(watch, since_s, now_s)
    return watch


def test_a_network_that_is_at_one_picture_for_two_seconds_hangs():
    looks = [10.0 + 0.2 * i for i in range(1, 12)]

    assert not looked(10.0, *looks[:-2]).hangs
    assert looked(10.0, *looks).hangs


def test_a_network_that_goes_from_picture_to_picture_never_hangs():
    watch = Watch()
    for i in range(100):
        watch = watched(watch, 10.0 + i, 10.9 + i)

    assert not watch.hangs


def test_a_program_that_was_stopped_for_a_minute_has_not_waited_for_it():
    assert not looked(10.0, 10.2, 70.0, 70.2).hangs
