"""How a recipe's key is declared: its default, what it is called, and why one would change it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

STEP_PX = 32  # input sizes are multiples of it: the deepest map of every student
REQUIRED: Any = ...  # as the default of a key that every recipe has to name
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]  # also a probability


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def key(
    default: Any,
    title: str,
    why: str,
    *,
    unit: str = "",
    basic: bool = False,
    table: str = "",
    **limits: Any,
) -> Any:
    """A key of a part.

    `why`: a sentence, what the key does and when one changes it. `unit`: of its numbers. `basic`: one of the
    few that a form shows at once. `table`: "module:TABLE" whose names can be chosen. `limits`: pydantic's own
    (ge, le, gt, lt, multiple_of, min_length), or those of the type (`Share`, `Positive`, a Literal).
    """
    more: dict[str, Any] = {"why": why, "unit": unit, "basic": basic, "table": table}
    return Field(
        default, title=title, json_schema_extra={name: it for name, it in more.items() if it}, **limits
    )
