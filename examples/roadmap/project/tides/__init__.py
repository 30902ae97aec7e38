"""When a boat may leave the harbour."""
