"""Pure values and rules: values in, values out. No clock, randomness, network or database."""
