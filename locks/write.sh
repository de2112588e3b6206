#!/bin/sh
# Writes the locks anew, with uv; `make lock` calls it in the project's folder.
set -eu

resolve() {
    uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet "$@"
}

resolve_project() {
    resolve pyproject.toml --python-version 3.11 "$@"
}

everything=locks/requirements.lock
resolve_project --extra pipeline --extra dev --output-file "$everything"
resolve_project --constraints "$everything" --output-file locks/tool.lock

# Each of these lists only the packages that it adds: those that are not in the first lock.
with_extra=$(mktemp)
for extra in jax cuda docs; do
    resolve_project --extra pipeline --extra "$extra" --constraints "$everything" > "$with_extra"
    awk 'NR == FNR { seen[$0]; next } /^[^ ]/ { keep = !($0 in seen) } keep' \
        "$everything" "$with_extra" > "locks/$extra.lock"
done
rm "$with_extra"

sed -n 's/^      - //p' workflow/envs/theano.yml |
    resolve - --python-version 3.8 --output-file locks/theano.lock
echo uv | resolve - --python-version 3.11 --output-file locks/uv.lock
