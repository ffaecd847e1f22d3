"""What is missing in a transport stream, whose packets count to 16 by kind, and what that damages."""

from __future__ import annotations

from collections import deque

PACKET_BYTES = 188
WINDOW_S = 10.0
# A stream that refreshes itself without keyframes is whole again by then.
REFRESHED_S = 10.0
_SYNC = 0x47
_NULL_PID = 0x1FFF


class Continuity:
    """Counts the packets that came and those that are missing. `gap_at`: PID -> offset of its newest gap."""

    def __init__(self) -> None:
        self.gap_at: dict[int, int] = {}
        self._counts: dict[int, int] = {}
        self._window: deque[tuple[float, int, int]] = deque()  # when, came, missing
        self._came = self._missing = 0

    def take(self, datagram: bytes, offset: int, now_s: float) -> None:
        """A datagram `offset` bytes into the stream. What is no transport stream is passed over."""
        if len(datagram) % PACKET_BYTES or not datagram or datagram[0] != _SYNC:
            return
        missing = 0
        for start in range(0, len(datagram), PACKET_BYTES):
            pid = (datagram[start + 1] & 0x1F) << 8 | datagram[start + 2]
            flags = datagram[start + 3]
            if pid == _NULL_PID or not flags & 0x10:  # only packets with a payload count
                continue
            count, last = flags & 0x0F, self._counts.get(pid)
            self._counts[pid] = count
            if last is None or count == last:  # the first one, or one that was sent twice
                continue
            announced = flags & 0x20 and datagram[start + 4] and datagram[start + 5] & 0x80
            if (gap := (count - last - 1) % 16) and not announced:
                missing += gap
                self.gap_at[pid] = offset + start
        self._add(now_s, len(datagram) // PACKET_BYTES, missing)

    def lost_frac(self, now_s: float) -> float:
        """The share of the packets that were lost in the last ten seconds."""
        self._add(now_s, 0, 0)
        return self._missing / (self._came + self._missing) if self._missing else 0.0

    def _add(self, now_s: float, came: int, missing: int) -> None:
        if came:
            self._window.append((now_s, came, missing))
        self._came += came
        self._missing += missing
        while self._window and now_s - self._window[0][0] > WINDOW_S:
            _, came, missing = self._window.popleft()
            self._came -= came
            self._missing -= missing


class Damage:
    """Which pictures miss something: from a gap on all, until a whole keyframe. In the decoder's order."""

    def __init__(self) -> None:
        self._gap_at = -1
        self._since_s: float | None = None
        self._whole_from: int | None = None  # time stamp of the keyframe that ended the last damage

    def packet(
        self, pos: int | None, pts: int | None, *, key: bool, corrupt: bool, gap_at: int, now_s: float
    ) -> bool:
        """Whether a packet's picture is damaged. `pos`: where it begins; `gap_at`: the newest gap, or -1."""
        if corrupt or gap_at > self._gap_at:
            self._gap_at, self._since_s = max(gap_at, self._gap_at), now_s
        # Without a time stamp its header is among what is missing.
        stamped = pts is not None or self._gap_at < 0
        whole_key = key and stamped and not corrupt and (pos is None or pos > self._gap_at)
        if self._since_s is not None and (whole_key or now_s - self._since_s > REFRESHED_S):
            self._since_s, self._whole_from = None, pts
        return self._since_s is not None

    def picture(self, damaged: bool, pts: int | None, *, corrupt: bool, now_s: float) -> bool:
        """Whether a picture is, that the decoder perhaps calls corrupt. `damaged`: as its packet is."""
        if corrupt and not damaged:
            self._since_s = now_s
        # Between a keyframe and the pictures before it that still refer to what was damaged.
        before = self._whole_from is not None and pts is not None and pts < self._whole_from
        return damaged or corrupt or before
