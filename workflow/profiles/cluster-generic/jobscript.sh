#!/bin/bash
# properties = {properties}
# What a scheduler forgets, a file keeps: how the job ended. A job that was killed leaves none.
job=${{PBS_JOBID:-${{SLURM_JOB_ID:-${{LSB_JOBID:-${{JOB_ID:-none}}}}}}}}
cd "${{PBS_O_WORKDIR:-.}}" && mkdir -p .snakemake/cluster
trap 'echo $? > ".snakemake/cluster/${{job%%.*}}.exit"' EXIT
{exec_job}
