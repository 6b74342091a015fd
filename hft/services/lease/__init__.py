"""Which of several gateways may dispatch."""
