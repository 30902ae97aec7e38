"""Alerts leave the machine, off the hot path; and the audit log, a copy of what happened for other programs.

Sending goes through apprise (the extra `notify`), which this room loads in processes of their own only: all the rest
works without it. An address is never shown whole, and no message carries a secret. Nothing here raises into, or makes
wait, whoever spends money.
"""

from bursar.notify.audit import KEPT_FILES, AuditLog
from bursar.notify.delivery import Delivery, Patience, deliver
from bursar.notify.message import Message, build_message
from bursar.notify.notifier import Notifier
from bursar.notify.targets import check_target, mask_target, require_library

__all__ = [
    "KEPT_FILES",
    "AuditLog",
    "Delivery",
    "Message",
    "Notifier",
    "Patience",
    "build_message",
    "check_target",
    "deliver",
    "mask_target",
    "require_library",
]
