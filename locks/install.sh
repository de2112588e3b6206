#!/bin/sh
# Installs what the locks name; the Makefile calls it in the project's folder:
#
#     locks/install.sh environment VENV PYTHON   all that the project needs; '' is python3
#     locks/install.sh add VENV NAME             what locks/NAME.lock adds to this environment
#     locks/install.sh theano VENV PYTHON        Theano 1.0.5, into an environment of its own
#
# Each does nothing if VENV has it all: a file in VENV says for what it was installed. That file is
# written last, so an interrupted installation is never taken for a finished one.
set -eu

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# Print the version of a Python, such as 3.11, and nothing if the program is none.
version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null || true
}

require_python() {
    command -v "$1" > /dev/null ||
        fail "$1 is not found; name a Python 3.11 to 3.13: PYTHON=/path/to/python3"
    case $(version_of "$1") in
        3.11 | 3.12 | 3.13) ;;
        *)
            version=$("$1" -V 2>&1 | grep '^Python ' || echo 'no Python')
            fail "Python 3.11 to 3.13 is needed, but $1 is $version; name another: PYTHON=python3.11"
            ;;
    esac
    "$1" -c 'import ensurepip, venv' 2> /dev/null ||
        fail "$1 has no venv; on Debian: apt-get install python3-venv"
}

make_venv() {
    rm -rf "$venv"
    "$1" -m venv "$venv"
}

pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check "$@"
}

# Install uv, which installs in a sixth of pip's time, if there is one for this machine. It asks the
# index that pip would ask, and trusts the certificates that the system does.
add_uv() {
    if pip install --quiet --require-hashes --only-binary=:all: --requirement locks/uv.lock \
        > "$venv/pip.log" 2>&1; then
        UV_SYSTEM_CERTS=true
        UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$(pip config get global.index-url 2> /dev/null || true)}}
        export UV_SYSTEM_CERTS UV_DEFAULT_INDEX
        [ -n "$UV_DEFAULT_INDEX" ] || unset UV_DEFAULT_INDEX
    fi
}

# Run `pip install` in the environment, by uv or, if it fails or is not there, by pip. The output is
# shown if that fails, too, but not if there is no network: it would say that there is no such
# package.
pip_install() {
    if [ -x "$venv/bin/uv" ] && "$venv/bin/uv" pip install --python "$venv/bin/python" --quiet \
        --no-deps "$@" > "$venv/uv.log" 2>&1; then
        return
    fi
    if pip install --quiet --no-compile --no-deps "$@" > "$venv/pip.log" 2>&1; then
        return
    fi
    if grep -q -E 'connection broken by|Max retries exceeded' "$venv/pip.log"; then
        fail "the package index cannot be reached: packages are installed over the network; \
pip's own words are in $venv/pip.log"
    fi
    cat "$venv/pip.log" >&2
    exit 1
}

# Install the packages of a lock, whose hashes are checked. Two of them are published only as
# sources; both are pure Python and need no compiler.
install_lock() {
    lock=$1
    shift
    pip_install --require-hashes --only-binary=:all: --no-binary=connection-pool,docopt "$@" \
        --requirement "$lock"
}

# Install those packages of a lock that build others of it; $2 is a regular expression of names.
install_builders() {
    awk -v names="^($2)==" '/^[^ ]/ { keep = $0 ~ names } keep' "$1" > "$venv/builders.lock"
    install_lock "$venv/builders.lock"
}

# Print what an environment is installed for: the project in this folder, with these packages.
project() {
    pwd
    cat locks/requirements.lock pyproject.toml
}

install_environment() {
    python=${1:-python3}
    require_python "$python"
    if ! project | cmp -s - "$venv/installed-for" || ! "$venv/bin/python" -c pass 2> /dev/null; then
        echo "Installing the environment into $venv: seconds, or a minute or two without uv."
        make_venv "$python"
        add_uv
        install_builders locks/requirements.lock setuptools
        install_lock locks/requirements.lock --no-build-isolation
        pip_install --no-build-isolation --editable .
        project > "$venv/installed-for"
    fi
    has=$(version_of "$venv/bin/python")
    asked=$(version_of "$python")
    if [ -n "$1" ] && [ "$asked" != "$has" ]; then  # one that was not named may be another
        fail "$venv is of Python $has, but PYTHON is $asked: make it anew after \`make clean\`"
    fi
}

# The packages stay until the environment is installed again.
add_packages() {
    if ! cmp -s "locks/$1.lock" "$venv/installed-$1"; then
        echo "Adding locks/$1.lock to $venv."
        add_uv
        install_lock "locks/$1.lock"
        cp "locks/$1.lock" "$venv/installed-$1"
    fi
}

install_theano() {
    if cmp -s locks/theano.lock "$venv/installed-for" && "$venv/bin/python" -c pass 2> /dev/null; then
        return
    fi
    case $(version_of "$1") in
        3.8 | 3.9) ;;
        *) fail "Theano 1.0.5 needs Python 3.8 or 3.9, which $1 is not; name one: \
THEANO_BASE=/path/to/python3.9" ;;
    esac
    echo "Installing Theano 1.0.5 into $venv."
    make_venv "$1"
    install_builders locks/theano.lock 'setuptools|wheel'
    install_lock locks/theano.lock --no-binary=theano --no-build-isolation
    cp locks/theano.lock "$venv/installed-for"
}

venv=$2
case $1 in
    environment) install_environment "$3" ;;
    add) add_packages "$3" ;;
    theano) install_theano "$3" ;;
    *) fail "$1: allowed: environment, add, theano" ;;
esac
