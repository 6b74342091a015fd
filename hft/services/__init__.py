"""The gateway as a process that lives: ingress, journal, adapters, lease, health."""
