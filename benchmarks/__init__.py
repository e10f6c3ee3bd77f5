"""Side-by-side measurements: ``make bench`` runs them all and writes the tables of benchmarks/README.md."""
