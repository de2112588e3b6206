# The workflow is in workflow/Snakefile, where Snakemake's catalog expects it.
include: "workflow/Snakefile"


# Snakemake ignores the default target of an included file.
rule everything:
    default_target: True
    input:
        rules.all.input,
    localrule: True
    message:
        "All results are there"
