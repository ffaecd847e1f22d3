from engine.live.slot import LatestSlot


def test_only_the_newest_value_is_handed_over():
    slot = LatestSlot(bell=lambda: None)
    slot.put("old")
    slot.put("new")

    assert slot.take() == "new"
    assert slot.take() is None


def test_every_put_rings_the_bell():
    rings = []
    slot = LatestSlot(bell=lambda: rings.append(1))
    slot.put(1)
    slot.put(2)

    assert len(rings) == 2
