# The original Theano computes a run's first updates, in an environment of its own (`make theano`).
# No other rule needs the result: it is computed only on request.

from online_rnnlm.engines.names import chosen_modules, usable_anywhere
from online_rnnlm.engines.theano import environment


rule cross_check:
    input:
        [RESULTS.cross_check(run) for run in inputs.one_of_each_kind(EXPERIMENT)],
    localrule: True
    message:
        "Theano, PyTensor and the kernels agree"


rule cross_check_run:
    input:
        corpus=run_corpus("train", "valid"),
    output:
        RESULTS.cross_check("{run}"),
    log:
        RESULTS.log("cross_check", "{run}"),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=lambda wildcards: inputs.code(
            "cross_check",
            "cross_check.with_theano",
            *chosen_modules(usable_anywhere(RUNS[wildcards.run].settings)),
        ),
        configuration=RESULTS.configuration,
        settings=lambda wildcards: inputs.as_json(RUNS[wildcards.run].model_dump(mode="json")),
        theano=lambda wildcards: shlex.quote(environment.python()),
    message:
        "Compute {wildcards.run}'s first updates by Theano, PyTensor and the kernels"
    shell:
        "exec python3 -m online_rnnlm cross-check --config {params.configuration} --run {wildcards.run}"
        " --theano {params.theano} --log {log}"
