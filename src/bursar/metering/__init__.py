"""From agent events to usage: a pure state machine that never loses or invents a token.

It knows no agent, no price and no budget, and does no I/O: an adapter feeds it events, it answers with what is new.
"""

from bursar.metering.meter import Meter
from bursar.metering.types import Difference, SourceDifference, UnknownCall, UsageDelta

__all__ = ["Difference", "Meter", "SourceDifference", "UnknownCall", "UsageDelta"]
