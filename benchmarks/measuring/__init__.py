"""The parts of `measure_memory.py`: a config from a record, one run on a card, a record from the runs."""
