"""How true the simulated venue is: figures from run folders and own orders, in a signed report.

`orders` reads either side, `figures` compares them, `report` writes, signs and checks.
"""
