"""The words of the house: pure values and rules, no await and no vendor."""
