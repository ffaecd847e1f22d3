"""Where a person said that the endoscope's picture is: a small file a source, without its name."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict
from pathlib import Path

from engine.files.json_reader import read_json
from engine.files.whole import user_data, write_json
from engine.sources.base import SourceSpec
from engine.types import Field, Form, Rect, Region

log = logging.getLogger(__name__)

SCHEMA = 1
MAX_BYTES = 4096


class Regions:
    """Of sources by their address: a capture device keeps its region, and so does a recording."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or user_data() / "regions"

    def of(self, spec: SourceSpec) -> Region | Field | None:
        """As it was set for this source; None: what the network was made for."""
        try:
            value = read_json(self._path(spec), MAX_BYTES)
            if value["schema"] != SCHEMA:
                return None
            if value["region"] in ("frame", "field"):
                return "frame" if value["region"] == "frame" else "field"
            return Field(Rect(**value["box"]), Form(value["form"]), float(value["cut"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            log.info("the region of a source cannot be read: %s", error)
            return None

    def keep(self, spec: SourceSpec, region: Region | Field | None) -> None:
        """Remember it. A full disk stops nobody: then it holds until the source is closed."""
        path = self._path(spec)
        try:
            if region is None:
                path.unlink(missing_ok=True)
            elif isinstance(region, Field):
                own = {"region": "own", "box": asdict(region.box), "form": region.form, "cut": region.cut}
                write_json(path, {"schema": SCHEMA, **own})
            else:
                write_json(path, {"schema": SCHEMA, "region": region})
        except OSError as error:
            log.info("the region of a source is not kept: %s", error)

    def _path(self, spec: SourceSpec) -> Path:
        name = hashlib.sha256(f"{spec.kind}\n{spec.address}".encode(errors="surrogatepass")).hexdigest()
        return self._folder / f"{name[:16]}.json"
