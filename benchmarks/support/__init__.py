"""What several benchmarks need and none of them is: peers put in place, a host to ask. `make bench` runs the scripts beside this folder."""
