"""The connection between the Snakemake workflow and the package."""
