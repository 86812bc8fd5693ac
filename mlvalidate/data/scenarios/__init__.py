"""How the data of a scenario is made: standard data, reshaped within its dataset or out of it."""
