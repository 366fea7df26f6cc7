"""Reports: what a manager reads at the end of a period; figures, a document of them, and its formats."""
