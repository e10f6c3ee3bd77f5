"""How a demo works: what an author declares, how it answers, how it is drawn."""
